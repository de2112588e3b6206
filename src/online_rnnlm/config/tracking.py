"""The settings of MLflow."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from pydantic import (
    Field,
    field_validator,
)

from online_rnnlm.config.base import Settings

SQLITE = "sqlite:///"
"""The beginning of the address of a database's file."""
_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql")


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
    def _is_an_address(cls, store: str | None) -> str | None:
        if store:  # an empty text is the experiment's own store, as `null` is
            scheme_of(store)
        return store

    @field_validator("store")
    @classmethod
    def _has_no_password(cls, store: str | None) -> str | None:
        if store is not None and urlsplit(store).password:
            raise ValueError("leave the password out: MLFLOW_TRACKING_PASSWORD has a place for it")
        return store


def scheme_of(address: str) -> str:
    """Return the scheme of a store's address without the driver, such as `sqlite`.

    Raises ValueError for an address that MLflow does not support.
    """
    with suppress(ValueError):  # a host or a port that cannot be read
        parts = urlsplit(address)
        scheme, host, _ = parts.scheme.partition("+")[0], parts.hostname, parts.port
        whole = {"http": bool(host), "https": bool(host), "sqlite": address.startswith(SQLITE)}
        if scheme in _SCHEMES and whole.get(scheme, True):
            return scheme
    raise ValueError(
        "not an address of MLflow's; allowed: http://…, https://…, sqlite:///FILE, postgresql://…"
    )
