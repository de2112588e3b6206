"""Tests that a workflow killed at any moment goes on when it is started again."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.outcome import outcome
from tests.waiting import PATIENCE, wait_until

RUNS = "results/killed/runs"


def _wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a file is not empty."""

    def there() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return path.is_file() and path.stat().st_size > 0

    wait_until(there, str(path))


def _training(project, own_text):
    """Configure a quick run and a run that takes a while."""
    return project.configure(
        experiment="killed",
        corpora={"own": own_text(project, train_sentences=1000)},
        training={"improvement_factor": 1.0, "batch_sentences": 1},
        rows=[
            {"hidden_size": 8, "max_epochs": 1},
            {"hidden_size": 32, "document_size": 4, "max_epochs": 15, "learning_rate": 0.01},
        ],
    )


@dataclass(frozen=True)
class Trained:
    """A project with a finished quick run, and the outcome of the other run when undisturbed."""

    project: Any
    options: tuple[str, ...]
    runs: tuple[str, str]
    """The quick run and the other one."""
    bits: tuple[bytes, list[dict[str, Any]]] | None = None

    @property
    def run(self) -> Path:
        return self.project.path / RUNS / self.runs[1]

    @property
    def targets(self) -> list[str]:
        return ["--", *(f"{RUNS}/{run}/result.json" for run in self.runs)]

    def finish(self) -> str:
        """Run Snakemake, which must succeed; return its output."""
        return self.project.succeed(*self.options, *self.targets)

    @contextlib.contextmanager
    def begun_anew(self) -> Iterator[tuple[subprocess.Popen[str], int]]:
        """Delete the long run and start Snakemake; yield its process and the training job's id.

        The job has trained for a while and is paused until the end of the block, so that it cannot
        finish before the test disturbs it.
        """
        shutil.rmtree(self.run)
        process = self.project.start(*self.options, *self.targets)
        _wait_for(self.run / "kept" / "state.npz", process)
        job = self.project.wait_for_job("train")
        os.kill(job, signal.SIGSTOP)
        try:
            yield process, job
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(job, signal.SIGCONT)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, copy_of_project, own_text) -> Trained:
    project = copy_of_project(tmp_path_factory.mktemp("killed") / "project")
    file = _training(project, own_text)
    runs = project.runs(file)
    made = Trained(project, ("--cores", "1", "--configfile", file), (runs[0], runs[1]))
    made.finish()
    return replace(made, bits=outcome(made.run))


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
    quick = trained.project.path / RUNS / trained.runs[0] / "result.json"
    finished = quick.read_bytes()
    with trained.begun_anew() as (process, job):
        if how == "kill -9 of Snakemake alone":
            process.kill()
        elif how == "SIGTERM to the training alone":
            os.kill(job, signal.SIGTERM)
        else:
            number = {"Ctrl-C": signal.SIGINT, "kill -9": signal.SIGKILL}.get(how, signal.SIGTERM)
            os.killpg(process.pid, number)
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not (trained.run / "result.json").exists()

    trained.finish()
    assert outcome(trained.run) == trained.bits
    assert "goes on after epoch" in (trained.run / "train.log").read_text(encoding="utf-8")
    assert quick.read_bytes() == finished
    assert not trained.project.processes()
    assert "Nothing to be done" in trained.finish()


def _is_ending(trained) -> bool:
    """True if the Snakemake that was started last has noted a Ctrl-C."""
    logs = trained.project.path.glob(".snakemake/log/*.snakemake.log")
    last = max(logs, key=lambda log: log.stat().st_mtime_ns)
    return "Terminating processes" in last.read_text(encoding="utf-8")


def _has_ended(process: subprocess.Popen[str]) -> bool:
    """Press Ctrl-C once more, unless Snakemake has ended; return whether it has."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    return process.poll() is not None


@pytest.mark.parametrize("times", [2, 3])
def test_ctrl_c_again_and_again_is_quiet(trained, times):
    """The job is paused, so Snakemake waits for it when the second Ctrl-C comes."""
    with trained.begun_anew() as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        wait_until(lambda: _is_ending(trained), "the first Ctrl-C is noted")
        os.killpg(process.pid, signal.SIGINT)
        if times == 3:  # then it no longer waits for the job; two at once count as one
            wait_until(lambda: _has_ended(process), "Snakemake has ended")
            assert process.returncode == 130
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    assert "Traceback" not in said and "event loop" not in said
    wait_until(lambda: not trained.project.processes(), "all processes end")
    # The process that enters runs into MLflow is killed with Snakemake, whatever it is writing.
    assert not list(trained.run.rglob("*.tmp"))
    trained.finish()
    assert outcome(trained.run) == trained.bits


def test_what_a_killed_snakemake_has_started_ends_by_itself(trained):
    with trained.begun_anew() as (process, _):
        process.kill()
    process.communicate(timeout=PATIENCE)
    wait_until(lambda: not trained.project.processes(), "all processes end")
    assert "stopped by SIGTERM" in (trained.run / "train.log").read_text(encoding="utf-8")


def test_a_killed_job_is_named_at_the_end(trained):
    with trained.begun_anew() as (process, job):
        os.kill(job, signal.SIGKILL)
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    [error] = [line for line in said.splitlines() if line.startswith("online-rnnlm: error: ")]
    assert error.startswith("online-rnnlm: error: train: the job was killed") and "memory" in error
    trained.finish()
    assert outcome(trained.run) == trained.bits


def test_a_second_snakemake_says_so_and_leaves_the_first_alone(trained):
    arguments = (*trained.options, *trained.targets)
    with trained.begun_anew() as (process, _):
        second = trained.project.snakemake(*arguments)
        dry = trained.project.snakemake("-n", "--rerun-incomplete", *arguments)
    process.communicate(timeout=PATIENCE)
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
    _wait_for(project.path / "results/killed/corpora/own/train.npy", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
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
