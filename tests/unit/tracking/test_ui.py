"""Tests of what `ui` refuses; `tests/browser/test_mlflow_in_browser.py` starts it."""

from __future__ import annotations

import socket

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import STORE
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.server import HOST, serve
from online_rnnlm.tracking.store import open_store

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own warnings


def test_a_port_that_is_in_use_is_one_line(directory):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"^port {port}: Address already in use: "):
            serve(directory, port)


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
