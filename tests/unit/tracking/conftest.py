"""Fixtures: an invented experiment, and real MLflow stores on the loopback interface."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.process.mlflow_library import SETTINGS, STORE, mlflow
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.server import HOST
from online_rnnlm.tracking.store import own_store
from tests.processes import answers, free_port, output_of, wait_until
from tests.unit.analysis import fake_experiment
from tests.unit.tracking.two_networks import experiment

PASSWORD = "open-sesame"
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented experiment with a report, and a store without an experiment.

    MLflow takes seconds to make a store.
    """
    described = experiment()
    path = tmp_path_factory.mktemp("invented") / "original"
    made = fake_experiment.write(path, described, {"120/0": 90.0, "100/20": 80.0})
    write_claims(made)
    made.report.write_text("<p>one</p>")
    made.summary.write_text("100/20 is better\n")
    for file in (made.table("perplexity", "md"), made.figure("learning_curves", "svg")):
        file.parent.mkdir()
        file.write_text(file.name)
    assert mlflow().MlflowClient(own_store(made)).get_experiment_by_name("original") is None
    return path


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> ExperimentDirectory:
    """A copy of it with a name of its own, as tests share the servers."""
    copy = tmp_path / f"invented{uuid4().hex[:6]}"
    shutil.copytree(original, copy)
    return ExperimentDirectory(copy)


@pytest.fixture(scope="session")
def postgresql_store() -> Iterator[str]:
    """The address of a PostgreSQL server, which refuses to run as root.

    Its password is in the environment.
    """
    if not POSTGRESQL:
        pytest.skip("postgresql is not installed")
    programs = POSTGRESQL[-1].parent
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="online-rnnlm-postgresql-"))
    secret, data, log = (folder / name for name in ("password", "data", "log"))
    secret.write_text(PASSWORD)
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)
    make = [programs / "initdb", "--pgdata", data, "--username", "runner", "--pwfile", secret]
    make += ["--auth", "scram-sha-256", "--no-sync", "--locale", "C", "--encoding", "UTF8"]
    output_of(make, check=True, user=user, cwd=folder)
    start = [programs / "postgres", "-D", data, "-h", HOST, "-p", str(port), "-k", folder]
    start += ["-c", "fsync=off"]
    with log.open("wb") as said:
        process = subprocess.Popen(start, stdout=said, stderr=said, user=user, cwd=folder)
    try:
        wait_until(lambda: "ready to accept connections" in log.read_text(), log.read_text)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PGPASSWORD", PASSWORD)
            yield f"postgresql://runner@{HOST}:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)  # it does not wait for MLflow's connections
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a team's server."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(ExperimentDirectory(original).store, folder / "mlflow.db")  # it is empty
    port = free_port()
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)),
        *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]
    with (folder / "log").open("wb") as said:
        process = subprocess.Popen(command, env=os.environ | SETTINGS, stdout=said, stderr=said)
    try:
        wait_until(lambda: answers(f"http://{HOST}:{port}/health"), (folder / "log").read_text)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(autouse=True)
def no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """No store is named at first; MLflow itself sets its variable when it is told of a store."""
    monkeypatch.setenv(STORE, "")


@pytest.fixture(params=["own", "server", "postgresql_store"])
def named_store(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, no_store_is_named: None
) -> None:
    """Each kind of store: the experiment's own, a server, and a database of a server."""
    if request.param != "own":
        monkeypatch.setenv(STORE, str(request.getfixturevalue(request.param)))
