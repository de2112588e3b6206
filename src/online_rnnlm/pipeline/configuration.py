"""Reading, checking and writing of the configuration for the workflow."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from online_rnnlm.config import loading
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.yaml_files import check_value, read_mapping
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.sources.base import Source
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.inputs import BRACES, downloads, has_wildcard
from online_rnnlm.storage import records
from online_rnnlm.storage.files import digest_of_json, write_json
from online_rnnlm.storage.paths import ExperimentDirectory, experiment_directory
from online_rnnlm.storage.records import ConfigurationFile

_DATABASE = b"SQLite format 3\0"
"""The first bytes of a database's file."""


def one_file(files: Sequence[str | Path], arguments: Sequence[str]) -> None:
    """Raise UserError if Snakemake was given several configuration files.

    `files` are those that Snakemake would merge, so that corpora and rows of all would be mixed; it
    ignores all but the last `--configfile` of its `arguments`.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="extend", default=[])
    given = parser.parse_known_args(arguments)[0].configfile or [os.path.relpath(f) for f in files]
    if len(given) > 1:
        raise UserError(
            f"--configfile: {len(given)} files, {' and '.join(given)}: give one. Put the files to "
            "be made before `--configfile`, or behind `--`; `--config KEY=VALUE` changes a key"
        )


def check_values(arguments: Sequence[str]) -> None:
    """Raise UserError if a value behind `--config` is no YAML or could be read in two ways.

    `arguments` are those of Snakemake, which itself takes the last of two equal keys, and of two
    `--config` the last one alone.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", "-C", nargs="*", action="append", default=[])
    options = parser.parse_known_args(arguments)[0].config
    if len(options) > 1:
        raise UserError(
            f"--config: given {len(options)} times: give all values behind one, as in "
            "`--config seeds=[1] experiment=mine`"
        )
    seen = set()
    for entry in [entry for entries in options for entry in entries]:
        key, _, text = entry.partition("=")
        if key in seen:
            raise UserError(f"--config: `{key}` is given twice")
        seen.add(key)
        check_value(text, f"--config {key}")


def read_configuration(
    values: Mapping[str, Any],
    files: Sequence[str | Path],
    *,
    given: Mapping[str, Any] | None = None,
    alone: bool = True,
) -> Experiment:
    """Check the configuration that Snakemake has merged, and that the user's files exist.

    `given` are the values of `--config`, which are a part of `values`. `alone` is False if another
    workflow loads this one; its files may hold more than YAML's text.
    Raises UserError with one line that names the configuration's files and the wrong key.
    """
    if alone:
        for file in files:
            read_mapping(Path(os.path.relpath(file)))
    places = [os.path.relpath(file) for file in files] + (["--config"] if given else [])
    name = " and ".join(places) or "--config"
    experiment = loading.parse(_with_nothing(values, given or {}), name)
    check_files(experiment, name)
    return experiment


def _with_nothing(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, with those of `--config` that Snakemake cannot give or merge.

    It reads `null` within a mapping as text, and merges an empty mapping with the file's.
    """
    merged = dict(values)
    for key, value in given.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _with_nothing(merged[key], value) if value else {}
        elif value in ("null", "~"):
            merged[key] = None
    return merged


def check_files(experiment: Experiment, name: str) -> None:
    """Raise UserError if a corpus cannot read its files, or if a folder cannot have its name."""
    for corpus, settings in experiment.corpora.items():
        wrong = next(_wrong_files(source_of(settings.source)), None)
        if wrong is not None:
            key, file, what = wrong
            raise UserError(f"{name}: `corpora.{corpus}.source.{key}`: {file}: {what}")
    try:
        downloads(experiment)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    _check_folders(experiment, name)


def _wrong_files(source: Source[Any]) -> Iterator[tuple[str, Path, str]]:
    """Yield the files that a source cannot read, with the keys of their settings and the reason."""
    seen: list[tuple[str, Path]] = []
    for key, file in source.user_files():
        what = _why_not(file) or source.why_not(file) or _which_is_same(key, file, seen)
        if what:
            yield key, file, what
        seen.append((key, file))
    for download in source.downloads():
        what = source.why_not(Path(download.name))
        if what:
            yield "url", Path(download.name), what


def _which_is_same(key: str, file: Path, others: Sequence[tuple[str, Path]]) -> str | None:
    """Say that a file is one of the others, which have their own keys; None if it is not."""
    same = next((other for other, path in others if file.samefile(path)), None)
    if same is None:
        return None
    what = f"is the same file as one of `{same}`"
    if key.partition("[")[0] == same.partition("[")[0]:
        return f"{what}: each is read once"
    return f"{what}: a model is tested on text that it has not seen"


def _why_not(file: Path) -> str | None:
    """Return why a user's file cannot be read by the workflow; None if it can."""
    if has_wildcard(file):
        return f"leave out the braces: {BRACES}"
    return why_no_file(file)


def _check_folders(experiment: Experiment, name: str) -> None:
    results = experiment_directory(experiment.experiment).path
    default = Path(str(Experiment.model_fields["downloads"].default))
    downloads = {Path(os.path.realpath(folder)) for folder in (default, experiment.downloads)}
    for folder in downloads:
        if folder.is_relative_to(os.path.realpath(results)):
            raise UserError(
                f"{name}: `experiment`: {experiment.experiment}: downloads lie in {folder}, and "
                f"results would lie in {results}: choose another name"
            )
    if has_wildcard(experiment.downloads):
        raise UserError(
            f"{name}: `downloads`: {experiment.downloads}: leave out the braces: {BRACES}"
        )
    folders = {"downloads": experiment.downloads, "experiment": results}
    database = experiment.tracking.file
    if database is not None:
        what = _why_no_database(database)
        if what is not None:
            raise UserError(f"{name}: `tracking.store`: {database}: {what}")
        folders["tracking.store"] = database.parent
    for key, folder in folders.items():
        found = next((p for p in (folder, *folder.parents) if _exists(p)), None)
        if found is not None and not found.is_dir():
            raise UserError(f"{name}: `{key}`: {found} is a file: a folder is needed there")


def _why_no_database(file: Path) -> str | None:
    """Return why a file is no database, and cannot become one; None if it is or can."""
    try:
        if file.is_dir():
            return "is a directory, not a file"
        if file.is_file():
            with file.open("rb") as stream:
                is_one = stream.read(len(_DATABASE)) == _DATABASE
            return None if is_one else "is another file, no database"
    except OSError as error:
        return error.strerror
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # The name is too long, or leads through a file.
        return False


def digest_of(experiment: Experiment) -> str:
    """Return the sha256 of the file that `write_configuration` writes."""
    return digest_of_json(experiment.model_dump(mode="json"))


def write_configuration(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the configuration, with all defaults, beside the results, where the jobs read it."""
    write_json(directory.configuration, experiment.model_dump(mode="json"))


def refuse_another_file(
    experiment: Experiment, files: Sequence[str | Path], directory: ExperimentDirectory
) -> None:
    """Raise UserError if the results were made by another configuration file, which still exists.

    Its report would be overwritten, and its runs would be mixed with others. Results that were made
    under another name, and then copied or renamed, belong to nobody.
    """
    made_by = _maker(directory)
    ours = _users_file(files, directory)
    if made_by is None or made_by.experiment != experiment.experiment or ours is None:
        return
    other = Path(made_by.path)
    is_here = made_by.folder == os.path.realpath(".")
    if made_by.folder and not is_here and made_by.results == os.path.realpath(directory.path):
        other = made_by.folder / other
    if other.is_file() and not _same(ours, other):
        raise UserError(
            f"{os.path.relpath(ours)}: `experiment`: {experiment.experiment}: {other} has the same "
            f"name, and its results are in {directory.path}: give one of the two another name, or, "
            f"if this file takes the other's place, delete {directory.configuration_file}"
        )


def _maker(directory: ExperimentDirectory) -> ConfigurationFile | None:
    """Read which file made the results; None if it is not known. The next start writes it anew."""
    try:
        return records.read_if_there(ConfigurationFile, directory.configuration_file)
    except UserError:
        return None


def remember_file(
    experiment: Experiment, files: Sequence[str | Path], directory: ExperimentDirectory
) -> None:
    """Write down which configuration file makes the results, for `refuse_another_file`."""
    ours = _users_file(files, directory)
    if ours is not None:
        path = os.path.relpath(ours)
        made_by = ConfigurationFile(
            experiment=experiment.experiment,
            path=path,
            folder=os.path.realpath("."),
            results=os.path.realpath(directory.path),
        )
        records.write(directory.configuration_file, made_by)


def _users_file(files: Sequence[str | Path], directory: ExperimentDirectory) -> Path | None:
    """Return the user's configuration file; None if it is the copy that the results have."""
    ours = Path(files[-1]) if files else None
    return None if ours is None or _same(ours, directory.configuration) else ours


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.samefile(other)
