"""MLflow with this project's settings, and its errors in one line."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from online_rnnlm.errors import UserError, needing_packages

STORE = "MLFLOW_TRACKING_URI"
"""MLflow's variable with the address of a server or database."""
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # The standard output is for MLflow's ids of runs.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # By default a job would wait for minutes for a server that is away. What it could not enter,
    # the next start enters.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "PGCONNECT_TIMEOUT": "10",
    # Otherwise a server starts ten processes of 240 MB each.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
"""The variables of MLflow, and of PostgreSQL's library, that this project sets where a user has not
set them."""
_DATABASES = ("postgresql", "mysql", "mssql")
"""Beginnings of the addresses of MLflow's stores that are databases on a server."""


def mlflow() -> Any:
    """Import MLflow with this project's settings; the first call takes seconds.

    Raises UserError if it is not installed.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    with needing_packages():
        import mlflow as library  # noqa: PLC0415
    # They raise their errors, too; MLflow also logs the traceback of a database's.
    for talkative in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="mlflow")
    return library


class StoreError(UserError):
    """The error that a store of MLflow cannot be used, at least not now."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn the errors of MLflow and its databases into StoreError: one line, without passwords."""
    library = mlflow()
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    address = os.environ.get(STORE, "")
    try:
        # MLflow itself would try ten times, for two minutes, and has no setting for that.
        if address.startswith(_DATABASES):
            create_engine(address, poolclass=NullPool).connect().close()
        yield
    except (library.exceptions.MlflowException, SQLAlchemyError, OSError, ImportError) as error:
        text = " ".join(str(error).partition("[SQL: ")[0].split())
        if "Max retries exceeded" in text:
            text = "the server does not answer"
        shortened = text if len(text) < 300 else f"{text[:300]} …"
        message = f"MLflow at {address or library.get_tracking_uri()}: {shortened}"
        raise StoreError(re.sub(r"//[^/\s]*@", "//***@", message)) from error
