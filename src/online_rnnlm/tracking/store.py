"""The MLflow store of an experiment, and the entries in it, each of which has an identity."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import STORE, mlflow
from online_rnnlm.storage.paths import ExperimentDirectory


def kind_of(address: str) -> Literal["file", "database", "server"]:
    """Return what is at a store's address: an SQLite file, a database's server, or MLflow's own.

    An SQLite file has no place for several trainings at once. MLflow's server alone chooses where
    the files of its entries lie.
    """
    if address.startswith("sqlite"):
        return "file"
    return "server" if address.startswith("http") else "database"


def own_store(directory: ExperimentDirectory) -> str:
    """Return the address of the database in an experiment's folder."""
    return f"sqlite:///{directory.store.resolve()}"


def open_store(directory: ExperimentDirectory) -> str:
    """Let MLflow use a store; return its id of the experiment, which is made if it is not there.

    The store is the one that `MLFLOW_TRACKING_URI` names, or else the folder's own database. Files
    of runs lie in the experiment's folder, unless MLflow's server chooses their place. Raises
    UserError if the folder was moved with its database, which has the whole paths of its files.
    """
    library = mlflow()
    address = os.environ.get(STORE) or own_store(directory)
    library.set_tracking_uri(address)
    name = directory.path.resolve().name
    files = address_of_files(directory)
    if kind_of(address) != "server":
        # Another process may have made it; any other error comes again in the call below.
        with suppress(library.exceptions.MlflowException):
            library.create_experiment(name, files)
    experiment = library.set_experiment(name)
    if address == own_store(directory) and experiment.artifact_location != files:
        raise UserError(
            f"{directory.store}: the files of its runs were in {experiment.artifact_location}: "
            "delete it, and start the experiment again"
        )
    return str(experiment.experiment_id)


def address_of_files(directory: ExperimentDirectory) -> str:
    """Return the address of the files of an experiment's entries in a database."""
    return directory.artifacts.resolve().as_uri()


def find_entry(experiment_id: str, identity: str) -> Any | None:
    """Return MLflow's run with that identity; None if there is none."""
    same = f"tags.identity = '{identity}'"
    found = mlflow().search_runs([experiment_id], same, output_format="list")
    return found[0] if found else None


def find_or_create_entry(
    experiment_id: str, identity: str, label: str, began: datetime, tags: dict[str, str]
) -> str:
    """Return MLflow's id of the run with that identity, which is made if it is not there.

    So it is entered once, whoever enters it and how often. MLflow's own tags name the user, this
    package and its commit.
    """
    found = find_entry(experiment_id, identity)
    if found is None:
        client = mlflow().MlflowClient()
        own_tags = mlflow().tracking.context.registry.resolve_tags()
        own_tags["mlflow.source.name"] = str(Path(__file__).parents[1])
        found = client.create_run(
            experiment_id,
            start_time=milliseconds(began),
            tags={**own_tags, **tags, "identity": identity},
            run_name=label,
        )
    return str(found.info.run_id)


def milliseconds(time: datetime) -> int:
    """Return a time as MLflow has it."""
    return round(1000 * time.timestamp())


def forget_missing_entries(directory: ExperimentDirectory) -> str:
    """Remove the empty files of what a store has not got; return a line about them.

    The next start of the workflow enters what they stand for. The line is empty if there are none.
    """
    missing = [file for file in directory.path.glob("tracking/*.txt") if not file.stat().st_size]
    for file in missing:
        file.unlink()
    if not missing:
        return ""
    lacks = (
        f"MLflow lacks {len(missing)} of its entries, as its store was away or the start was ended"
    )
    return f"{lacks}: the same command makes them ({directory.logs}/track)"
