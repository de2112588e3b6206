"""A whole experiment in MLflow: all of its runs and its summary."""

from __future__ import annotations

from online_rnnlm.config.evaluations import main_way
from online_rnnlm.config.experiment import load_plan
from online_rnnlm.core.way import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import one_line_errors
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.runs import enter_run
from online_rnnlm.tracking.store import experiment_here, open_store, own_store
from online_rnnlm.tracking.summary import enter_summary


def enter_all(directory: ExperimentDirectory, experiment_id: str) -> int:
    """Enter all runs of the configuration that have been tested, or have diverged, and the report.

    Returns the number of runs. Raises UserError if a file is damaged.
    """
    number = 0
    for run in load_plan(directory.configuration).trainings():
        needed = [directory.run(run.name).result]
        if not run.searched:
            needed += [
                directory.evaluation(run.name, name)
                for name in (NONE, main_way(run.settings.document_size).name)
            ]
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
