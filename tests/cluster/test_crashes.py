"""Tests that jobs disturbed by a real cluster end with the outcome of an undisturbed run."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.cluster.slurm import CPUS
from tests.cluster.training import EPOCHS, Training
from tests.outcome import outcome
from tests.waiting import wait_until

ONE_MINUTE = ("--set-resources", "train:runtime=attempt*attempt*attempt")
"""Slurm's shortest time limit, one minute; later attempts get more, enough for slow machines."""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, make_project, make_trainings):
    """A project with an undisturbed run."""
    trainings = make_trainings(make_project(tmp_path_factory.mktemp("unbroken") / "p"), EPOCHS, 32)
    trainings.project.succeed("--cores", "1", *trainings.arguments, "--", *trainings.results)
    return trainings


def _assert_unbroken(training, unbroken, cluster):
    """Assert that a training ended like the undisturbed one and left no process or partial file."""
    assert outcome(training.run) == outcome(unbroken.runs[0])
    assert not cluster.running()
    assert not list(training.run.rglob("*.tmp"))
    # Slurm ends a job's steps one after the other, which takes a while on a busy machine.
    processes = training.project.processes
    wait_until(lambda: not processes(), lambda: f"all its processes have ended: {processes()}")


@pytest.fixture
def training(unbroken, tmp_path, submit, cluster):
    """A training on the cluster that must end with the outcome of the undisturbed run."""
    one = Training(unbroken.copy(tmp_path / "project"), submit, cluster)
    yield one
    one.end()
    _assert_unbroken(one, unbroken, cluster)


@pytest.fixture(scope="module")
def limited(unbroken, tmp_path_factory, submit, cluster):
    """Two parallel trainings with a limit of a minute: one stops just before it, one hangs."""
    paths = [tmp_path_factory.mktemp(name) / "project" for name in ("long", "hanging")]
    long, hanging = both = [Training(unbroken.copy(path), submit, cluster) for path in paths]
    for one in both:
        one.start(*ONE_MINUTE)
    with hanging.held():
        with long.held() as job:
            # Slurm sends the stop signal six seconds before the limit.
            wait_until(lambda: cluster.seconds_left(job) <= 5, "the limit is near")
        long.end()
        hanging.end()
    for one in both:
        _assert_unbroken(one, unbroken, cluster)
    return long, hanging


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


def test_a_training_longer_than_its_time_limit_takes_several_jobs(limited):
    long, _ = limited
    *ended, last = long.attempts()
    assert last == "COMPLETED"
    assert "FAILED" in ended
    assert "stopped by the job's time limit" in long.log()
    assert "goes on after epoch" in long.log()


def test_a_training_that_hangs_is_timed_out_and_goes_on(limited):
    _, hanging = limited
    *ended, last = hanging.attempts()
    assert last == "COMPLETED"
    assert set(ended) == {"TIMEOUT"}
    assert "goes on after epoch" in hanging.log()


def test_a_job_that_is_preempted_is_queued_again_and_goes_on(training):
    training.start()
    with training.held() as job:
        whole_node = ("--partition=urgent", f"--cpus-per-task={CPUS}", "--output=/dev/null")
        training.cluster.succeed("sbatch", *whole_node, "--wrap", "sleep 2")
        wait_until(lambda: job not in training.cluster.running(), "it is preempted")
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
    assert list(training.project.path.glob(".snakemake/slurm_logs/**/*.log"))


def test_a_node_that_goes_down_and_returns(training):
    training.start()
    with training.held():
        training.cluster.lose_node()
    wait_until(lambda: "down" in training.cluster.node_state(), "the node's loss is noticed")
    training.cluster.start_node()
    training.end()
    # Slurm may be late to end the lost attempt's steps, and then ends those of the next one.
    first, *others, last = training.attempts()
    assert (first, last) == ("NODE_FAIL", "COMPLETED")
    assert set(others) <= {"FAILED", "CANCELLED"}


def test_the_controller_is_restarted(training):
    training.start()
    with training.held():
        # A slurmctld killed within seconds of a submission forgets the job: docs/reliability.md.
        training.cluster.stop("slurmctld")
        time.sleep(3)  # Snakemake asks every second meanwhile
        training.cluster.start_controller()
    training.end()
    assert training.attempts() == ["COMPLETED"]


def test_ctrl_c_cancels_the_job_and_the_same_command_goes_on(training):
    training.start()
    with training.held() as job:
        said = training.interrupt()
    assert "Traceback" not in said
    wait_until(lambda: job not in training.cluster.running(), "the job has ended")
    training.start()
    training.end()
    assert training.attempts() == ["CANCELLED", "COMPLETED"]
    assert "goes on after epoch" in training.log()


def test_snakemake_is_killed_with_a_job_in_flight_and_started_again(training, cluster):
    training.start()
    with training.held():
        training.kill()
        training.start()
        # It submits the training once more, which waits for the job in flight.
        wait_until(lambda: len(cluster.running()) == 2, "both jobs run")
    training.end()
    assert set(training.attempts()) == {"COMPLETED"}
    assert training.log().count(f"epoch {EPOCHS}:") == 1
    # The killed watcher and its successor have entered the run once.
    training.project.verb("track", "results/long")
    with closing(sqlite3.connect(training.run.parents[1] / "mlflow.db")) as store:
        entered = store.execute("SELECT name FROM runs WHERE lifecycle_stage = 'active'").fetchall()
    assert entered == [("M32 D4 · seed 1",)]
