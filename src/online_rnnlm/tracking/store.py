"""The MLflow store of an experiment, and MLflow itself with this project's settings."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from online_rnnlm.errors import UserError, needing_packages
from online_rnnlm.storage.paths import ExperimentDirectory

STORE = "MLFLOW_TRACKING_URI"
"""MLflow's variable with the address of a server or database."""
FILE = "model.onlm"
"""The name of a model's file in MLflow."""
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # The standard output is for MLflow's ids of runs.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # By default a training would wait for minutes for a server that does not answer.
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    # Otherwise a server starts ten processes of 240 MB each.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
"""The variables, all of them MLflow's, that this project sets where a user has not set them."""


def mlflow() -> Any:
    """Import MLflow with this project's settings; the first call takes seconds.

    Raises UserError if it is not installed.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with needing_packages():
        import mlflow as library  # noqa: PLC0415
    for talkative in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="mlflow")
    return library


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


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn the errors of MLflow and its databases into UserError: one line, without passwords."""
    library = mlflow()
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (library.exceptions.MlflowException, SQLAlchemyError, OSError, ImportError) as error:
        text = " ".join(str(error).split())
        if "Max retries exceeded" in text:
            text = "the server does not answer"
        shortened = text if len(text) < 300 else f"{text[:300]} …"
        message = f"MLflow at {library.get_tracking_uri()}: {shortened}"
        raise UserError(re.sub(r"//[^/\s]*@", "//***@", message)) from error
