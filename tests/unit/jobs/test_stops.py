"""Tests that a training that is told to end, has to wait, or finds the disk full goes on later."""

import contextlib
import logging
import os
import select
import signal
import subprocess
import time

import pytest

from online_rnnlm.core import training
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.train import train
from online_rnnlm.process.stop_signals import END_TIME, Stopped
from online_rnnlm.storage.files import lock
from online_rnnlm.storage.paths import RunDirectory
from tests.killing import in_a_process
from tests.processes import PATIENCE
from tests.unit.jobs.runs import assert_same_run, run_of, trained
from tests.unit.jobs.stub import StubEngine, use_stub

RUN = run_of(learning_rate=0.8, max_epochs=3)


@pytest.fixture(autouse=True)
def _stub(monkeypatch):
    use_stub(monkeypatch)
    monkeypatch.setattr(training, "SEGMENTS_A_CALL", 64)


@pytest.fixture
def unbroken(corpus_directory, tmp_path):
    return trained(RUN, corpus_directory, tmp_path / "unbroken")


def _act_in_call(monkeypatch, number, act):
    """Let the stub's trainer do something in its call of that number."""
    calls = []

    class Acting(StubEngine):
        def train(self, state, split, order, *arguments):
            if len(order.segments):
                calls.append(None)
                if len(calls) == number:
                    act()
            return super().train(state, split, order, *arguments)

    use_stub(monkeypatch, Acting)


def test_a_warned_job_ends_within_an_epoch_and_its_retry_goes_on(
    corpus_directory, tmp_path, monkeypatch, unbroken
):
    _act_in_call(monkeypatch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    directory = RunDirectory(tmp_path / "run")
    with pytest.raises(Stopped, match="stopped by SIGTERM") as stopped:
        train(RUN, corpus_directory, directory)
    assert stopped.value.status == 143
    assert directory.state.is_file()
    train(RUN, corpus_directory, directory)
    assert_same_run(directory, unbroken)
    assert "% of epoch 1: stopped by" in directory.log.read_text().splitlines()[0]


def test_jobs_that_end_before_their_time_limit_finish_it_together(
    corpus_directory, tmp_path, monkeypatch, unbroken
):
    directory = RunDirectory(tmp_path / "run")
    monkeypatch.setenv(END_TIME, str(time.time()))
    for _ in range(3 * 5):  # each job reads one part of an epoch
        with pytest.raises(Stopped) as stopped:
            train(RUN, corpus_directory, directory)
        assert stopped.value.status == os.EX_TEMPFAIL
    train(RUN, corpus_directory, directory)
    assert_same_run(directory, unbroken)


def test_one_run_is_trained_by_one_process(corpus_directory, tmp_path, unbroken):
    directory = RunDirectory(tmp_path / "run")
    directory.path.mkdir()
    read, write = os.pipe()

    class Telling(logging.Handler):
        def emit(self, record):
            if "waits for another process" in record.getMessage():
                os.write(write, b".")

    def second():
        logger = logging.getLogger("online_rnnlm.jobs.train")
        logger.addHandler(Telling())
        logger.setLevel(logging.INFO)
        train(RUN, corpus_directory, directory)

    def release():
        with directory.log.open("a") as first:
            assert lock(first)
            child = os.fork()
            if not child:
                first.close()
                os._exit(in_a_process(second) and 1)
            assert select.select([read], [], [], PATIENCE)[0]
            assert not directory.record.exists()
        return os.waitpid(child, 0)[1]

    assert release() == 0
    assert_same_run(directory, unbroken)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_space(
    corpus_directory, monkeypatch, unbroken, small_disk
):
    directory = RunDirectory(small_disk / "run")
    ballast = small_disk / "ballast"

    def fill():
        with ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
            while True:
                out.write(bytes(4096))

    _act_in_call(monkeypatch, 7, fill)
    with pytest.raises(UserError, match=r"/run/.*: cannot be written: No space left on device"):
        train(RUN, corpus_directory, directory)
    assert not list(small_disk.rglob("*.tmp"))
    ballast.unlink()
    train(RUN, corpus_directory, directory)
    assert "goes on after epoch 1" in directory.log.read_text()
    assert_same_run(directory, unbroken)
