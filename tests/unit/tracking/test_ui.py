"""Tests of `ui`: MLflow's own server, as a user starts and ends it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from urllib.error import HTTPError

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.tracking import server as tracking_server
from online_rnnlm.tracking.server import HOST, address, serve
from online_rnnlm.tracking.synchronisation import Tracked
from tests.waiting import PATIENCE, answers, free_port, heeding_interrupts, wait_until

pytestmark = [
    pytest.mark.slow,  # a real server of MLflow
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]


def fetch(page: str, **headers: str) -> bytes:
    request = urllib.request.Request(page, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def test_the_interface_shows_the_store_until_it_is_told_to_end(directory, tmp_path):
    port, said = free_port(), tmp_path / "said"
    command = [sys.executable, "-m", "online_rnnlm", "ui", str(directory.path), "--port"]
    with said.open("wb") as out:
        process = subprocess.Popen(
            heeding_interrupts([*command, str(port)]), stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: answers(f"{address(port)}/health"), said.read_text)

        summary = records.read(Tracked, directory.tracked).runs["summary of invented"]
        shown = fetch(f"{address(port)}/ajax-api/2.0/mlflow/runs/get?run_id={summary}")
        assert json.loads(shown)["run"]["info"]["status"] == "FINISHED"
        page = f"{address(port)}/get-artifact?path=report.html&run_uuid={summary}"
        assert fetch(page) == directory.report.read_bytes()
        lines = said.read_text().splitlines()
        assert [line.partition(f"{address(port)}/#/experiments/")[1] != "" for line in lines] == [
            *(True, True, True, False)  # the views, and how to end it: nothing of MLflow's own
        ]
        # A page of another site could reach the server by a name that means this machine.
        with pytest.raises(HTTPError) as refused:
            fetch(f"{address(port)}/", Host="elsewhere.example")
        with refused.value as answer:
            assert answer.code == 403
    finally:
        for _ in range(2):  # Ctrl-C
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert len(said.read_text().splitlines()) == len(lines)


def test_a_port_in_use_and_a_server_that_ends_are_one_line(directory, monkeypatch, tmp_path):
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"^port {port}: .*choose another one"):
            serve(directory, port)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(UserError, match="server has ended with status 3"):
        tracking_server._run(["sh", "-c", "exit 3"], tmp_path / "log")
