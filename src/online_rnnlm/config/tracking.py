"""The settings of MLflow."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import (
    Field,
    field_validator,
)

from online_rnnlm.config.base import Settings


class TrackingSettings(Settings):
    """The MLflow store and the times of writing to it; no part of a run's identity."""

    store: str | None = Field(
        default=None,
        description="Address of an MLflow server or database, such as `http://localhost:5000`; "
        "`null` is `results/<experiment>/mlflow.db`. Passwords do not belong here: set "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment.",
    )
    watch_seconds: float = Field(
        default=10.0,
        ge=0,
        description="Shortest time between two updates of MLflow while runs train (s); 0 enters "
        "the runs only at the end.",
    )

    @field_validator("store")
    @classmethod
    def _has_no_password(cls, store: str | None) -> str | None:
        if store is not None and urlsplit(store).password:
            raise ValueError("leave the password out: MLFLOW_TRACKING_PASSWORD has a place for it")
        return store
