"""Tests of stores and files that are refused or that can only be read."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Tracked
from online_rnnlm.tracking import synchronisation
from online_rnnlm.tracking.links import is_writable, linked
from online_rnnlm.tracking.server import HOST, run_until_told, serve
from online_rnnlm.tracking.stores import prepare, store_for
from online_rnnlm.tracking.synchronisation import synchronise, watch
from tests.forking import ROOT
from tests.waiting import PATIENCE, wait_until

pytestmark = [
    pytest.mark.slow,  # MLflow takes seconds to import
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

RUN = "invented-M100-D20-seed1"
# Root can write to any file unless it gives up that capability.
AS_OTHERS = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []


def as_others(code: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process that may write only to what its user's permissions allow."""
    return subprocess.run(
        [*AS_OTHERS, sys.executable, "-c", f"from tests.unit.tracking.in_forks import *; {code}"],
        cwd=ROOT,
        env=os.environ | {"XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


def forbid_writing(directory: ExperimentDirectory, mode: int = 0o555) -> None:
    for path in [directory.path, *directory.path.rglob("*")]:
        path.chmod(mode)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("damage", ["another file", "empty", "truncated"])
def test_a_broken_store_is_named(directory: ExperimentDirectory, damage: str) -> None:
    whole = directory.store.read_bytes()
    contents = {"another file": b"no database, " * 99, "empty": b"", "truncated": whole[:4096]}
    directory.store.write_bytes(contents[damage])
    with pytest.raises(UserError, match=f"^{directory.store}: .*delete it"):
        synchronise(directory)


def test_a_store_that_another_program_holds_is_not_to_be_deleted(
    directory: ExperimentDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = directory.store.read_bytes()
    with closing(sqlite3.connect(directory.store, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0))
        with pytest.raises(UserError, match=f"^{directory.store}: .*another program") as error:
            prepare(store_for(directory, None))
    assert "delete" not in str(error.value)
    assert directory.store.read_bytes() == whole


# Writes to a database, and is killed when half of it is in the file and half in the journal.
KILLED_WRITER = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("CREATE TABLE half_done (text)")
connection.executemany("INSERT INTO half_done VALUES (?)", [["x" * 4000]] * 200)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("deleted", [False, True])
def test_a_writer_that_was_killed_leaves_a_store_that_can_be_used(
    directory: ExperimentDirectory, deleted: bool
) -> None:
    synchronise(directory)
    writer = subprocess.run([sys.executable, "-c", KILLED_WRITER, directory.store], check=False)
    assert writer.returncode == -signal.SIGKILL
    assert directory.store.with_name(f"{directory.store.name}-journal").is_file()
    if deleted:
        directory.store.unlink()
    synchronise(directory)
    with closing(sqlite3.connect(directory.store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "runs" in names and "half_done" not in names


def test_without_locks_of_files_it_is_one_process_alone(
    directory: ExperimentDirectory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    synchronise(directory)
    assert "cannot be locked" in caplog.text


def test_a_folder_in_the_place_of_the_store_is_named(directory: ExperimentDirectory) -> None:
    directory.store.unlink()
    directory.store.mkdir()
    with pytest.raises(UserError, match=f"{directory.store}: "):
        synchronise(directory)


def test_a_port_in_use_is_named(directory: ExperimentDirectory) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"^port {port}: .*choose another one"):
            serve(directory, port)


def test_ctrl_c_ends_the_server_quietly(tmp_path: Path) -> None:
    """The server is a shell that says which signals it has received."""
    said = tmp_path / "said"
    server = f"exec 2> /dev/null; trap 'echo SIGINT >> {said}' INT; "
    server += f"trap 'echo SIGTERM >> {said}; exit 1' TERM; "
    server += f"echo ready >> {said}; while true; do sleep 0.1; done"
    code = f"from online_rnnlm.tracking.server import *; run_until_told(['sh', '-c', {server!r}])"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True
    )
    wait_until(said.is_file, "the server has begun")
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=PATIENCE) == (None, b"")
    assert process.returncode == 0
    assert set(said.read_text().split()) == {"ready", "SIGTERM"}


def test_a_server_that_ends_by_itself_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    with pytest.raises(UserError, match="server has ended with status 3"):
        run_until_told(["sh", "-c", "exit 3"])


def test_a_store_that_can_only_be_read_is_said_in_one_line(
    directory: ExperimentDirectory, tmp_path: Path
) -> None:
    store = tmp_path / "others" / "team.db"
    found = synchronise(directory, f"sqlite:///{store}").runs
    with store_for(directory, f"sqlite:///{store}").client() as client:
        assert client.get_run(found[RUN]).data.metrics["test_perplexity"] > 0
    directory.report.write_text("<p>two</p>")
    before = store.read_bytes()
    store.chmod(0o444)
    store.parent.chmod(0o555)
    done = as_others(f"enter({str(directory.path)!r}, 'sqlite:///{store}')", tmp_path)
    store.parent.chmod(0o755)
    assert done.returncode != 0
    *trace, error = done.stderr.splitlines()
    assert f"MLflow at sqlite:///{store}: it can only be read" in error
    assert "ERROR" not in "".join(trace)  # as MLflow logs errors before it raises them
    assert store.read_bytes() == before


def test_results_that_can_only_be_read_can_be_looked_at(
    directory: ExperimentDirectory, tmp_path: Path
) -> None:
    before = contents(directory.path)
    forbid_writing(directory)
    done = as_others(f"look({str(directory.path)!r})", tmp_path / "cache")
    forbid_writing(directory, 0o755)
    assert done.returncode == 0, done.stderr
    assert contents(directory.path) == before
    [shown] = (tmp_path / "cache").rglob(directory.path.name)
    assert f"{directory.path}: can only be read" in done.stdout
    assert f"--backend-store-uri sqlite:///{shown}/mlflow.db" in done.stdout
    found = records.read(Tracked, ExperimentDirectory(shown).tracked).runs
    with store_for(ExperimentDirectory(shown), None).client() as client:
        assert client.get_run(found[RUN]).data.metrics["test_perplexity"] > 0
        assert client.get_run(found["summary of invented"]).info.status == "FINISHED"


def test_links_are_those_of_the_results_as_they_are_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    for name in ("runs", "tables", "mlartifacts", "tracking"):
        (directory.path / name).mkdir(parents=True)
    directory.store.write_bytes(b"a database")
    assert is_writable(directory)
    one = linked(directory)
    assert {path.name for path in one.path.iterdir()} == {"runs", "tables"}
    one.store.write_bytes(b"its own")
    (directory.path / "tables").rmdir()
    directory.report.write_text("a page")
    other = linked(ExperimentDirectory(directory.path / "runs" / ".."))
    assert other == one
    assert {path.name for path in one.path.iterdir()} == {"runs", "report.html", "mlflow.db"}
    assert other.report.read_text() == "a page" and directory.store.read_bytes() == b"a database"
    (tmp_path / "cache").rename(tmp_path / "moved")
    (tmp_path / "cache").write_text("no folder")  # so that the cache cannot be written
    elsewhere = linked(directory)
    assert elsewhere.path.name == "some" and elsewhere.report.read_text() == "a page"


@pytest.mark.parametrize(
    "wrong",
    [
        *("ftp://somewhere", "sqlite://mlflow.db", "mlruns", "", "sqlite", "//host"),
        *(
            "http://",
            "https:///path",
            "http://[::1",
            "http://host:port",
            "http://host:99999",
            "sqlite:///",
        ),
    ],
)
def test_an_address_that_is_none_is_refused(directory: ExperimentDirectory, wrong: str) -> None:
    with pytest.raises(UserError, match=r"^--store: not an address.*http://HOST"):
        synchronise(directory, wrong)


@pytest.mark.parametrize("uri", ["sqlite:///{folder}", "mysql://host/database"])
def test_a_store_that_cannot_be_one_is_refused(
    directory: ExperimentDirectory, tmp_path: Path, uri: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(UserError, match=r"is a directory|driver .* is not installed"):
        synchronise(directory, uri.format(folder=folder))
    assert not (tmp_path / "mlartifacts").exists()


@pytest.mark.parametrize(
    "file", ["config.json", f"runs/{RUN}/run.json", f"runs/{RUN}/metrics.jsonl"]
)
def test_a_damaged_file_is_named(directory: ExperimentDirectory, file: str) -> None:
    path = directory.path / file
    path.write_bytes(b"z" + path.read_bytes()[1:])
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}"):
        synchronise(directory)


def test_a_watcher_outlives_a_damaged_file(
    directory: ExperimentDirectory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = directory.run(RUN).metrics
    whole = metrics.read_bytes()
    metrics.write_bytes(b"z" + whole[1:])
    naps: list[float] = []

    def nap(seconds: float) -> None:
        """Mend the file in the first pause; end the parent in the second."""
        naps.append(seconds)
        metrics.write_bytes(whole)

    parents = iter([7, 7, 7, 1])
    monkeypatch.setattr(synchronisation.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(synchronisation.os, "nice", lambda _: 0)
    monkeypatch.setattr(synchronisation.time, "sleep", nap)
    watch(directory, None, 5.0)
    assert naps == [5.0, 5.0]
    assert str(metrics) in caplog.text
    assert RUN in records.read(Tracked, directory.tracked).runs
