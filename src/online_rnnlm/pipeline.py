"""What the Snakefile asks: the checked configuration, and what each stage depends on."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from online_rnnlm import configuration
from online_rnnlm.configuration import Experiment, Run
from online_rnnlm.corpora.packaged import PACKAGED
from online_rnnlm.corpora.sources import stages, user_files
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.files import lock, saying_what_cannot_be_written, write_json
from online_rnnlm.runs import (
    PACKAGE,
    CorpusDirectory,
    ExperimentDirectory,
    RunDirectory,
    module_sources,
)
from online_rnnlm.settings import CorpusSettings, PackagedSource, TrackingSettings
from online_rnnlm.stopping import PARENT
from online_rnnlm.updates import NONE, further_evaluations, main_evaluations

RESULTS = Path("results")
LOCKS = Path(".snakemake/locks")
INCOMPLETE = Path(".snakemake/incomplete")
SOLE_RUN = Path(".snakemake/sole-run.lock")

# The settings that each stage of a corpus reads: a change of any other does not make it run again.
STAGE_SETTINGS: dict[str, tuple[str, ...]] = {
    "articles": ("source",),
    "sentences": ("lowercase", "min_tokens", "max_tokens"),
    "splits": (
        *("source", "lowercase", "min_tokens", "max_tokens"),
        *("seed", "divide_by", "train_sentences", "valid_sentences", "test_sentences"),
    ),
    "vocabulary": ("vocabulary", "classes"),
    "encode": ("source", "classes"),
}


def read_configuration(values: Mapping[str, Any], files: Iterable[str | Path]) -> Experiment:
    """Check the configuration that Snakemake has put together, and that the user's files exist.

    Raises UserError with one line that names the configuration's files and the key.
    """
    name = " + ".join(os.path.relpath(file) for file in files) or "--config"
    experiment = configuration.parse(dict(values), name)
    check_files(experiment, name)
    return experiment


def check_files(experiment: Experiment, name: str) -> None:
    """Raise UserError if a file that a corpus names does not exist."""
    for corpus, settings in experiment.corpora.items():
        for key in ("file", "train", "valid", "test"):
            file = getattr(settings.source, key, None)
            if file is not None and not file.is_file():
                what = "is a directory, not a file" if file.is_dir() else "no such file"
                raise UserError(f"{name}: `corpora.{corpus}.source.{key}`: {file}: {what}")


def experiment_directory(experiment: Experiment) -> ExperimentDirectory:
    """Where the experiment's results lie, from the project's root."""
    return ExperimentDirectory(RESULTS / experiment.experiment)


def write_configuration(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Keep the configuration, with all defaults, beside the results: the jobs read it there."""
    write_json(directory.configuration, experiment.model_dump(mode="json"))


def check_writable(directory: ExperimentDirectory) -> None:
    """Raise UserError if results must not be written; Snakemake would list them all."""
    place = next(p for p in (directory.path, *directory.path.parents) if p.exists())
    if not os.access(place, os.W_OK):
        raise UserError(
            f"{place}: cannot be written: it is read-only, or someone else's; a dry run is possible"
        )


def stage_settings(stage: str, settings: CorpusSettings) -> str:
    """The settings that decide one stage's output, as JSON: what Snakemake compares."""
    return as_json({key: settings.model_dump(mode="json")[key] for key in STAGE_SETTINGS[stage]})


def as_json(value: Any) -> str:
    """The shortest JSON, its keys sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def sources(*modules: str) -> list[str]:
    """The code that a stage depends on, relative to the working directory."""
    found = {source for module in modules for source in module_sources(f"online_rnnlm.{module}")}
    return sorted(os.path.relpath(source) for source in found)


def article_inputs(experiment: Experiment, corpus: str) -> list[str]:
    """The file that a corpus's articles are read from: a download, or the user's own."""
    source = experiment.corpora[corpus].source
    if isinstance(source, PackagedSource):
        return [str(PACKAGED[source.kind].path(experiment.downloads))]
    return [str(file) for file in user_files(source)]


def split_inputs(settings: CorpusSettings, directory: CorpusDirectory) -> list[str]:
    """What a corpus is split from: its sentences, or the user's own files if they are ready."""
    if "sentences" in stages(settings.source):
        return [str(directory.sentences), str(directory.sentence_articles)]
    return [str(file) for file in user_files(settings.source)]


def encoded_files(directory: CorpusDirectory, splits: Iterable[str]) -> list[str]:
    """The arrays of some splits, and what describes them."""
    kinds = (directory.stream, directory.offsets, directory.split_articles)
    arrays = [file(split) for split in splits for file in kinds]
    return [str(file) for file in [directory.vocabulary, directory.statistics, *arrays]]


def run_files(directory: RunDirectory) -> list[str]:
    """What a finished run leaves."""
    files = (directory.run, directory.metrics, directory.model, directory.result)
    return [str(file) for file in files]


def one_evaluation(directory: ExperimentDirectory, run: str, evaluation: str) -> list[str]:
    """The files of one evaluation: figures, sentences' scores, tokens' scores."""
    files = (directory.evaluation, directory.sentence_scores, directory.token_scores)
    return [str(file(run, evaluation)) for file in files]


def evaluation_files(experiment: Experiment, run: Run, directory: ExperimentDirectory) -> list[str]:
    """What says that a run's evaluations are there; a run of the search has none."""
    if run.searched:
        return []
    size = run.settings.document_size
    files = [
        file
        for name in main_evaluations(size)
        for file in one_evaluation(directory, run.name, name)
    ]
    further = further_evaluations(size, experiment.testing)
    return files + ([str(directory.further_evaluations(run.name))] if further else [])


def vector_files(experiment: Experiment, directory: ExperimentDirectory) -> list[str]:
    """The document vectors of all runs that have some."""
    runs = [run.name for run in experiment.runs() if run.settings.document_size]
    splits = ("valid", "test")
    return [str(directory.document_vectors(run, split)) for run in runs for split in splits]


def one_of_each_kind(experiment: Experiment) -> list[str]:
    """The first run of each kind of model: what its vector feeds, if any, and how it learns."""
    first: dict[object, str] = {}
    for run in experiment.runs():
        settings = run.settings
        kind = (bool(settings.document_size), settings.sizes(1, 1).document_layer)
        first.setdefault((*kind, settings.optimizer), run.name)
    return list(first.values())


def testing_settings(experiment: Experiment) -> str:
    """How evaluations are made, as JSON: what Snakemake compares."""
    return as_json(experiment.testing.model_dump(mode="json", exclude={"kneser_ney"}))


def result_files(experiment: Experiment, directory: ExperimentDirectory) -> list[str]:
    """All that the tables, figures and claims are made from."""
    files = [str(directory.corpus(corpus).statistics) for corpus in experiment.corpora]
    for run in experiment.trainings():
        files += run_files(directory.run(run.name)) + evaluation_files(experiment, run, directory)
    for ngram in experiment.ngrams():
        files += one_evaluation(directory, ngram, NONE)
    return files


def shell_prefix(source: Path) -> str:
    """What every job's shell does first: fail early, and find this environment and this code.

    It ends in `exec`, so a job is one command, which no shell stands between: signals reach it, and
    it ends with Snakemake.
    """
    environment = Path(sys.executable).parent
    return (
        "set -euo pipefail; "
        f"export PATH={shlex.quote(str(environment))}:$PATH "
        f"PYTHONPATH={shlex.quote(str(source))}${{{{PYTHONPATH:+:$PYTHONPATH}}}} "
        f"OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 {PARENT}=$PPID; exec "
    )


def errors(directory: ExperimentDirectory, since: float) -> list[str]:
    """The last lines of the logs of jobs that have failed since that time (seconds, Unix)."""
    recent = [log for log in directory.logs.rglob("*.log") if log.stat().st_mtime >= since]
    last = [log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:] for log in recent]
    return [line for lines in last for line in lines if ERROR_MARK in line]


def forget_killed_run(dry_run: bool = False) -> IO[str] | None:
    """Remove the marks that a killed Snakemake left; raise UserError if another is at work here.

    Snakemake's locks are files that outlive a killed process and stop the next one; the kernel's
    lock on the file that is returned does not: keep it open for as long as the workflow runs.
    Its marks of incomplete outputs are not needed: every output is written whole or not at all,
    and is old by its inputs or settings until its job has ended. None for a dry run that may not
    be sole, or if the file system has no such locks.
    """
    try:
        file = _sole_run()
    except UserError:
        if dry_run:
            return None
        raise
    if file is not None:
        for mark in [*LOCKS.glob("*.lock"), *INCOMPLETE.glob("*")]:
            if mark.is_file():
                mark.unlink(missing_ok=True)
    return file


def _sole_run() -> IO[str] | None:
    """The open file whose lock says that this process is the only Snakemake here."""
    with saying_what_cannot_be_written(SOLE_RUN):
        SOLE_RUN.parent.mkdir(exist_ok=True)
        file = SOLE_RUN.open("a+", encoding="utf-8")
    alone = lock(file)
    if alone:
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        return file
    with file:
        file.seek(0)
        if alone is False:
            raise UserError(
                f"{Path.cwd()}: another Snakemake (process {file.read().strip()}) is at work here: "
                "wait until it has ended, or end it; `--dry-run --rerun-incomplete` is possible"
            )
    return None


class Watcher:
    """What enters runs into MLflow while they train: a process beside Snakemake's own."""

    def __init__(self, experiment: Experiment, directory: ExperimentDirectory) -> None:
        self._tracking = experiment.tracking
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; it ends by itself with the process that started it."""
        if not self._tracking.watch_seconds:
            return
        seconds = ("--watch", f"{self._tracking.watch_seconds:g}")
        command = [sys.executable, "-m", PACKAGE, *tracking_arguments(self._tracking)]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        self._process = subprocess.Popen(
            [*command, *seconds, str(self._directory.path)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """End, in the midst of what it does: the next synchronisation completes it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def tracking_arguments(tracking: TrackingSettings) -> list[str]:
    """The verb that enters runs, and into which store."""
    return ["track", *(["--store", tracking.store] if tracking.store else [])]
