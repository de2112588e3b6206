"""Tests that jobs disturbed by a real cluster end with the outcome of an undisturbed run."""

import shutil

import pytest

from tests.cluster.slurm import ASK, CPUS
from tests.cluster.training import EPOCHS, Training, configure
from tests.outcome import outcome
from tests.processes import wait_until

ONE_MINUTE = ("--set-resources", "train:runtime=attempt*attempt*attempt")
"""Slurm's shortest time limit, one minute; later attempts get more, enough for slow machines."""
BY_PBS = (
    *("--workflow-profile", "workflow/profiles/cluster-generic"),
    *("--seconds-between-status-checks", "1", "--latency-wait", "20"),
)
"""The options for a scheduler that is used by its commands: those of PBS, which Slurm provides."""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, make_project, cluster):
    """An undisturbed training."""
    project = make_project(tmp_path_factory.mktemp("unbroken") / "project")
    configure(project)
    training = Training(project, cluster)
    training.train_here()
    return training


@pytest.fixture
def training(unbroken, tmp_path, cluster):
    """A training on the cluster that must end with the outcome of the undisturbed run.

    It must leave no process or partial file.
    """
    one = Training(unbroken.project.copied(tmp_path / "project"), cluster)
    shutil.rmtree(one.run)
    yield one
    one.end()
    assert outcome(one.run) == outcome(unbroken.run)
    assert not cluster.running()
    assert not list(one.run.rglob("*.tmp"))
    # Slurm ends a job's steps one after the other, which takes a while on a busy machine.
    processes = one.project.processes
    wait_until(lambda: not processes(), lambda: f"all its processes have ended: {processes()}")


def test_a_job_that_is_ended_or_preempted_is_submitted_again_and_goes_on(training):
    training.start()
    with training.held() as job:
        training.cluster.succeed("scancel", job)
    with training.held(after=job) as job:
        training.cluster.succeed("scancel", "--signal=KILL", job)
    with training.held(after=job) as job:
        whole_node = ("--partition=urgent", f"--cpus-per-task={CPUS}", "--output=/dev/null")
        training.cluster.succeed("sbatch", *whole_node, "--wrap", "true")
        wait_until(lambda: job not in training.cluster.running(), "it is preempted", ASK)
    training.end()
    assert training.attempts() == ["CANCELLED", "CANCELLED", "PREEMPTED", "COMPLETED"]
    assert "stopped by SIGTERM" in training.log()
    assert training.log().count("goes on after epoch") == 3


def test_a_training_longer_than_its_time_limit_takes_several_jobs(training):
    training.start(*ONE_MINUTE)
    with training.held() as job:
        # The training ends a tenth of its minute, six seconds, before the limit.
        wait_until(lambda: training.cluster.seconds_left(job) <= 5, "the limit is near", ASK)
    training.end()
    *ended, last = training.attempts()
    assert last == "COMPLETED"
    assert "FAILED" in ended
    assert "stopped by the job's time limit" in training.log()
    assert "goes on after epoch" in training.log()


def test_a_job_that_exceeds_its_memory_asks_for_more(training):
    training.start("--set-resources", "train:mem_mb=attempt*attempt*250")
    training.end()
    *ended, last = training.attempts()
    assert last == "COMPLETED"
    assert ended and {*ended} <= {"FAILED", "OUT_OF_MEMORY", "CANCELLED"}


def test_ctrl_c_cancels_the_job_and_the_same_command_goes_on(training):
    training.start()
    with training.held() as job:
        said = training.interrupt()
    assert "Traceback" not in said
    wait_until(lambda: job not in training.cluster.running(), "the job has ended", ASK)
    training.start()
    training.end()
    assert training.attempts() == ["CANCELLED", "COMPLETED"]
    assert "goes on after epoch" in training.log()


def test_snakemake_is_killed_with_a_job_in_flight_and_started_again(training):
    training.start()
    with training.held():
        training.kill()
        training.start()
        # It submits the training once more, which waits for the job in flight.
        wait_until(lambda: len(training.cluster.running()) == 2, "both jobs run", ASK)
    training.end()
    assert {*training.attempts()} == {"COMPLETED"}
    assert training.log().count(f"epoch {EPOCHS}:") == 1


@pytest.mark.skipif(shutil.which("qsub") is None, reason="apt-get install slurm-wlm-torque")
def test_another_schedulers_job_that_is_killed_is_noticed_and_submitted_again(training):
    training.submit = BY_PBS
    training.start()
    with training.held() as job:
        training.cluster.succeed("scancel", "--signal=KILL", "--full", job)
    training.end()
    assert "goes on after epoch" in training.log()
