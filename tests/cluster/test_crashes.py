"""What clusters do to jobs: each is done for real, and the outcome is that of an unbroken run."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.cluster.slurm import wait_until
from tests.outcome import outcome

EPOCHS = 100
LONG_EPOCHS = 1000


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, make_project, make_trainings):
    """A project with a run that nothing has happened to."""
    trainings = make_trainings(make_project(tmp_path_factory.mktemp("unbroken") / "p"), EPOCHS, 32)
    trainings.project.succeed("--cores", "1", *trainings.arguments, "--", *trainings.results)
    return trainings


@pytest.fixture
def training(unbroken, tmp_path, submit, cluster):
    """A training on the cluster, on a corpus that is prepared; its outcome must be the unbroken's.

    Nothing of it may be left running or half written when the test is over.
    """
    one = Training(unbroken.copy(tmp_path / "project"), submit, cluster)
    yield one
    one.end()
    assert outcome(one.run) == outcome(unbroken.runs[0])
    assert not cluster.running()
    assert not list(one.run.rglob("*.tmp"))
    assert not one.processes()


class Training:
    """A training that is being run by Snakemake on the cluster."""

    def __init__(self, trainings, submit, cluster):
        self.project = trainings.project
        self.cluster = cluster
        self.run = trainings.runs[0]
        self._command = (*submit, *trainings.arguments)
        self._targets = ("--", *trainings.results)
        self._known = {job["JobID"] for job in cluster.accounting()}
        self._snakemake = None

    def start(self, *options):
        """Start Snakemake."""
        self._snakemake = self.project.start(*self._command, *options, *self._targets)

    def wait_for_epoch(self, number):
        """Wait until so many epochs have been trained; returns the id of the job that does it."""
        metrics = self.run / "metrics.jsonl"

        def trained():
            assert self._snakemake.poll() is None, self._snakemake.communicate()[0]
            return metrics.is_file() and len(metrics.read_bytes().splitlines()) >= number

        wait_until(trained, 120, f"epoch {number}")
        [job] = self.cluster.running()
        return job

    def end(self):
        """Wait until Snakemake has ended, which it must do well; returns what it said."""
        if self._snakemake is None:
            return ""
        said = self._snakemake.communicate(timeout=300)[0]
        assert self._snakemake.returncode == 0, said
        self._snakemake = None
        return said

    def kill(self):
        """Kill Snakemake and all that is in its process group."""
        os.killpg(self._snakemake.pid, signal.SIGKILL)
        self._snakemake.communicate(timeout=60)
        self._snakemake = None

    def attempts(self):
        """The states of the training's jobs, in order."""
        rows = self.cluster.accounting("--duplicates", columns="JobID,State,Comment")
        return [
            row["State"].split()[0]
            for row in rows
            if row["JobID"] not in self._known and row["Comment"].startswith("rule_train_")
        ]

    def log(self):
        """What the training itself said, over all attempts."""
        return (self.run / "train.log").read_text(encoding="utf-8")

    def processes(self):
        """The command lines of processes that work on the project."""
        mark = str(self.project.path).encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes()
            except OSError:
                continue
            if mark in command:
                found.append(command.replace(b"\0", b" "))
        return found


@pytest.mark.parametrize(
    ("options", "state", "warned"),
    [
        ((), "CANCELLED", "SIGTERM"),
        (("--signal=USR1",), "FAILED", "SIGUSR1"),
        (("--signal=KILL",), "FAILED", None),
    ],
    ids=["scancel", "a warning", "kill -9"],
)
def test_a_job_that_is_ended_is_submitted_again_and_goes_on(training, options, state, warned):
    training.start()
    job = training.wait_for_epoch(5)
    training.cluster.succeed("scancel", *options, job)
    training.end()
    assert training.attempts() == [state, "COMPLETED"]
    assert "goes on after epoch" in training.log()
    assert warned is None or f"stopped by {warned}" in training.log()


def test_a_training_longer_than_its_time_limit_takes_several_jobs(
    tmp_path, make_project, make_trainings, submit, cluster
):
    """One minute is the least limit that Slurm knows."""
    unbroken, limited = (
        make_trainings(make_project(tmp_path / name), LONG_EPOCHS, 32)
        for name in ("unbroken", "limited")
    )
    beside = unbroken.project.start("--cores", "1", *unbroken.arguments, "--", *unbroken.results)
    training = Training(limited, submit, cluster)
    training.start("--set-resources", "train:runtime=1")
    training.end()
    said = beside.communicate(timeout=300)[0]
    assert beside.returncode == 0, said
    assert outcome(training.run) == outcome(unbroken.runs[0])
    states = training.attempts()
    assert states == ["FAILED"] * (len(states) - 1) + ["COMPLETED"]
    assert training.log().count("stopped by the job's time limit") == len(states) - 1 > 0


def test_a_job_that_exceeds_its_memory_asks_for_more(training):
    training.start("--set-resources", "train:mem_mb=attempt*attempt*250")
    training.end()
    states = training.attempts()
    assert states[-1] == "COMPLETED"
    assert set(states[:-1]) <= {"FAILED", "OUT_OF_MEMORY", "CANCELLED"}
    assert len(states) > 1


def test_a_node_that_goes_down_and_returns(training):
    training.start()
    training.wait_for_epoch(5)
    training.cluster.lose_node()
    wait_until(lambda: "down" in training.cluster.node_state(), 60, "the node's loss is noticed")
    training.cluster.start_node()
    training.end()
    assert training.attempts() == ["NODE_FAIL", "COMPLETED"]


def test_the_controller_is_restarted(training):
    training.start()
    training.wait_for_epoch(5)
    training.cluster.stop("slurmctld", signal.SIGKILL)
    time.sleep(3)
    training.cluster.start_controller()
    training.end()
    assert training.attempts() == ["COMPLETED"]


def test_snakemake_is_killed_with_a_job_in_flight_and_started_again(training):
    training.start()
    training.wait_for_epoch(5)
    training.kill()
    training.start()
    training.end()
    assert set(training.attempts()) == {"COMPLETED"}
    assert training.log().count(f"epoch {EPOCHS}:") == 1
