"""Entries for MLflow: an experiment's runs as tags, parameters, metrics and artifacts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from online_rnnlm.config import evaluations
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import DivergedEvaluation, Evaluation, read_evaluation
from online_rnnlm.storage.files import digest_of_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import (
    Epoch,
    RunDivergence,
    RunRecord,
    RunResult,
    read_end,
    read_epochs,
)
from online_rnnlm.tracking.about import FROZEN, datasets, description

EARLIER = "earlier"
"""The kind of a run that the configuration does not ask for any more."""
RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
_OF_TRAINING = ("parameters", "words_per_second", "epochs", "best_epoch")
_DIVERGED = RunDivergence, DivergedEvaluation
Metric = tuple[str, float, int, int]  # (key, value, time in ms, step)
Stamp = tuple[tuple[str, int, int], ...]
"""Paths of files with their times of change (ns) and sizes (bytes)."""


@dataclass(frozen=True)
class Entry:
    """The intended content of an MLflow run; all times are in ms since 1970."""

    name: str
    """The name of the run's folder, or `summary of CORPUS`."""
    corpus: str
    label: str
    """The name that MLflow's interface shows."""
    identity: str
    began: int
    ended: int | None
    """The time of the end; None until the entry is complete."""
    tags: dict[str, str]
    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    epochs: tuple[Metric, ...] = ()
    """The metrics of the epochs; an epoch is a step."""
    final: tuple[Metric, ...] = ()
    files: tuple[tuple[str, Path], ...] = ()
    """Artifacts, each with its folder in MLflow; sent when the entry is complete."""
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The fields of MLflow's data set for each split of the corpus that the run has used."""
    has_model: bool = False
    """True if the weights are logged as a model: not for runs of a search, nor if the folder does
    not hold their corpus any more."""

    @property
    def kind(self) -> str:
        """`static`, `online`, `search`, `earlier` or `summary`."""
        return self.tags["kind"]

    @property
    def status(self) -> str:
        """One of RUNNING, FINISHED and FAILED."""
        if self.ended is None:
            return RUNNING
        return FAILED if "failure" in self.tags else FINISHED

    @property
    def digest(self) -> str:
        """The sha256 of all that the entry says, apart from the contents of its files."""
        values = [(key, value) for key, value, _, _ in self.final]
        files = [path.name for _, path in self.files]
        said = (self.ended, self.tags, self.description, self.parameters, dict(self.datasets))
        return digest_of_json((said, len(self.epochs), values, files))


def stamp(directory: ExperimentDirectory) -> Stamp:
    """Return the stamp of all files that entries are made from: it differs if one has changed."""
    places = ("runs/*/*", "evaluations/*/*", "corpora/*/statistics.json")
    found = []
    for place in (*places, "config.json", "report.html"):
        for path in sorted(directory.path.glob(place)):
            with suppress(FileNotFoundError):  # It has just been deleted.
                about = path.stat()
                found.append((str(path), about.st_mtime_ns, about.st_size))
    return tuple(found)


def entries_of(
    directory: ExperimentDirectory, experiment: Experiment
) -> tuple[list[Entry], list[UserError]]:
    """Return the entries of all runs that have begun, and the errors of damaged files.

    A run whose files a job is just making anew has no entry.
    """
    planned = {run.name for run in experiment.trainings()}
    entries, errors = [], []
    for record in sorted(directory.path.glob("runs/*/run.json")):
        try:
            entries.append(_run_entry(directory, record.parent.name, experiment, planned))
        except UserError as error:
            if record.is_file():
                errors.append(error)
    # Folders of several plans may hold the same training: the one of this configuration is entered.
    entries.sort(key=lambda entry: entry.kind == EARLIER)
    once: dict[str, Entry] = {}
    for entry in entries:
        once.setdefault(entry.identity, entry)
    return [*once.values()], errors


def _run_entry(
    directory: ExperimentDirectory, name: str, experiment: Experiment, planned: Collection[str]
) -> Entry:
    """Return the entry of a run in its current state; `planned` are the configuration's runs.

    It is complete when the run has been trained and has its main evaluations, or has diverged.
    Raises UserError for a damaged file.
    """
    run = directory.run(name)
    record, end = records.read(RunRecord, run.record), read_end(run)
    settings, began = record.settings, _milliseconds(record.began)
    if end is not None and end.identity != record.identity:
        end = None  # It is that of an older training.
    tests = _read_evaluations(directory, record, experiment)
    needed = () if record.searched else evaluations.main_evaluations(settings.document_size)
    finished = {test: one for test, one in tests.items() if isinstance(one, Evaluation)}
    ends = [end, *(tests.get(test) for test in needed)]
    failures = [one.reason for one in ends if isinstance(one, _DIVERGED)]
    complete = end is not None and (None not in ends or bool(failures))
    succeeded = complete and not failures
    tags = _tags(directory, record)
    if name not in planned:
        tags["kind"] = EARLIER
    if failures:
        tags["failure"] = failures[0]
    final: tuple[Metric, ...] = ()
    if succeeded and isinstance(end, RunResult):
        tags["updates"] = ", ".join(finished)
        final = tuple(_final_metrics(directory, record, end, finished))
    corpus = records.read_if_there(Statistics, directory.corpus(record.corpus_folder).statistics)
    if corpus is not None and corpus.digest != record.corpus_digest:
        corpus = None  # The folder holds another text now.
    label = Run(settings=settings, searched=record.searched).label
    files = existing("", (run.record, run.metrics, run.result, run.log))
    files += existing("evaluations", (directory.evaluation(name, test) for test in finished))
    return Entry(
        name=name,
        corpus=settings.corpus,
        label=label,
        identity=record.identity,
        began=began,
        ended=_milliseconds(end.ended) if end is not None and complete else None,
        tags=tags,
        description=description(
            f"{label}, on {settings.corpus}", failures, {key: value for key, value, _, _ in final}
        ),
        parameters={k: v if isinstance(v, str) else json.dumps(v) for k, v in settings},
        epochs=tuple(_epoch_metrics(read_epochs(run) if run.metrics.is_file() else [], began)),
        final=final,
        files=tuple(files),
        datasets=datasets(record, corpus),
        has_model=succeeded and not record.searched and corpus is not None,
    )


def _read_evaluations(
    directory: ExperimentDirectory, record: RunRecord, experiment: Experiment
) -> dict[str, Evaluation | DivergedEvaluation]:
    """Read those evaluations of this training that the configuration asks for and are there.

    A run of the search has none.
    """
    if record.searched:
        return {}
    asked = evaluations.evaluations_of(record.settings, experiment.testing)
    found = {test: read_evaluation(directory, record.name, test) for test in asked}
    return {test: one for test, one in found.items() if one and one.identity == record.identity}


def existing(folder: str, paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Return those files that exist, each with the folder."""
    return [(folder, path) for path in paths if path.is_file()]


def _milliseconds(time: datetime) -> int:
    return round(1000 * time.timestamp())


def _tags(directory: ExperimentDirectory, record: RunRecord) -> dict[str, str]:
    """Return a run's tags: its kind, its model and its software."""
    by_size = "online" if record.settings.document_size else "static"
    tags = {
        "kind": "search" if record.searched else by_size,
        "network": Run(settings=record.settings).model,
        "code_digest": record.code_digest,
        "corpus_digest": record.corpus_digest,
        "weights": str(directory.run(record.name).model.relative_to(directory.path)),
        "host": record.host,
        "version.python": record.python,
    }
    if record.slurm_jobs:
        tags["slurm_job"] = ", ".join(record.slurm_jobs)
    return tags | {f"version.{package}": number for package, number in record.packages.items()}


def _epoch_metrics(epochs: Sequence[Epoch], start: int) -> Iterator[Metric]:
    """Yield the metrics of all epochs; MLflow's interface groups them by the text before `/`.

    It has a page of its own for `system/`. `start` is the time of the beginning in ms.
    """
    seconds = 0.0
    for epoch in epochs:
        seconds += epoch.seconds
        values = {f"epoch/{key}": value for key, value in epoch if isinstance(value, float)}
        values["system/peak_memory_megabytes"] = values.pop("epoch/peak_memory_megabytes")
        values["system/cpu_utilization_percentage"] = 100 * epoch.cpu_seconds / epoch.seconds
        for key, value in values.items():
            yield key, value, round(start + 1000 * seconds), epoch.epoch


def _final_metrics(
    directory: ExperimentDirectory,
    record: RunRecord,
    end: RunResult,
    tests: Mapping[str, Evaluation],
) -> Iterator[Metric]:
    """Yield a finished run's metrics: perplexity of every split and evaluation, costs and size.

    MLflow's page of a run shows them in this order, its table of runs in that of the alphabet.
    The keys of the main evaluation have no ending. Those of a frozen vector end in `_frozen`, and
    those of other evaluations in the evaluation's name. Their times are those of the evaluations'
    files: MLflow shows the latest value.
    """
    main = evaluations.final_evaluation(record.settings.document_size)
    endings = {evaluations.FROZEN.name: FROZEN} | {main: ""}
    for name in sorted(tests, key=lambda name: name != main):
        test = tests[name]
        # MLflow allows no `+` in a key.
        ending = endings.get(name, f"_{name.replace('+', '_and_')}")
        written = round(1000 * directory.evaluation(record.name, name).stat().st_mtime)
        for split, metrics in reversed(test.splits.items()):
            yield f"{split}_perplexity{ending}", metrics.perplexity, written, 0
        adds = test.costs.multiply_adds_per_word
        yield f"testing/multiply_adds_per_word{ending}", adds, written, 0
    if not tests:
        yield "valid_perplexity", end.valid_perplexity, _milliseconds(end.ended), 0
    for about in _OF_TRAINING:
        yield f"training/{about}", float(getattr(end, about)), _milliseconds(end.ended), 0
