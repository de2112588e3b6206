"""Fixtures: real MLflow stores, all on the loopback interface."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking import server
from online_rnnlm.tracking.stores import prepare, store_for
from tests.forking import Forks
from tests.unit.tracking.gate import Gate
from tests.waiting import wait_until

GENERATOR = Path(__file__).parents[1] / "analysis" / "fake_experiment.py"
PASSWORD = "open-sesame"
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def fake() -> SimpleNamespace:
    """The functions that write invented experiments, by default with few runs to save time."""
    made = SimpleNamespace(**runpy.run_path(str(GENERATOR)))
    made.ROWS[:] = [(100, 0), (100, 20), (100, 35)]
    return made


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, made once because MLflow takes seconds to make it."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("empty"))
    prepare(store_for(directory, None))
    return directory.store


@pytest.fixture
def directory(fake: SimpleNamespace, tmp_path: Path, empty_store: Path) -> ExperimentDirectory:
    """An experiment with a unique name, as tests share the servers; its own store is empty."""
    path = tmp_path / f"invented{uuid4().hex[:6]}"
    made: ExperimentDirectory = fake.write(path, fake.experiment())
    made.report.write_text("<p>one</p>")
    shutil.copy(empty_store, made.store)
    return made


@dataclass(frozen=True)
class Server:
    """An MLflow server."""

    port: int

    @property
    def uri(self) -> str:
        return server.address(self.port)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a separate PostgreSQL server, not as root, which it refuses; yield its address.

    Its password is in the environment.
    """
    programs = POSTGRESQL[-1].parent
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="online-rnnlm-postgresql-"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)
    data, port = folder / "data", server.free_port()
    subprocess.run(
        [programs / "initdb", "--pgdata", data, "--username", "runner", "--auth", "scram-sha-256",
         "--pwfile", secret, "--no-sync", "--locale", "C", "--encoding", "UTF8"],
        check=True, capture_output=True, user=user, cwd=folder,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-h", server.HOST, "-p", str(port), "-k", folder,
             "-c", "fsync=off"],
            stdout=log, stderr=log, user=user, cwd=folder,
        )  # fmt: skip
    try:
        wait_until(
            lambda: "ready to accept connections" in (folder / "log").read_text(), "PostgreSQL"
        )
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PGPASSWORD", PASSWORD)
            yield f"postgresql://runner@{server.HOST}:{port}/postgres"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(backend: str, folder: Path) -> Iterator[Server]:
    port = server.free_port()
    command = server.team_command(port, backend, folder / "artifacts")
    with server.running(command, port, folder / "server.log"):
        yield Server(port)


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sqlite-server")
    with serving(f"sqlite:///{folder}/mlflow.db", folder) as made:
        yield made


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    if not POSTGRESQL:
        pytest.skip("postgresql is not installed")
    with postgresql() as uri:
        yield uri


@pytest.fixture(scope="session")
def postgresql_server(
    postgresql_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(postgresql_uri, tmp_path_factory.mktemp("postgresql-server")) as made:
        yield made


STORES = ["own", "sqlite_server", "postgresql_server"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str | None:
    """Each kind of store: the experiment's own, and a server for each kind of database."""
    if request.param == "own":
        return None
    made: Server = request.getfixturevalue(request.param)
    return made.uri


@pytest.fixture
def gate(sqlite_server: Server) -> Iterator[Gate]:
    """A gate before the server that a test can shut."""
    made = Gate(sqlite_server.port)
    yield made
    made.shut()


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Forks of a process that has loaded MLflow without any output."""
    said = tmp_path_factory.mktemp("forks") / "said"
    made = Forks(["tests.unit.tracking.in_forks"], os.environ, said)
    made.call("online_rnnlm.tracking.library:mlflow")
    assert said.read_bytes() == b""
    yield made
    made.close()
