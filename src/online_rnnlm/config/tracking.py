"""The settings of MLflow."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from online_rnnlm.config.addresses import why_no_address
from online_rnnlm.config.base import NOT_BOOLEAN, Settings
from online_rnnlm.config.messages import WrongValue

_DAY = 86_400


class TrackingSettings(Settings):
    """The MLflow store and the times of writing to it; no part of a run's identity."""

    store: str | None = None
    """Address of an MLflow server or database, such as `http://localhost:5000`; `null` is
    `results/<experiment>/mlflow.db`. An address with a password is refused: set
    MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment, or PGPASSWORD for
    PostgreSQL."""
    watch_seconds: Annotated[float, Field(ge=0, le=_DAY), NOT_BOOLEAN] = 10.0
    """Shortest time between two updates of MLflow while runs train (s); 0 enters the runs only at
    the end."""

    @field_validator("store")
    @classmethod
    def _is_an_address(cls, store: str | None) -> str | None:
        reason = why_no_address(store) if store else None
        if reason is not None:
            raise WrongValue((), reason)
        return store
