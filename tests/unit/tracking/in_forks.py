"""Functions that tests of tracking call in separate processes."""

import os
import signal
from pathlib import Path
from typing import Any

from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking import ledger, models, server
from online_rnnlm.tracking.synchronisation import synchronise


def enter(path: str, uri: str | None, moment: str | None = None) -> None:
    """Synchronise; be killed at the second call of the method `moment`, if one is named."""
    if moment:
        _die_at(moment)
    synchronise(ExperimentDirectory(Path(path)), uri)


def look(path: str) -> None:
    """Run `ui`, but print the command of MLflow's server instead of running that server."""
    server.run_until_told = lambda command: print(*command)
    server.serve(ExperimentDirectory(Path(path)), server.free_port())


def _die_at(moment: str) -> None:
    owner = next(kind for kind in (ledger.Ledger, models.Models) if hasattr(kind, moment))
    whole, calls = getattr(owner, moment), []

    def fatal(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*arguments)

    setattr(owner, moment, fatal)


def make_old_database(path: str) -> None:
    """Make a database in the format of a two-year-old MLflow."""
    import sqlalchemy  # noqa: PLC0415
    from alembic import command  # noqa: PLC0415
    from mlflow.store.db.utils import InitialBase, _get_alembic_config  # noqa: PLC0415

    InitialBase.metadata.create_all(sqlalchemy.create_engine(f"sqlite:///{path}"))
    command.upgrade(_get_alembic_config(f"sqlite:///{path}"), "7d34483879f0")
