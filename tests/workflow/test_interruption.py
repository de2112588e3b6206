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
        _wait_for(self.run / "checkpoint.npz", process)
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
    if how.startswith("kill -9"):
        done = trained.project.snakemake(*trained.options, *trained.targets)
        assert "--unlock" in done.stderr
        trained.project.succeed(*trained.options, "--unlock")

    trained.finish()
    assert outcome(trained.run) == trained.bits
    log = (trained.run / "train.log").read_text(encoding="utf-8")
    # What a killed Snakemake leaves alone trains on, and the next job waits for it.
    assert ("goes on after epoch" in log) == (how != "kill -9 of Snakemake alone")
    assert quick.read_bytes() == finished
    assert not trained.project.processes()
    assert "Nothing to be done" in trained.finish()


def test_a_killed_job_is_named_at_the_end(trained):
    with trained.begun_anew() as (process, job):
        os.kill(job, signal.SIGKILL)
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    assert "Error in rule train" in said and f"logs/train/{trained.runs[1]}.log" in said
    trained.finish()
    assert outcome(trained.run) == trained.bits


def test_a_second_snakemake_says_so_and_leaves_the_first_alone(trained):
    arguments = (*trained.options, *trained.targets)
    with trained.begun_anew() as (process, _):
        second = trained.project.snakemake(*arguments)
        dry = trained.project.snakemake("-n", *arguments)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert outcome(trained.run) == trained.bits
    assert second.returncode != 0 and "LockException" in second.stderr
    assert dry.returncode == 0


def test_a_job_killed_between_its_outputs_leaves_nothing_half_written(project, own_text):
    file = _training(project, own_text)
    arguments = ("--cores", "1", "--until", "encode", "--configfile", file)
    corpus = (
        project.path / "results/killed/corpora" / project.experiment(file).digits.folder_of("own")
    )
    process = project.start(*arguments)
    _wait_for(corpus / "train.npy", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    project.succeed(*arguments, "--unlock")
    project.succeed(*arguments)
    lines = (corpus / "train.txt").read_text(encoding="utf-8")
    assert lines == (project.path / "train.txt").read_text(encoding="utf-8")


def test_a_failed_jobs_error_stands_at_the_end(project, own_text):
    file = _training(project, own_text)
    (project.path / "train.txt").write_text("", encoding="utf-8")
    done = project.snakemake("--cores", "1", "--until", "encode", "--configfile", file)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("online-rnnlm: error")]
    assert "train.txt" in errors[-1]
