"""Reading, checking and writing of the configuration for the workflow."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path
from typing import Any

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.loading import parse, read_mapping
from online_rnnlm.corpora.downloads import Download
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.sources.base import Source
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import UserError, naming


def read_configuration(
    values: Mapping[str, Any],
    files: Sequence[str | Path],
    *,
    given: Mapping[str, Any] | None = None,
    alone: bool = True,
) -> Experiment:
    """Read and check a configuration, and check that the user's files exist.

    `files` are Snakemake's configuration files, the later over the earlier, and `given` the values
    of `--config`, over all files. The files are read anew, since Snakemake accepts a key twice and
    numbers to the base 8. `values` are what Snakemake has merged; they count where there is no
    file, or where another workflow loads this one and `alone` is False.
    Raises UserError with one line that names the configuration's files and the wrong key.
    """
    merged = dict(values)
    if files and alone:
        with suppress(ModuleNotFoundError):  # `snakemake --lint` where only Snakemake is
            read = [read_mapping(Path(os.path.relpath(file))) for file in files]
            merged = reduce(_merged, read, {})
    places = [os.path.relpath(file) for file in files] + (["--config"] if given else [])
    name = " and ".join(places) or "--config"
    experiment = parse(_merged(merged, given or {}), name)
    check_files(experiment, name)
    return experiment


def _merged(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return values overridden by others, key by key; an empty mapping replaces a whole one.

    Snakemake reads `null` within a mapping of `--config` as text.
    """
    merged = dict(values)
    for key, value in others.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both and value else value
        if value in ("null", "~"):
            merged[key] = None
    return merged


def check_files(experiment: Experiment, name: str) -> None:
    """Raise UserError if the workflow cannot read the user's files.

    `name` stands for the configuration in the message.
    """
    with naming(name):
        for corpus, settings in experiment.corpora.items():
            _check_source(source_of(settings.source), f"corpora.{corpus}.source")
        _check_other_texts(experiment)
        refuse_same_names(experiment.corpora)


def refuse_same_names(corpora: Mapping[str, CorpusSettings]) -> None:
    """Raise UserError if two downloads that are not the same would be kept under one name."""
    kept: dict[str, Download] = {}
    for corpus, settings in corpora.items():
        for download in source_of(settings.source).downloads():
            other = kept.setdefault(download.name, download)
            if not (other.sha256 == download.sha256 is not None or other == download):
                raise UserError(
                    f"`corpora.{corpus}.source.url.name`: {download.name}: {other.origin} is kept "
                    f"under this name: give {download.origin} another `name`"
                )


def _check_source(source: Source[Any], place: str) -> None:
    """Raise UserError if a source cannot read one of its files, or would read one twice."""
    seen: dict[str, str] = {}
    for key, file in source.user_files():
        what = why_no_file(file) or source.why_not(file)
        real = os.path.realpath(file)
        if not what and real in seen:
            what = f"is the same file as `{seen[real]}`: a file is read once, for one split"
        if what:
            raise UserError(f"`{place}.{key}`: {file}: {what}")
        seen[real] = key
    for download in source.downloads():
        what = source.why_not(Path(download.name))
        if what:
            raise UserError(f"`{place}.url`: {download.name}: {what}")


def _check_other_texts(experiment: Experiment) -> None:
    """Raise UserError if a text of another kind cannot be read as those of every corpus are."""
    sources = [source_of(settings.source) for settings in experiment.corpora.values()]
    for name, file in experiment.testing.other_texts.items():
        reasons = [why_no_file(file), *(source.why_not(file) for source in sources)]
        if what := next(filter(None, reasons), None):
            raise UserError(f"`testing.other_texts.{name}`: {file}: {what}")
