"""Tests of schedulers that are used by their commands: PBS's commands, which Slurm provides."""

import shutil

import pytest

from tests.cluster.training import Training, configure
from tests.outcome import outcome

PROFILE = (
    *("--workflow-profile", "workflow/profiles/cluster-generic"),
    *("--seconds-between-status-checks", "1", "--latency-wait", "20"),
)


@pytest.mark.skipif(shutil.which("qsub") is None, reason="apt-get install slurm-wlm-torque")
def test_a_job_that_is_killed_is_noticed_and_submitted_again(tmp_path, make_project, cluster):
    project = make_project(tmp_path / "project")
    configure(project)
    training = Training(project, PROFILE, cluster)
    training.start()
    with training.held() as job:
        cluster.succeed("scancel", "--signal=KILL", "--full", job)
    training.end()
    assert "goes on after epoch" in training.log()
    broken = outcome(training.run)
    training.train_here()
    assert outcome(training.run) == broken
