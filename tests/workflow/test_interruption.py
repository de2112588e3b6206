"""A run that is killed at any moment is taken up by simply starting again."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.outcome import outcome

RUNS = "results/killed/runs"
DONE, IN_TRAINING = "own-M8-D0-seed1", "own-M32-D4-seed1"


def _wait_for(path, process, seconds=120):
    """Wait until a file has something in it."""
    end = time.monotonic() + seconds
    while not (path.is_file() and path.stat().st_size):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def _training(project, own_text):
    """A configuration of a quick run and of one that goes on for a while."""
    return project.configure(
        experiment="killed",
        corpora={"own": own_text(project, train_sentences=2000)},
        training={"improvement_factor": 1.0, "batch_sentences": 1},
        rows=[
            {"hidden_size": 8, "max_epochs": 1},
            {"hidden_size": 32, "document_size": 4, "max_epochs": 80, "learning_rate": 0.01},
        ],
    )


@dataclass(frozen=True)
class Trained:
    """A project in which the quick run is done, and the bits of the other one, undisturbed."""

    project: Any
    arguments: tuple[str, ...]
    bits: tuple[bytes, list[dict[str, Any]]]

    @property
    def run(self) -> Path:
        return self.project.path / RUNS / IN_TRAINING

    def begin_anew(self) -> subprocess.Popen[str]:
        """Forget the long run; start Snakemake and wait until it has been trained for a while."""
        shutil.rmtree(self.run)
        process = self.project.start(*self.arguments)
        _wait_for(self.run / "checkpoint" / "state.npz", process)
        return process


@pytest.fixture(scope="module")
def trained(tmp_path_factory, copy_of_project, own_text) -> Trained:
    project = copy_of_project(tmp_path_factory.mktemp("killed") / "project")
    targets = [f"{RUNS}/{run}/result.json" for run in (DONE, IN_TRAINING)]
    file = _training(project, own_text)
    arguments = ("--cores", "1", "--configfile", file, "--", *targets)
    project.succeed(*arguments)
    return Trained(project, arguments, outcome(project.path / RUNS / IN_TRAINING))


def _end(process: subprocess.Popen[str], trained: Trained, how: str) -> None:
    if how == "kill -9 of Snakemake alone":
        process.kill()
    elif how == "SIGTERM to the training alone":
        os.kill(trained.project.wait_for_job("train"), signal.SIGTERM)
    else:
        number = {"Ctrl-C": signal.SIGINT, "kill -9": signal.SIGKILL}.get(how, signal.SIGTERM)
        os.killpg(process.pid, number)


@pytest.mark.parametrize(
    "how",
    [
        "Ctrl-C",
        "SIGTERM to all",
        "SIGTERM to the training alone",
        "kill -9",
        "kill -9 of Snakemake alone",
    ],
)
def test_starting_again_finishes_with_the_same_bits(trained, how):
    project, runs = trained.project, trained.project.path / RUNS
    finished = (runs / DONE / "result.json").read_bytes()
    process = trained.begin_anew()
    _end(process, trained, how)
    said = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not (trained.run / "result.json").exists()

    project.succeed(*trained.arguments)
    assert outcome(trained.run) == trained.bits
    assert "goes on after epoch" in (trained.run / "train.log").read_text(encoding="utf-8")
    assert (runs / DONE / "result.json").read_bytes() == finished
    assert not project.processes()
    assert "Nothing to be done" in project.succeed(*trained.arguments)


def test_what_a_killed_snakemake_has_started_ends_by_itself(trained):
    process = trained.begin_anew()
    process.kill()
    process.communicate(timeout=60)
    end = time.monotonic() + 30
    while trained.project.processes() and time.monotonic() < end:
        time.sleep(0.1)
    assert not trained.project.processes()
    assert "stopped by SIGTERM" in (trained.run / "train.log").read_text(encoding="utf-8")


def test_a_second_snakemake_says_so_and_leaves_the_first_alone(trained):
    process = trained.begin_anew()
    job = trained.project.wait_for_job("train")
    os.kill(job, signal.SIGSTOP)  # so that it is not done before the second has started
    try:
        second = trained.project.snakemake(*trained.arguments)
        dry = trained.project.snakemake("-n", "--rerun-incomplete", *trained.arguments)
    finally:
        os.kill(job, signal.SIGCONT)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert outcome(trained.run) == trained.bits
    assert second.returncode != 0
    said = (second.stdout + second.stderr).strip().splitlines()
    errors = [line for line in said if line.startswith("online-rnnlm: error: ")]
    assert len(errors) == 1
    assert f"another Snakemake (process {process.pid})" in errors[0]
    assert not [line for line in said if "LockException" in line or "Traceback" in line]
    assert dry.returncode == 0


def test_a_job_killed_between_its_outputs_leaves_nothing_half_written(project, own_text):
    file = _training(project, own_text)
    target = "results/killed/corpora/own/statistics.json"
    arguments = ("--cores", "1", "--configfile", file, "--", target)
    process = project.start(*arguments)
    _wait_for(project.path / "results/killed/corpora/own/train.tokens.txt", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    project.succeed(*arguments)
    lines = (project.path / "results/killed/corpora/own/train.txt").read_text(encoding="utf-8")
    assert lines == (project.path / "train.txt").read_text(encoding="utf-8")


def test_a_failed_jobs_error_stands_at_the_end(project, own_text):
    file = _training(project, own_text)
    (project.path / "train.txt").write_text("", encoding="utf-8")
    target = "results/killed/corpora/own/statistics.json"
    done = project.snakemake("--cores", "1", "--configfile", file, "--", target)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("online-rnnlm: error")]
    assert "train.txt" in errors[-1]
