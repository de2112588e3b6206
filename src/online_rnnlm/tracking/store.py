"""The MLflow store of an experiment, and the entries in it, each of which has an identity."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.storage.paths import ExperimentDirectory

STORE = "MLFLOW_TRACKING_URI"
"""MLflow's variable with the address of a server or database."""


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


def experiment_here(directory: ExperimentDirectory) -> str | None:
    """Return MLflow's id of an experiment in its folder's own database.

    It is None if the folder had another name or place when its runs were entered, since MLflow
    keeps the whole paths of their files.
    """
    client = mlflow().MlflowClient(own_store(directory))
    found = client.get_experiment_by_name(directory.path.resolve().name)
    is_here = found is not None and found.artifact_location == address_of_files(directory)
    return str(found.experiment_id) if is_here else None


def open_store(directory: ExperimentDirectory, address: str = "") -> str:
    """Let MLflow use a store; return its id of the experiment, which is made if it is not there.

    The store is at that address, or the one that `MLFLOW_TRACKING_URI` names, or else the folder's
    own database. Files of runs lie in the experiment's folder, unless MLflow's server chooses their
    place. In its own database, the experiment is renamed if its folder was.
    """
    library = mlflow()
    address = address or os.environ.get(STORE) or own_store(directory)
    library.set_tracking_uri(address)
    name = directory.path.resolve().name
    if kind_of(address) != "server":
        if address == own_store(directory) and experiment_here(directory) is None:
            old = library.get_experiment_by_name(name)
            if old is not None:
                moved = f"{name}, whose files were in {old.artifact_location}"
                library.MlflowClient().rename_experiment(old.experiment_id, moved)
        # Another process may have made it; any other error comes again in the call below.
        with suppress(library.exceptions.MlflowException):
            library.create_experiment(name, address_of_files(directory))
    return str(library.set_experiment(name).experiment_id)


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

    So it is entered once, whoever enters it and how often.
    """
    found = find_entry(experiment_id, identity)
    if found is None:
        client = mlflow().MlflowClient()
        found = client.create_run(
            experiment_id,
            start_time=milliseconds(began),
            tags={**tags, "identity": identity},
            run_name=label,
        )
    return str(found.info.run_id)


def milliseconds(time: datetime) -> int:
    """Return a time as MLflow has it."""
    return round(1000 * time.timestamp())
