"""What clusters do to jobs: each is done for real, and the outcome is that of an unbroken run."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.cluster.slurm import CPUS, wait_until
from tests.cluster.training import Training
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
    assert not one.project.processes()


@pytest.mark.parametrize(
    ("options", "state", "warned"),
    [
        ((), "CANCELLED", "SIGTERM"),
        (("--signal=USR1",), "FAILED", "SIGUSR1"),
        (("--signal=KILL",), "CANCELLED", None),
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


def test_a_training_that_hangs_is_timed_out_and_goes_on(training):
    training.start("--set-resources", "train:runtime=1")
    training.wait_for_epoch(5)
    os.kill(training.project.wait_for_job("train"), signal.SIGSTOP)
    training.end()
    assert training.attempts() == ["TIMEOUT", "COMPLETED"]
    assert "goes on after epoch" in training.log()


def test_a_job_that_is_preempted_is_queued_again_and_goes_on(training):
    training.start()
    training.wait_for_epoch(5)
    whole_node = ("--partition=urgent", f"--cpus-per-task={CPUS}", "--output=/dev/null")
    training.cluster.succeed("sbatch", *whole_node, "--wrap", "sleep 2")
    training.end()
    assert training.attempts() == ["PREEMPTED", "COMPLETED"]
    assert "goes on after epoch" in training.log()


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
    # Killed within seconds of a submission it would forget the job: docs/reliability.md.
    training.cluster.stop("slurmctld")
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
    # The watcher that was killed and the one after it have entered one run, and none twice.
    training.project.verb("track", "results/long")
    with closing(sqlite3.connect(training.run.parents[1] / "mlflow.db")) as store:
        entered = store.execute("SELECT name FROM runs WHERE lifecycle_stage = 'active'").fetchall()
    assert entered == [("M32 D4 · seed 1",)]
