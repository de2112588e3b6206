"""Tests of the processes beside Snakemake."""

import os
import sys
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.config import loading
from online_rnnlm.pipeline.companions import Companions
from online_rnnlm.process.stop_signals import PARENT
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.waiting import wait_until

VALUES = {
    "experiment": "watched",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}],
}


@pytest.mark.parametrize(
    ("trains_here", "given"),
    [(True, "compile --config results/watched/config.json"), (False, None)],
)
def test_ctrl_c_does_not_reach_them_and_they_end_with_their_parent(
    tmp_path, monkeypatch, trains_here, given
):
    """Python is a program that writes down what it is given, and goes on."""
    said = tmp_path / "said"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$$ ${PARENT} $PYTHONPATH $*" > {tmp_path}/written\n'
                      f"mv {tmp_path}/written {said}\nexec sleep 600\n")  # fmt: skip
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PYTHONPATH", "/modules/of/the/site")
    companions = Companions(loading.parse(VALUES), ExperimentDirectory(Path("results/watched")))
    companions.start(trains_here=trains_here)
    try:
        if not given:
            assert not said.exists()
            return
        wait_until(said.is_file, "the process has begun")
        process, parent, places, *arguments = said.read_text().split()
        package = str(Path(online_rnnlm.__file__).parents[1])
        assert places.split(":") == [package, "/modules/of/the/site"]
        assert os.getpgid(int(process)) == int(process)
        assert int(parent) == os.getpid()
        assert arguments == ["-m", "online_rnnlm", *given.split()]
    finally:
        companions.stop()
