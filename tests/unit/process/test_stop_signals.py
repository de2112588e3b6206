"""Tests of stop signals and of a scheduler's time limit."""

import os
import signal
import time

import pytest

from online_rnnlm.process.stop_signals import (
    END_TIME,
    START_TIME,
    Stopped,
    Watch,
    watching,
)


@pytest.fixture
def without_nohup():
    """A closed terminal ends this process, though the tests may run under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("without_nohup")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_noted_and_handled_as_before_afterwards(number):
    before = signal.getsignal(number)
    with watching() as watch:
        os.kill(os.getpid(), number)
        assert watch.told == number.name
        with pytest.raises(Stopped, match=f"stopped by {number.name}") as stopped:
            watch.stop_if_told()
        assert stopped.value.status == 128 + number
    assert signal.getsignal(number) == before


def test_a_signal_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with watching() as watch:
            os.kill(os.getpid(), signal.SIGHUP)
            assert watch.told is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_ctrl_c_ends_at_once():
    with pytest.raises(KeyboardInterrupt), watching():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("since", "left", "told"),
    [
        (0, 3600, False),
        (0, -5, True),
        # A process may start late in its job: it ends as early as others.
        (3600, 80, True),
        (3600, 110, False),
    ],
)
def test_a_process_ends_before_the_time_of_its_job_is_up(monkeypatch, since, left, told):
    now = int(time.time())
    monkeypatch.setenv(START_TIME, str(now - since))
    monkeypatch.setenv(END_TIME, str(now + left))
    assert (Watch().told is not None) == told


def test_a_clock_that_jumps_ends_nothing(monkeypatch):
    now = time.time()
    monkeypatch.setenv(END_TIME, str(int(now) + 3600))
    watch = Watch()
    for jump in (-1e9, 1e9):
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        assert watch.told is None


@pytest.mark.parametrize("end", ["", "soon"])
def test_a_time_that_cannot_be_read_is_none(monkeypatch, end):
    monkeypatch.setenv(END_TIME, end)
    assert Watch().told is None
