"""What clusters do to jobs: each is done for real, and the outcome is that of an unbroken run."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.cluster.slurm import CPUS, wait_until
from tests.cluster.training import EPOCHS, Training
from tests.outcome import outcome

ONE_MINUTE = ("--set-resources", "train:runtime=1")
"""The least time limit that Slurm knows."""


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
    with training.held() as job:
        training.cluster.succeed("scancel", *options, job)
    training.end()
    assert training.attempts() == [state, "COMPLETED"]
    assert "goes on after epoch" in training.log()
    assert warned is None or f"stopped by {warned}" in training.log()


def test_a_training_longer_than_its_time_limit_takes_several_jobs(training):
    training.start(*ONE_MINUTE)
    with training.held() as job:
        # It is told to end six seconds before the limit.
        wait_until(lambda: training.cluster.seconds_left(job) <= 5, 60, "the limit is near")
    training.end()
    assert training.attempts() == ["FAILED", "COMPLETED"]
    assert "stopped by the job's time limit" in training.log()
    assert "goes on after epoch" in training.log()


def test_a_training_that_hangs_is_timed_out_and_goes_on(training):
    training.start(*ONE_MINUTE)
    with training.held():
        training.end()
    assert training.attempts() == ["TIMEOUT", "COMPLETED"]
    assert "goes on after epoch" in training.log()


def test_a_job_that_is_preempted_is_queued_again_and_goes_on(training):
    training.start()
    with training.held() as job:
        whole_node = ("--partition=urgent", f"--cpus-per-task={CPUS}", "--output=/dev/null")
        training.cluster.succeed("sbatch", *whole_node, "--wrap", "sleep 2")
        wait_until(lambda: job not in training.cluster.running(), 60, "it is preempted")
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
    with training.held():
        training.cluster.lose_node()
    wait_until(lambda: "down" in training.cluster.node_state(), 60, "the node's loss is noticed")
    training.cluster.start_node()
    training.end()
    assert training.attempts() == ["NODE_FAIL", "COMPLETED"]


def test_the_controller_is_restarted(training):
    training.start()
    with training.held():
        # Killed within seconds of a submission it would forget the job: docs/reliability.md.
        training.cluster.stop("slurmctld")
        time.sleep(3)
        training.cluster.start_controller()
    training.end()
    assert training.attempts() == ["COMPLETED"]


def test_snakemake_is_killed_with_a_job_in_flight_and_started_again(training):
    training.start()
    with training.held():
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
