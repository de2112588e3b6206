"""A run that is killed at any moment is taken up by simply starting again."""

import os
import signal
import time

import pytest

DONE, IN_TRAINING = "own-M8-D0-seed1", "own-M32-D4-seed1"


def _wait_for(path, process, seconds=120):
    """Wait until a file has something in it."""
    end = time.monotonic() + seconds
    while not (path.is_file() and path.stat().st_size):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def _training(project, own_text):
    """A configuration of a quick run and of one that goes on for a while."""
    return project.configure(
        experiment="killed",
        corpora={"own": own_text(project, train_sentences=2000)},
        training={"improvement_factor": 1.0, "batch_sentences": 1},
        rows=[
            {"hidden_size": 8, "max_epochs": 1},
            {"hidden_size": 32, "document_size": 4, "max_epochs": 40, "learning_rate": 0.01},
        ],
    )


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_starting_again_finishes_and_trains_no_finished_run_twice(project, own_text, kill):
    runs = project.path / "results/killed/runs"
    target = [f"results/killed/runs/{run}/result.json" for run in (DONE, IN_TRAINING)]
    arguments = ("--cores", "1", "--configfile", _training(project, own_text), "--", *target)
    project.succeed(*arguments[:-1])  # the quick run
    finished = (runs / DONE / "result.json").read_bytes()

    process = project.start(*arguments)
    _wait_for(runs / IN_TRAINING / "train.log", process)
    os.killpg(process.pid, kill)
    said = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not (runs / IN_TRAINING / "result.json").exists()

    project.succeed(*arguments)
    assert (runs / IN_TRAINING / "result.json").is_file()
    assert (runs / DONE / "result.json").read_bytes() == finished
    assert "Nothing to be done" in project.succeed(*arguments)


def test_a_job_killed_between_its_outputs_leaves_nothing_half_written(project, own_text):
    file = _training(project, own_text)
    target = "results/killed/corpora/own/statistics.json"
    arguments = ("--cores", "1", "--configfile", file, "--", target)
    process = project.start(*arguments)
    _wait_for(project.path / "results/killed/corpora/own/train.tokens.txt", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
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
