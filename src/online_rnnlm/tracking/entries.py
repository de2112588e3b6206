"""Entering of an experiment into MLflow: each run from its files, and the report with all runs.

A training is found in a store by its tag `identity`. So it is entered once, whoever enters it and
how often.
"""

from __future__ import annotations

import json
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from online_rnnlm.config.evaluations import FROZEN, main_way, ways_always
from online_rnnlm.config.experiment import Plan, load_plan
from online_rnnlm.config.runs import Run, digest_of
from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import mlflow, one_line_errors
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation, read_evaluation
from online_rnnlm.storage.experiments import Claims
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import (
    Epoch,
    RunDivergence,
    RunRecord,
    RunResult,
    read_ended,
    read_epochs,
)
from online_rnnlm.tracking.model import log_model
from online_rnnlm.tracking.store import STORE, experiment_here, open_store, own_store
from online_rnnlm.use.places import read_run

logger = logging.getLogger(__name__)

BEST = "best"
"""The alias of the registered model that is the best."""


def find_or_create(
    experiment_id: str, identity: str, label: str, began: datetime, tags: dict[str, str]
) -> str:
    """Return MLflow's id of the run with that identity, which is made if it is not there."""
    found = _find(experiment_id, identity)
    if found is None:
        client = mlflow().MlflowClient()
        found = client.create_run(
            experiment_id,
            start_time=_milliseconds(began),
            tags={**tags, "identity": identity},
            run_name=label,
        )
    return str(found.info.run_id)


def _find(experiment_id: str, identity: str) -> Any | None:
    """Return MLflow's run with that identity; None if there is none."""
    same = f"tags.identity = '{identity}'"
    found = mlflow().search_runs([experiment_id], same, output_format="list")
    return found[0] if found else None


def _milliseconds(time: datetime) -> int:
    return round(1000 * time.timestamp())


def begin_run(experiment_id: str, record: RunRecord) -> str:
    """Return MLflow's id of a training, which is made with its settings if it is not there."""
    settings = record.settings
    run = Run(settings, record.corpus_folder, searched=record.searched)
    by_size = "online" if settings.document_size else "static"
    tags = {
        "kind": "search" if record.searched else by_size,
        "network": run.network_name,
    }
    run_id = find_or_create(experiment_id, record.identity, run.label, record.began, tags)
    parameters = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in settings
        if key not in settings.unused
    }
    mlflow().log_params(parameters, run_id=run_id)
    return run_id


def log_epochs(run_id: str, record: RunRecord, epochs: Sequence[Epoch]) -> None:
    """Log the metrics of a run's epochs so far; what has been logged before is not stored twice.

    An epoch's time is that at which it ended if nothing interrupted the training.
    """
    library = mlflow()
    ended = _milliseconds(record.began)
    metrics = []
    for epoch in epochs:
        ended += round(1000 * epoch.seconds)
        values = {
            "perplexity/valid": round(epoch.valid_perplexity, 2),
            "perplexity/train": round(epoch.train_perplexity, 2),
            "learning_rate": epoch.learning_rate,
            "words_per_second": round(epoch.words_per_second),
        }
        for key, value in values.items():
            metrics.append(library.entities.Metric(key, value, ended, epoch.epoch))
    library.MlflowClient().log_batch(run_id, metrics=metrics)


def live_log(directory: ExperimentDirectory, name: str) -> Callable[[Sequence[Epoch]], None]:
    """Return a function that logs a run's epochs so far in MLflow while the run trains.

    Without a server it does nothing: an sqlite file has no place for several trainings at once. Its
    first error is one warning, and the end of the logging; the workflow's rule `track` enters the
    rest.
    """
    address = os.environ.get(STORE, "")
    is_on = bool(address) and not address.startswith("sqlite")
    run_id = ""

    def log(epochs: Sequence[Epoch]) -> None:
        nonlocal is_on, run_id
        if not is_on:
            return
        try:
            record = records.read(RunRecord, directory.run(name).record)
            with one_line_errors():
                run_id = run_id or begin_run(open_store(directory), record)
                log_epochs(run_id, record, epochs)
        except UserError as error:
            is_on = False
            logger.warning("%s; the run goes on, and is entered when it has been tested", error)

    return log


def enter_run(directory: ExperimentDirectory, experiment_id: str, name: str) -> str:
    """Enter a run that has been tested, or has diverged; return MLflow's id of it.

    Raises UserError if a file is missing or damaged.
    """
    library = mlflow()
    run = directory.run(name)
    record = records.read(RunRecord, run.record)
    end = read_ended(run)
    run_id = begin_run(experiment_id, record)
    with library.start_run(run_id=run_id):
        failures = [end.reason] if isinstance(end, RunDivergence) else []
        failures += _log_evaluations(directory, name, record.settings.document_size)
        log_epochs(run_id, record, read_epochs(run))
        if isinstance(end, RunResult):
            values = {
                "perplexity/valid_best": round(end.valid_perplexity, 2),
                "best_epoch": end.best_epoch,
                "parameters": end.parameters,
            }
            library.log_metrics(values, timestamp=_milliseconds(end.ended))
        for file in (run.record, run.metrics, run.result, run.log):
            if file.is_file():  # a run that was copied from evidence has no log
                library.log_artifact(str(file))
        logged = library.get_run(run_id)
        if not failures and not record.searched and not logged.outputs.model_outputs:
            log_model(read_run(directory, name))
        library.set_tag("mlflow.note.content", _description(logged, failures))
    status = "FAILED" if failures else "FINISHED"
    library.MlflowClient().set_terminated(run_id, status, _milliseconds(end.ended))
    return run_id


def _log_evaluations(directory: ExperimentDirectory, name: str, document_size: int) -> list[str]:
    """Log a run's evaluations in MLflow's active run, the main one first, as its page shows them.

    Returns the reasons of those that have diverged, but for those that `testing` adds.
    """
    library = mlflow()
    main = main_way(document_size).name
    reasons = []
    files = directory.evaluations(name).glob("*.json")
    for file in sorted(files, key=lambda file: (file.stem != main, file.stem)):
        test = read_evaluation(file)
        if isinstance(test, Evaluation):
            written = round(1000 * file.stat().st_mtime)
            library.log_metrics(_metrics(test, main), timestamp=written)
        elif test.way in ways_always(document_size):
            reasons.append(test.reason)
        library.log_artifact(str(file), "evaluations")
    return reasons


def _metrics(test: Evaluation, main: str) -> dict[str, float]:
    """Return the perplexities of an evaluation, and what a word costs in the main one.

    The keys of the main evaluation have no ending. Those of a frozen vector end in `_frozen`, and
    those of other evaluations in the evaluation's name.
    """
    # MLflow allows no `+` in a key.
    ending = {FROZEN.name: "_frozen", main: ""}.get(
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


def enter_summary(directory: ExperimentDirectory, experiment_id: str) -> str:
    """Enter the report with its tables, figures and verdicts; return MLflow's id of the entry.

    Each claim is a tag, such as `100/20: supported; LSTM 100/20: undecided (one seed)`. The model
    of each corpus that is best on `valid` is registered under the alias `best`. Raises UserError if
    a file is missing or damaged.
    """
    library = mlflow()
    experiment = load_plan(directory.configuration)
    claims = records.read(Claims, directory.claims)
    written = datetime.fromtimestamp(directory.report.stat().st_mtime).astimezone()
    identity = digest_of(experiment.of_results())
    run_id = find_or_create(experiment_id, identity, "summary", written, {"kind": "summary"})
    with library.start_run(run_id=run_id):
        for file in (directory.report, directory.claims):
            library.log_artifact(str(file))
        library.log_artifacts(str(directory.tables), "tables")
        library.log_artifacts(str(directory.figures), "figures")
        note = f"[The report](get-artifact?path=report.html&run_uuid={run_id})"
        verdicts = defaultdict(list)
        for claim in claims.claims:
            verdicts[f"claim.{claim.letter}"].append(f"{claim.row}: {claim.verdict}")
        seeds = " (one seed)" if len(experiment.seeds) == 1 else ""
        of_claims = {key: f"{'; '.join(found)}{seeds}" for key, found in verdicts.items()}
        library.set_tags({"mlflow.note.content": note, **of_claims})
    _register_best(directory, experiment_id, experiment)
    return run_id


def _register_best(directory: ExperimentDirectory, experiment_id: str, experiment: Plan) -> None:
    """Register the model of each corpus that is best on `valid`, under the alias `best`."""
    library = mlflow()
    client = library.MlflowClient()
    for corpus in experiment.corpora:
        planned = [run for run in experiment.runs() if run.settings.corpus == corpus]
        logged = [
            _find(experiment_id, records.read(RunRecord, directory.run(run.name).record).identity)
            for run in planned
        ]
        models = [run for run in logged if run is not None and run.outputs.model_outputs]
        if not models:
            continue
        best = min(models, key=lambda run: run.data.metrics["perplexity/valid_best"]).info.run_id
        name = f"{directory.path.resolve().name}-{corpus}"
        versions = client.search_model_versions(f"name = '{name}' and run_id = '{best}'")
        version = versions[0] if versions else library.register_model(f"runs:/{best}/model", name)
        client.set_registered_model_alias(name, BEST, version.version)


def enter_all(directory: ExperimentDirectory, experiment_id: str) -> int:
    """Enter all runs of the configuration that have been tested, or have diverged, and the report.

    Returns the number of runs. Raises UserError if a file is damaged.
    """
    number = 0
    for run in load_plan(directory.configuration).trainings():
        ways = () if run.searched else ways_always(run.settings.document_size)
        needed = [directory.run(run.name).result]
        needed += [directory.evaluation(run.name, way.name) for way in ways]
        if all(file.is_file() for file in needed):
            enter_run(directory, experiment_id, run.name)
            number += 1
    if directory.report.is_file():
        enter_summary(directory, experiment_id)
    return number


def entered_here(directory: ExperimentDirectory) -> str:
    """Return MLflow's id of an experiment in its folder's own database.

    The runs of a folder that was renamed or moved are entered anew. Raises UserError if there is no
    database.
    """
    if not directory.store.is_file():
        raise UserError(
            f"{directory.store}: missing: `online-rnnlm track {directory.path}` enters the runs"
        )
    with one_line_errors():
        experiment_id = experiment_here(directory)
        if experiment_id is None:
            experiment_id = open_store(directory, own_store(directory))
            enter_all(directory, experiment_id)
    return experiment_id
