"""Tests of the script that says how a job of another scheduler is, with a scheduler's answers."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "workflow/profiles/cluster-generic/status.sh"
HEAD = "Job id  Name  Username  Time Use  S Queue"
LISTED = HEAD + "\\n-- -- -- -- - --\\n7.host  job  me  00:00:01  {} batch"


@pytest.fixture
def status(tmp_path):
    """A function that asks how job 7 is."""

    def ask(answer: str, code: int = 0, ended: str | None = None) -> str:
        commands = tmp_path / "bin"
        commands.mkdir(exist_ok=True)
        stream = ">&2" if code else ""
        for name, line in (
            ("qstat", f"printf '{answer}\\n' {stream}; exit {code}"),
            ("sleep", ":"),
        ):
            (commands / name).write_text(f"#!/bin/sh\n{line}\n")
            (commands / name).chmod(0o755)
        left = tmp_path / ".snakemake" / "cluster" / "7.exit"
        left.parent.mkdir(parents=True, exist_ok=True)
        left.unlink(missing_ok=True)
        if ended is not None:
            left.write_text(ended)
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", SCRIPT, "7.host"],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    return ask


@pytest.mark.parametrize("state", ["Q", "R", "E", "H"])
def test_a_job_in_the_queue_runs(status, state):
    assert status(LISTED.format(state)) == "running"


@pytest.mark.parametrize(
    "answer",
    [
        "qstat: cannot connect to server pbs (errno=15010) Access from host not allowed",
        "Communication failure",
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    ],
)
def test_a_scheduler_that_does_not_answer_has_not_lost_the_job(status, answer):
    assert status(answer, code=1) == "running"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("qstat: Unknown Job Id 7.host", 153),
        ("qstat: 7.host Job has finished, use -x", 35),
        (LISTED.format("C"), 0),
        ("", 0),
    ],
)
def test_a_job_that_is_over_is_what_it_has_left(status, answer, code):
    assert status(answer, code, ended="0\n") == "success"
    assert status(answer, code, ended="143\n") == "failed"
    assert status(answer, code) == "failed"


def test_what_a_job_has_left_counts_while_the_queue_still_has_it(status):
    assert status(LISTED.format("E"), ended="0\n") == "success"
