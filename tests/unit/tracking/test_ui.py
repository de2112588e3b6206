"""A test of `ui`: MLflow's own server, as a user starts and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from urllib.error import HTTPError

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import STORE
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.experiments import enter_summary
from online_rnnlm.tracking.server import HOST, serve
from online_rnnlm.tracking.store import open_store
from tests.processes import PATIENCE, answers, free_port, heeding_interrupts, output_of, wait_until

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own warnings


def fetch(page: str, **headers: str) -> bytes:
    request = urllib.request.Request(page, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return bytes(answer.read())


@pytest.mark.slow  # a real server of MLflow
def test_the_interface_shows_the_store_until_it_is_told_to_end(directory, tmp_path):
    experiment_id = open_store(directory)
    summary = enter_summary(directory, experiment_id)
    port = free_port()
    said = tmp_path / "said"
    command = [sys.executable, "-m", "online_rnnlm", "ui", str(directory.path), "--port", str(port)]
    with said.open("wb") as out:
        process = subprocess.Popen(
            heeding_interrupts(command), stdout=out, stderr=out, start_new_session=True
        )
    server = f"http://{HOST}:{port}"
    try:
        wait_until(lambda: said.read_text().endswith("\n") or process.poll(), said.read_text)
        assert answers(f"{server}/health")  # as soon as the link is printed
        assert f"{server}/#/experiments/{experiment_id}/" in said.read_text()
        page = f"{server}/get-artifact?path=report.html&run_uuid={summary}"
        assert fetch(page) == directory.report.read_bytes()
        # A page of another site could reach the server by a name that means this machine.
        with pytest.raises(HTTPError) as refused:
            fetch(f"{server}/", Host="elsewhere.example")
        with refused.value as answer:
            assert answer.code == 403
        another = output_of(command)  # at the same port
        assert another.returncode == 1
        assert another.stdout == "" and f"port {port}: is in use" in another.stderr
    finally:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        assert process.wait(PATIENCE) == 0
    assert said.read_text().endswith("\nCtrl-C ends it.\n")


def test_without_a_store_it_says_what_to_do(directory):
    directory.store.unlink()
    with pytest.raises(UserError, match=r"missing: `online-rnnlm track .*` enters the runs"):
        serve(directory, 5000)


def test_runs_of_a_folder_that_was_moved_are_not_entered_beside_its_old_files(
    directory, tmp_path, monkeypatch
):
    """MLflow keeps whole paths: the files of a run would go to the folder's old place."""
    open_store(directory)
    here = ExperimentDirectory(tmp_path / "elsewhere" / directory.path.name)
    here.path.parent.mkdir()
    directory.path.rename(here.path)
    monkeypatch.setenv(STORE, "")  # MLflow has set it
    with pytest.raises(UserError, match=r"were in .*: delete it, and start the experiment again"):
        open_store(here)
