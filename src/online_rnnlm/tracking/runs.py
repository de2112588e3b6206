"""The entry of a run in MLflow when it has been tested: its epochs, its tests and its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from online_rnnlm.config.evaluations import main_adaptation
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation, read_evaluation
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import (
    RunRecord,
    RunResult,
    read_epochs,
)
from online_rnnlm.tracking.live_log import begin_run, log_epochs
from online_rnnlm.tracking.model import log_model
from online_rnnlm.tracking.store import find_or_create_entry, milliseconds
from online_rnnlm.use.places import read_run


def enter_run(directory: ExperimentDirectory, experiment_id: str, name: str) -> str:
    """Enter a run that has been tested, or has diverged; return MLflow's id of it.

    Each of its evaluations is a child run, which says what was updated and when it was forgotten.
    Raises UserError if a file is missing or damaged.
    """
    library = mlflow()
    run = directory.run(name)
    record = records.read(RunRecord, run.record)
    end = records.read(RunResult, run.result)
    main = main_adaptation(record.settings.document_size).name
    files = directory.evaluations(name).glob("*.json")
    main_first = sorted(files, key=lambda file: (file.stem != main, file.stem))
    tests = {file: read_evaluation(file) for file in main_first}
    run_id = begin_run(experiment_id, record)
    with library.start_run(run_id=run_id):
        library.log_input(_dataset(directory, record), context="training")
        failures = [end.reason] if end.reason else []
        failures += _log_evaluations(tests, main)
        log_epochs(run_id, record, read_epochs(run))
        if not end.reason:
            values = {
                "perplexity/valid_best": round(end.reached, 2),
                "best_epoch": end.best_epoch,
                "parameters": end.parameters,
            }
            library.log_metrics(values, timestamp=milliseconds(end.ended))
        for file in (run.record, run.metrics, run.result, run.log):
            if file.is_file():  # a run that was copied from evidence has no log
                library.log_artifact(str(file))
        logged = library.get_run(run_id)
        if not failures and not record.searched and not logged.outputs.model_outputs:
            log_model(read_run(directory, name))
        library.set_tag("mlflow.note.content", _description(logged, failures))
    status = "FAILED" if failures else "FINISHED"
    library.MlflowClient().set_terminated(run_id, status, milliseconds(end.ended))
    for file, test in tests.items():
        _enter_evaluation(experiment_id, logged, record, file, test)
    return run_id


def _dataset(directory: ExperimentDirectory, record: RunRecord) -> Any:
    """Return the corpus of a run as MLflow's dataset, whose digest is that of the prepared text."""
    data = mlflow().data
    folder = directory.corpus(record.corpus_folder).path
    return data.meta_dataset.MetaDataset(
        data.code_dataset_source.CodeDatasetSource({"folder": str(folder.resolve())}),
        name=record.settings.corpus,
        digest=record.corpus_digest[:36],  # MLflow keeps no more
    )


def _enter_evaluation(
    experiment_id: str, run: Any, record: RunRecord, file: Path, test: Evaluation
) -> None:
    """Enter an evaluation as a child of its run in MLflow, which sorts them by what was updated."""
    tags = {
        "kind": "evaluation",
        "network": run.data.tags["network"],
        "updated": test.evaluation.partition(".")[0],  # an adaptation's name begins with its parts
        "mlflow.parentRunId": run.info.run_id,
    }
    if test.adaptation:
        tags["forgotten_at"] = test.adaptation.unit_in(record.settings.network)
    identity = f"{test.identity}/{test.evaluation}"
    label = f"{run.info.run_name}: {test.evaluation}"
    child = find_or_create_entry(experiment_id, identity, label, record.began, tags)
    values: dict[str, float] = {
        f"perplexity/{split}": round(told.perplexity, 2) for split, told in test.splits.items()
    }
    if not test.reason:
        values["numbers_changed_per_word"] = round(test.costs.parameters_touched_per_word)
        values["multiply_adds_per_word"] = round(test.costs.multiply_adds_per_word)
    written = _written(file)
    metrics = [mlflow().entities.Metric(key, value, written, 0) for key, value in values.items()]
    client = mlflow().MlflowClient()
    client.log_batch(child, metrics=metrics)
    client.set_terminated(child, "FAILED" if test.reason else "FINISHED", written)


def _written(file: Path) -> int:
    """Return the time at which a file was written, as MLflow has it."""
    return round(1000 * file.stat().st_mtime)


def _log_evaluations(tests: Mapping[Path, Evaluation], main: str) -> list[str]:
    """Log a run's evaluations, by file, in MLflow's active run, whose page shows the first first.

    Returns the reasons of those that have diverged, but for those that `testing` adds.
    """
    library = mlflow()
    reasons = []
    for file, test in tests.items():
        if not test.reason:
            library.log_metrics(_metrics(test, main), timestamp=_written(file))
        elif test.evaluation in (NONE, main):
            reasons.append(test.reason)
        library.log_artifact(str(file), "evaluations")
    return reasons


def _metrics(test: Evaluation, main: str) -> dict[str, float]:
    """Return the perplexities of an evaluation, and what a word costs in the main one.

    The keys of the main evaluation have no ending. Those of a frozen vector end in `_frozen`, and
    those of other evaluations in the evaluation's name.
    """
    # MLflow allows no `+` in a key.
    ending = {NONE: "_frozen", main: ""}.get(
        test.evaluation, f"_{test.evaluation.replace('+', '_and_')}"
    )
    values = {
        f"perplexity/{split}{ending}": round(metrics.perplexity, 2)
        for split, metrics in test.splits.items()
        if split not in ("train", "valid")  # the epochs have these
    }
    if test.evaluation == main:
        values["multiply_adds_per_word"] = round(test.costs.multiply_adds_per_word)
    return values


def _description(run: Any, failures: Sequence[str]) -> str:
    """Say in Markdown what a run reached, and how its model is loaded."""
    if failures:
        return failures[0]
    if run.data.tags["kind"] == "search":
        return "A run of the search for settings, which is not tested."
    if "perplexity/test" not in run.data.metrics:
        return "A run that has not been tested."
    reached = run.data.metrics["perplexity/test"]
    return (
        f"Test perplexity {reached:.2f}. Load the model with\n\n"
        f'    mlflow.pyfunc.load_model("runs:/{run.info.run_id}/model")\n'
    )
