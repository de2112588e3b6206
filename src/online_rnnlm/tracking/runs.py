"""The entry of a run in MLflow when it has been tested: its epochs, its tests and its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from online_rnnlm.config.evaluations import main_adaptation
from online_rnnlm.config.runs import Run
from online_rnnlm.core.adaptation import ALL, NONE, PARTS
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
    run_id = begin_run(experiment_id, record)
    with library.start_run(run_id=run_id):
        library.log_input(_dataset(directory, record), context="training")
        failures = [end.reason] if end.reason else []
        failures += _log_evaluations(directory, name, record.settings.document_size)
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
    for file in sorted(directory.evaluations(name).glob("*.json")):
        _enter_evaluation(experiment_id, run_id, record, read_evaluation(file))
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


def _enter_evaluation(experiment_id: str, run_id: str, record: RunRecord, test: Evaluation) -> None:
    """Enter an evaluation as a child of its run: the grid of what was updated, to be sorted."""
    adaptation = test.adaptation
    if adaptation is None:
        tags = {"updated": test.evaluation}
    else:
        updated = ALL if adaptation.parts == PARTS else "+".join(adaptation.parts) or NONE
        tags = {"updated": updated, "forgotten_at": adaptation.unit_in(record.settings.network)}
    run = Run(record.settings, record.corpus_folder, searched=record.searched)
    child = find_or_create_entry(
        experiment_id,
        f"{test.identity}/{test.evaluation}",
        f"{run.label}: {test.evaluation}",
        record.began,
        {
            **tags,
            "kind": "evaluation",
            "network": run.network_name,
            "mlflow.parentRunId": run_id,
        },
    )
    values: dict[str, float] = {
        f"perplexity/{split}": round(told.perplexity, 2) for split, told in test.splits.items()
    }
    if not test.reason:
        values["numbers_changed_per_word"] = round(test.costs.parameters_touched_per_word)
        values["multiply_adds_per_word"] = round(test.costs.multiply_adds_per_word)
    client = mlflow().MlflowClient()
    ended = milliseconds(record.began)
    metrics = [mlflow().entities.Metric(key, value, ended, 0) for key, value in values.items()]
    client.log_batch(child, metrics=metrics)
    client.set_terminated(child, "FAILED" if test.reason else "FINISHED", ended)


def _log_evaluations(directory: ExperimentDirectory, name: str, document_size: int) -> list[str]:
    """Log a run's evaluations in MLflow's active run, the main one first, as its page shows them.

    Returns the reasons of those that have diverged, but for those that `testing` adds.
    """
    library = mlflow()
    main = main_adaptation(document_size).name
    reasons = []
    files = directory.evaluations(name).glob("*.json")
    for file in sorted(files, key=lambda file: (file.stem != main, file.stem)):
        test = read_evaluation(file)
        if not test.reason:
            written = round(1000 * file.stat().st_mtime)
            library.log_metrics(_metrics(test, main), timestamp=written)
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
