"""Import of MLflow without logs and telemetry, and its errors in one line without passwords."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from online_rnnlm.errors import UserError, needing_packages

# Without the last setting, the server starts ten processes of 240 MB each.
SERVER_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
# MLflow would wait for minutes for a server that does not answer. The process that follows runs
# asks again soon anyway, so each request gives up early.
_CLIENT_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_ATTEMPTS = 8
# MLflow looks up a data set and creates it in two steps. If another process creates it between the
# two, the last two errors occur; like a locked database, they pass.
_PASSING = ("database is locked", "UNIQUE constraint failed", "duplicate key value")
_USER_AND_PASSWORD = re.compile(r"//\S*@")

Result = TypeVar("Result")


def mlflow() -> Any:
    """Import MLflow with this project's settings; the first call takes seconds.

    MLflow reads its settings while it is imported. Raises UserError if it is not installed.
    """
    for name, value in (SERVER_ENVIRONMENT | _CLIENT_ENVIRONMENT).items():
        os.environ.setdefault(name, value)
    with needing_packages():
        import mlflow as library  # noqa: PLC0415

    for logger in ("alembic", "mlflow", "urllib3"):
        # MLflow logs the traceback of every error of a database before it raises the error.
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    return library


def without_password(text: str) -> str:
    """Return the text with user and password in every address replaced by asterisks.

    No store's address has a password, but that of a proxy may have one, and is quoted in errors.
    """
    return _USER_AND_PASSWORD.sub("//***@", text)


@contextmanager
def one_line_errors(store: str) -> Iterator[None]:
    """Turn the errors of MLflow and its databases into UserError: one line that names the store."""
    library = mlflow()
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except (library.exceptions.MlflowException, SQLAlchemyError, OSError, ImportError) as error:
        raise UserError(f"MLflow at {store}: {_what_happened(error)}") from error


def _what_happened(error: Exception) -> str:
    text = without_password(" ".join(str(error).split()))
    for sign, meaning in (
        ("readonly database", "it can only be read"),
        ("database is locked", "the database stayed locked by another program"),
        ("Max retries exceeded", "the server does not answer"),
        ("No module named", "the driver of this kind of database is not installed"),
        ("out-of-date database schema", "made by an older MLflow: back it up, then run "
         "`mlflow db upgrade` with its address"),
    ):  # fmt: skip
        if sign in text:
            return meaning
    return text if len(text) < 300 else f"{text[:300]} …"


def retrying(action: Callable[[], Result]) -> Result:
    """Call `action`, and repeat it if another program interferes.

    That is so while the database is locked, and if the other program has just created the same row.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return action()
        except Exception as error:
            passes = any(sign in str(error) for sign in _PASSING)
            if not passes or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(2.0**attempt / 8)
    raise AssertionError
