"""Tests of stop signals, a scheduler's time limit, and the end of a job's parent process."""

import builtins
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from online_rnnlm.process.stop_signals import (
    END_TIME,
    PARENT,
    START_TIME,
    Interrupts,
    Stopped,
    Watch,
    hide_interrupts,
    watching,
)


def test_nobody_has_told_it():
    with watching() as watch:
        assert watch.told is None
        watch.stop_if_told()


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


@pytest.fixture
def interrupts(monkeypatch):
    """Ctrl-C as in a process that has called `Interrupts`, until the test has ended."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    Interrupts()
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_ctrl_c_does_not_break_off_the_end_and_a_third_does(interrupts, monkeypatch):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    assert not ended
    signal.raise_signal(signal.SIGINT)
    assert ended == [130]


def test_a_process_that_ignores_ctrl_c_goes_on_ignoring_it(monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    Interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("error", "shown"), [("KeyboardInterrupt", False), ("ValueError", True)])
def test_ctrl_c_has_no_traceback_but_errors_have(capsys, monkeypatch, error, shown):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    hide_interrupts()
    kind = getattr(builtins, error)
    sys.excepthook(kind, kind("said"), None)
    assert ("said" in capsys.readouterr().err) == shown


@pytest.mark.parametrize(("left", "told"), [(3600, False), (0, True), (-5, True)])
def test_it_ends_before_its_time_is_up(monkeypatch, left, told):
    monkeypatch.setenv(END_TIME, str(int(time.time()) + left))
    assert (Watch().told is not None) == told


@pytest.mark.parametrize(("left", "told"), [(80, True), (110, False)])
def test_a_process_that_starts_late_in_its_job_ends_as_early_as_others(monkeypatch, left, told):
    now = int(time.time())
    monkeypatch.setenv(START_TIME, str(now - 3600))
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


@pytest.mark.parametrize(("named", "ends"), [("$PPID", True), ("1", False)])
def test_a_job_ends_with_the_process_that_it_names_its_parent(named, ends):
    """The named parent runs the shell that `exec`s the job, as in `pipeline.shell_prefix`."""
    job = (
        "from online_rnnlm.process.stop_signals import end_with_parent; import os, time; "
        "end_with_parent(); print(os.getpid(), flush=True); time.sleep(60)"
    )
    starter = (
        "import subprocess, sys; subprocess.run(['bash', '-c', "
        f'\'{PARENT}={named} exec "$0" -c "$1"\', sys.executable, sys.argv[1]])'
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, job], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + (30 if ends else 1)
    while is_alive(process) and time.monotonic() < end:
        time.sleep(0.05)
    assert is_alive(process) != ends
    if not ends:
        os.kill(process, signal.SIGKILL)


def is_alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
