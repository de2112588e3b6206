"""The MLflow store of an experiment."""

from __future__ import annotations

import os
from contextlib import suppress

from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.storage.paths import ExperimentDirectory

STORE = "MLFLOW_TRACKING_URI"
"""MLflow's variable with the address of a server or database."""


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
    is_here = found is not None and found.artifact_location == _address_of_files(directory)
    return str(found.experiment_id) if is_here else None


def open_store(directory: ExperimentDirectory, address: str = "") -> str:
    """Let MLflow use a store; return its id of the experiment, which is made if it is not there.

    The store is at that address, or the one that `MLFLOW_TRACKING_URI` names, or else the folder's
    own database. Files of runs in a database lie in the experiment's folder, while a server chooses
    their place. In its own database, the entries of a folder that was moved get another name.
    """
    library = mlflow()
    address = address or os.environ.get(STORE) or own_store(directory)
    library.set_tracking_uri(address)
    name = directory.path.resolve().name
    if not address.startswith("http"):
        if address == own_store(directory) and experiment_here(directory) is None:
            old = library.get_experiment_by_name(name)
            if old is not None:
                moved = f"{name}, whose files were in {old.artifact_location}"
                library.MlflowClient().rename_experiment(old.experiment_id, moved)
        # Another process may have made it; any other error comes again in the call below.
        with suppress(library.exceptions.MlflowException):
            library.create_experiment(name, _address_of_files(directory))
    return str(library.set_experiment(name).experiment_id)


def _address_of_files(directory: ExperimentDirectory) -> str:
    """Return the address of the files of an experiment's entries in a database."""
    return directory.artifacts.resolve().as_uri()
