"""Entries for MLflow: an experiment's files as tags, parameters, metrics and artifacts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from online_rnnlm.config.evaluations import NONE, final_evaluation
from online_rnnlm.config.runs import Run, sizes_in_name, variant_of
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.storage import records
from online_rnnlm.storage.asked import holds_corpus_of
from online_rnnlm.storage.paths import ExperimentDirectory, RunDirectory
from online_rnnlm.storage.records import Epoch, RunRecord, RunResult, Statistics
from online_rnnlm.storage.runs import read_epochs
from online_rnnlm.tracking.reading import (
    RunFiles,
    digest_of,
    read_run,
    run_files,
)

SUMMARY = "summary"
EARLIER = "earlier"
"""The kind of a run that the configuration does not ask for any more."""
RUNNING, FINISHED, FAILED = "RUNNING", "FINISHED", "FAILED"
Metric = tuple[str, float, int, int]  # (key, value, time in ms, step)


@dataclass(frozen=True)
class Entry:
    """The intended content of an MLflow run; all times are in ms since 1970."""

    run: str
    """The name of the run's directory, or `summary`, or `row` and the row's name."""
    label: str
    """The name that MLflow's interface shows."""
    identity: str
    began: int
    tags: dict[str, str]
    parameters: dict[str, str]
    epochs: list[list[Metric]]
    """The metrics of each epoch."""
    final: list[Metric]
    files: dict[str, list[Path]]
    """Artifacts by folder; empty until the run is complete."""
    digest: str | None
    """The digest of `files`; None until the run is complete."""
    ended: int | None
    """The time of the end; None until the run is complete."""
    record: RunRecord | None = None
    """The record of the run; None for the summary and for a row."""
    has_model: bool = False
    """True if the weights are logged as a model.

    This is not done for runs of a search, nor if the folder does not hold their corpus any more.
    """
    failure: str | None = None
    """The reason why the run has diverged; None if it has not."""

    @property
    def of_configuration(self) -> bool:
        """True unless it is of a run of an earlier configuration."""
        return self.tags["kind"] != EARLIER

    @property
    def status(self) -> str:
        """The status of the run, in MLflow's terms."""
        if self.failure is not None:
            return FAILED
        return RUNNING if self.digest is None else FINISHED


def run_entry(
    directory: ExperimentDirectory, name: str, testing: TestingSettings | None = None
) -> Entry:
    """Return the entry of a run in its current state.

    The entry is complete when the run has been trained and evaluated, or has diverged. It has only
    the evaluations that `testing` asks for, if that is given. Raises UserError for a file in a
    wrong format.
    """
    run = read_run(directory, name, testing)
    record = run.record
    began = _milliseconds(record.began)
    files = run_files(directory, name, run)
    complete = (
        run.end is not None
        and all(run.evaluations.values())
        and all(path.is_file() for paths in files.values() for path in paths)
    )
    ended = _milliseconds(run.end.ended) if run.end and complete else None
    finished = complete and run.failure is None
    return Entry(
        run=name,
        label=label(record),
        identity=record.identity,
        began=began,
        tags=_tags(directory, name, run) | {"updates": ", ".join(run.evaluations) * finished},
        parameters={key: _text(value) for key, value in record.settings},
        epochs=list(epoch_metrics(_epochs(directory.run(name)), began)),
        final=[(*one, ended or began, 0) for one in (_final_metrics(run) if finished else ())],
        files=files if complete else {},
        digest=digest_of(directory, files) if complete else None,
        ended=ended,
        record=record,
        has_model=finished and not record.searched and holds_corpus_of(directory, record),
        failure=run.failure,
    )


def label(record: RunRecord) -> str:
    """Return a label such as `M100 D20 · seed 1`; the values that a search tries come between."""
    settings = record.settings
    model = [*sizes_in_name(settings), *variant_of(settings)]
    tried = [f"{key.replace('_', ' ')} {_short(v)}" for key, v in record.searched.items()]
    return " · ".join([" ".join(model), *tried, f"seed {settings.seed}"])


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def dataset(directory: ExperimentDirectory, record: RunRecord) -> dict[str, str]:
    """Return the fields of MLflow's data set for the corpus that a run was trained on.

    If the folder does not hold that corpus any more, only its name and digest are known.
    """
    name = record.settings.corpus
    source: dict[str, Any] = {"uri": f"corpora/{name}"}
    profile = {}
    if holds_corpus_of(directory, record):
        statistics = records.read(Statistics, directory.corpus(name).statistics)
        source |= statistics.source.model_dump(mode="json")
        splits = {name: split.model_dump(mode="json") for name, split in statistics.splits.items()}
        profile = {"profile": json.dumps(splits)}
    return {
        "name": name,
        "digest": record.corpus_digest[:36],  # MLflow accepts at most 36 characters.
        "source_type": "local",
        "source": json.dumps(source),
        **profile,
    }


def _milliseconds(time: datetime) -> int:
    return round(1000 * time.timestamp())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _tags(directory: ExperimentDirectory, name: str, run: RunFiles) -> dict[str, str]:
    """Return a run's tags: its model, its software and the reason of its failure, if any."""
    record, settings = run.record, run.record.settings
    size = settings.document_size
    model = directory.run(name).model.relative_to(directory.path)
    kind = "online" if size else "static"
    return {
        "kind": "search" if record.searched else kind,
        "model": Run(settings=settings).model,
        "hidden_size": str(settings.hidden_size),
        "document_size": str(size),
        "document_layer": settings.document_layer if size else "none",
        "corpus": settings.corpus,
        "seed": str(settings.seed),
        "identity": record.identity,
        "code_digest": record.code_digest,
        "corpus_digest": record.corpus_digest,
        "weights": str(model),
        "host": record.host,
        **({"slurm_job": ", ".join(record.slurm_jobs)} if record.slurm_jobs else {}),
        "version.python": record.python,
        **{f"version.{package}": version for package, version in record.packages.items()},
        **({"failure": run.failure} if run.failure else {}),
    }


def _epochs(files: RunDirectory) -> list[Epoch]:
    """Read a run's epochs so far; there are none if it has just begun."""
    return read_epochs(files) if files.metrics.is_file() else []


def epoch_metrics(epochs: Iterable[Epoch], start: int) -> Iterator[list[Metric]]:
    """Yield the metrics of each epoch; MLflow's interface groups them by the text before `/`."""
    seconds = 0.0
    for epoch in epochs:
        seconds += epoch.seconds
        time = round(start + 1000 * seconds)
        yield [(key, value, time, epoch.epoch) for key, value in _metrics_of(epoch).items()]


def _metrics_of(epoch: Epoch) -> dict[str, float]:
    """Return an epoch's metrics by name; the interface has a page of its own for `system/`."""
    return {
        "epoch/learning_rate": epoch.learning_rate,
        "epoch/train_perplexity": epoch.train_perplexity,
        "epoch/valid_perplexity": epoch.valid_perplexity,
        "epoch/words_per_second": epoch.words_per_second,
        "epoch/seconds": epoch.seconds,
        "epoch/cpu_seconds": epoch.cpu_seconds,
        "system/cpu_utilization_percentage": 100 * epoch.cpu_seconds / epoch.seconds,
        "system/peak_memory_megabytes": epoch.peak_memory_megabytes,
    }


def is_of_epoch(key: str) -> bool:
    """Return True if the key is one of those in `epoch_metrics`."""
    return key.startswith(("epoch/", "system/"))


def _final_metrics(run: RunFiles) -> Iterator[tuple[str, float]]:
    """Yield a finished run's metrics: size, speed, and perplexity of every split and evaluation.

    The keys of the main evaluation have no ending. Those of the evaluation without learning end in
    `_vector_still`, and those of other evaluations in the evaluation's name.
    """
    assert isinstance(run.end, RunResult)
    yield from _result_metrics(run.end)
    size = run.record.settings.document_size
    for evaluation, found in run.evaluations.items():
        # MLflow allows no `+` in a key.
        other = "vector_still" if evaluation == NONE else evaluation.replace("+", "_and_")
        ending = "" if evaluation == final_evaluation(size) else f"_{other}"
        assert found is not None
        yield f"multiply_adds_per_word{ending}", found.costs.multiply_adds_per_word
        for split, metrics in found.splits.items():
            yield f"{split}_perplexity{ending}", metrics.perplexity
    if run.jobs:
        yield "slurm/jobs", len(run.jobs)
        yield "slurm/seconds", sum(job.seconds for job in run.jobs)
        yield "slurm/cpu_seconds", sum(job.cpu_seconds for job in run.jobs)
        yield "slurm/memory_mb", max(job.memory_mb for job in run.jobs)
        yield "slurm/requested_memory_mb", run.jobs[-1].requested_memory_mb


def _result_metrics(result: RunResult) -> Iterator[tuple[str, float]]:
    yield "parameters", float(result.parameters)
    yield "words_per_second", result.words_per_second
    yield "epochs", float(result.epochs)
    yield "best_epoch", float(result.best_epoch)
