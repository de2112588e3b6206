"""Tests that a workflow killed at any moment goes on when it is started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.outcome import outcome
from tests.processes import PATIENCE, wait_until
from tests.project import ROOT, copy_project, own_text

RUNS = "results/killed/runs"
KEPT = "What has finished is kept: the same command goes on from there."
MAKE = (
    *("make", "-f", str(ROOT / "Makefile"), "reproduce", "CONFIG=config/test.yaml", "CORES=1"),
    *("INSTALL=true", f"VENV={sys.prefix}"),
)


def _training(project):
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

    def finish(self) -> None:
        """Run Snakemake, which must succeed."""
        self.project.succeed(*self.options, *self.targets)

    @contextlib.contextmanager
    def training(self, *make: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
        """Start Snakemake, or `make`; yield its process and the id of the long training's process.

        The training has written a checkpoint and is paused until the end of the block, so that it
        cannot finish before the test disturbs it.
        """
        checkpoint = self.run / "checkpoint.npz"
        before = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else None
        command = [*make] or self.project.command(*self.options, *self.targets)
        process = self.project.start_command(command)

        def written() -> bool:
            assert process.poll() is None, process.communicate()[0]
            return checkpoint.is_file() and checkpoint.stat().st_mtime_ns != before

        wait_until(written, "a checkpoint")
        job = self.project.wait_for_job("train")
        os.kill(job, signal.SIGSTOP)
        try:
            yield process, job
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(job, signal.SIGCONT)

    def unlock(self) -> None:
        """Do as Snakemake says after it was killed."""
        done = self.project.snakemake(*self.options, *self.targets)
        assert done.returncode != 0 and "--unlock" in done.stderr
        self.project.succeed(*self.options, "--unlock")

    def log(self) -> str:
        """Return the log of the long training over all starts."""
        return (self.run / "train.log").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Trained:
    project = copy_project(tmp_path_factory.mktemp("killed") / "project")
    file = _training(project)
    runs = project.runs(file)
    made = Trained(project, ("--cores", "1", "--configfile", file), (runs[0], runs[1]))
    made.finish()
    return replace(made, bits=outcome(made.run))


def _ended(process: subprocess.Popen[str]) -> str:
    """Wait until Snakemake has ended, which must be with an error in few words; return them."""
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    assert "Traceback" not in said
    return said


def test_a_training_that_is_interrupted_in_many_ways_ends_with_the_same_bits(trained):
    quick = trained.project.path / RUNS / trained.runs[0] / "result.json"
    finished = quick.read_bytes()
    shutil.rmtree(trained.run)
    for command in (MAKE, ()):
        with trained.training(*command) as (process, _):
            os.killpg(process.pid, signal.SIGINT)  # Ctrl-C
        said = _ended(process)
        assert "Exception" not in said and "Error" not in said
        assert said.strip().endswith("\n" + KEPT)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with trained.training() as (process, _):
            os.killpg(process.pid, number)
        _ended(process)
    trained.unlock()
    with trained.training() as (process, job):
        os.kill(job, signal.SIGKILL)
    said = _ended(process)
    assert "Error in rule train" in said and f"logs/train/{trained.runs[1]}.log" in said
    trained.finish()
    assert outcome(trained.run) == trained.bits
    assert trained.log().count("goes on after epoch") == 5
    assert quick.read_bytes() == finished
    assert not trained.project.processes()


def test_a_training_outlives_its_killed_snakemake_and_the_next_one_waits_for_it(trained):
    shutil.rmtree(trained.run)
    arguments = (*trained.options, *trained.targets)
    with trained.training() as (process, job):
        second = trained.project.snakemake(*arguments)
        assert second.returncode != 0 and "LockException" in second.stderr
        trained.project.succeed("-n", *arguments)
        # Another experiment may run beside it. Snakemake (9.27) then removes all locks at its end.
        another = ("--config", "experiment=another", "--until", "fetch")
        trained.project.succeed(*trained.options, *another)
        process.kill()
        process.wait(PATIENCE)
        following = trained.project.start(*arguments)
        trained.project.wait_for_job("train", beside=job)
    said = following.communicate(timeout=PATIENCE)[0]
    assert following.returncode == 0, said
    process.communicate(timeout=PATIENCE)
    assert outcome(trained.run) == trained.bits
    assert "goes on after epoch" not in trained.log()


def test_a_snakemake_that_is_told_to_end_waits_for_its_training(trained):
    shutil.rmtree(trained.run)
    with trained.training() as (process, _):
        process.terminate()
    said = _ended(process)
    assert "Will exit after finishing currently running jobs" in said and "memory" not in said
    assert outcome(trained.run) == trained.bits
    assert "goes on after epoch" not in trained.log()


def test_a_job_killed_between_its_outputs_leaves_nothing_half_written(project):
    file = _training(project)
    arguments = ("--cores", "1", "--until", "encode", "--configfile", file)
    corpus = (
        project.path / "results/killed/corpora" / project.experiment(file).digits.folder_of("own")
    )
    process = project.start(*arguments)
    array = corpus / "train.npy"

    def written() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return array.is_file() and array.stat().st_size > 0

    wait_until(written, str(array))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    project.succeed(*arguments, "--unlock")
    project.succeed(*arguments)
    lines = (corpus / "train.txt").read_text(encoding="utf-8")
    assert lines == (project.path / "train.txt").read_text(encoding="utf-8")
