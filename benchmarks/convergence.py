"""Whole training runs: processor time to a validation perplexity, and the final test perplexity."""

from __future__ import annotations

import logging
import time
from typing import Any

from benchmarks.context import ONLINE, STATIC, Context
from benchmarks.rows import Target, missing, row
from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.runs import Run
from online_rnnlm.evaluation.evaluate import evaluate
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Evaluation
from online_rnnlm.storage.runs import read_epochs
from online_rnnlm.training import train as training

TIME_TARGETS = {STATIC: Target(17, at_least=False), ONLINE: Target(60, at_least=False)}
TEST_TARGETS = {STATIC: Target(109, at_least=False), ONLINE: Target(90, at_least=False)}


class _EpochClock(logging.Handler):
    """A log handler that reads the processor time whenever training logs the end of an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.process_time()
        self.times: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the processor time; training calls this after validation and the checkpoint."""
        self.times.append(time.process_time() - self.began)


def convergence(context: Context) -> dict[str, Any]:
    """Train both rows to the end with every seed, test them, and read off the times."""
    seeds = context.options.seeds[:1] if context.options.quick else context.options.seeds
    rows, runs = [], []
    for size in (STATIC, ONLINE):
        mine = [_one_run(context, size, seed) for seed in seeds]
        runs += mine
        rows += [_time_row(context, size, mine), _test_row(context, size, mine)]
    return {"rows": rows, "runs": runs}


def _one_run(context: Context, document_size: int, seed: int) -> dict[str, Any]:
    changes = {"max_epochs": 2} if context.options.quick else {}
    settings = context.settings(document_size, seed=seed, **changes)
    run = Run(settings=settings)
    results = ExperimentDirectory(context.scratch / "runs")
    directory, corpus = results.run(run.name), context.main.directory
    log, clock = logging.getLogger(training.__name__), _EpochClock()
    log.addHandler(clock)
    try:
        training.train(run, corpus, directory)
    finally:
        log.removeHandler(clock)
    updates = final_evaluation(document_size)
    evaluate(results, run.name, corpus, updates, context.experiment.testing)
    test = records.read(Evaluation, results.evaluation(run.name, updates)).splits["test"]
    lines = [epoch.model_dump(mode="json", exclude={"format"}) for epoch in read_epochs(directory)]
    epochs = with_times(lines, clock.times)
    about = {"document_size": document_size, "seed": seed, "epochs": epochs}
    return about | {"test": test.model_dump(mode="json")}


def with_times(epochs: list[dict[str, Any]], cpu: list[float]) -> list[dict[str, Any]]:
    """Add the processor time up to its end to each epoch: of learning alone, and of everything."""
    result, learning = [], 0.0
    for epoch, everything in zip(epochs, cpu, strict=True):
        learning += epoch["cpu_seconds"]
        times = {"cpu_learning": learning, "cpu_everything": everything}
        result.append({**epoch, **times})
    return result


def time_to(epochs: list[dict[str, Any]], perplexity: float, key: str) -> float | None:
    """Return `key` of the first epoch with at most that validation perplexity; None without one."""
    reached = [epoch[key] for epoch in epochs if epoch["valid_perplexity"] <= perplexity]
    return reached[0] if reached else None


def _time_row(context: Context, size: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    aim = context.options.thresholds[size]
    title = f"CPU time of 100/{size} to a validation perplexity of {aim:g}"
    target = TIME_TARGETS[size] if context.main.is_reference else None
    times = [time_to(run["epochs"], aim, "cpu_everything") for run in runs]
    learning = [time_to(run["epochs"], aim, "cpu_learning") for run in runs]
    reached = [value for value in times if value is not None]
    if len(reached) < len(runs):
        best = min(e["valid_perplexity"] for run in runs for e in run["epochs"])
        return missing(
            title, f"{len(reached)} of {len(runs)} runs reach it; the best: {best:.1f}", target
        )
    return row(
        title, "s", reached, target, corpus=context.main.name,
        learning_alone=[value for value in learning if value is not None],
        epochs=[time_to(run["epochs"], aim, "epoch") for run in runs],
    )  # fmt: skip


def _test_row(context: Context, size: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    values = [run["test"]["perplexity"] for run in runs]
    target = TEST_TARGETS[size] if context.main.is_reference else None
    title = f"test perplexity of 100/{size}, {len(runs)} seed{'s' * (len(runs) > 1)}"
    return row(title, "perplexity", values, target, corpus=context.main.name)
