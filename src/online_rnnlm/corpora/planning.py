"""What a start needs to know of texts: that they can be read, and the digits of their content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from online_rnnlm.config import code
from online_rnnlm.config.code import Modules
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.plan import Plan, parse
from online_rnnlm.config.runs import DIGITS, Digits, digest_of
from online_rnnlm.corpora.downloads import Download
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.sources.base import Source
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import UserError, naming
from online_rnnlm.storage.code import fingerprint
from online_rnnlm.storage.files import sha256_of


def plan(values: Mapping[str, Any], name: str) -> Plan:
    """Check a configuration and the user's files, and compute the digits that name all folders.

    The texts are read whole for them: 100 MB take a third of a second. Raises UserError with one
    line, which names the configuration by `name`, and the wrong key.
    """
    experiment = parse(dict(values), name)
    check_files(experiment, name)
    return with_digits(experiment)


def with_digits(experiment: Experiment) -> Plan:
    """Return an experiment's plan: its digits are those of this code and of the texts now."""
    fingerprints = {modules: fingerprint(*modules) for modules in code.of_plan(experiment)}
    others = sums_of(experiment.testing.other_texts.values())
    corpora = {}
    texts = {}
    for name, settings in experiment.corpora.items():
        own = sums_of(source_of(settings.source).user_files())
        of_code = fingerprints[code.of_corpus(settings)]
        decisive = [settings.model_dump(mode="json"), [*own.values()], of_code]
        corpora[name] = digest_of(decisive)[:DIGITS]
        texts[name] = own | others
    beginnings = {" ".join(key): found[:DIGITS] for key, found in sorted(fingerprints.items())}
    return Plan.of(experiment, Digits(code=beginnings, corpora=corpora, texts=texts))


def refuse_changed_code(digits: Digits, modules: Modules) -> None:
    """Raise UserError if the code of the modules that decide a result is not that of the plan.

    A job calls it when it has loaded its code. Otherwise what is computed by code that was changed
    after the workflow's start would lie under the digits of the code before.
    """
    planned = digits.of_code(modules)
    if not planned or not fingerprint(*modules).startswith(planned):
        raise UserError(
            f"the code of {modules[0]}, or what it uses, has changed since the experiment was "
            "started: start it again"
        )


def sums_of(files: Iterable[Path]) -> dict[str, str]:
    """Return the sha256 of files, by path, for a plan."""
    return {str(file): sha256_of(file) for file in files}


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
    for key, file in source.files_by_key():
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
