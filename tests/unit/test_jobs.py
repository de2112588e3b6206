"""Tests of the tests' own server of jobs: a fork is like the process that it stands for."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs import ONE_THREAD, JobServer
from tests.project import users_environment
from tests.waiting import wait_until

pytestmark = pytest.mark.slow  # a process that loads MLflow and PyTensor

PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(os.getpid(), os.getcwd(), sys.argv[1:], os.environ.get("GREETING"), flush=True)
print("an error", file=sys.stderr, flush=True)
if "wait" in sys.argv:
    time.sleep(900)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def python() -> str:
    return JobServer(users_environment()).python


@pytest.fixture
def job(python: str, tmp_path: Path):
    """A function that starts a job of a package that says what it is."""
    package = tmp_path / "path" / "online_rnnlm"
    (package / "process").mkdir(parents=True)
    for name, content in (
        ("__init__.py", ""),
        ("process/__init__.py", ""),
        ("process/environment.py", "def prepare_process(): pass"),
        ("__main__.py", PROGRAM),
    ):
        (package / name).write_text(content, encoding="utf-8")
    folder = tmp_path / "a folder"
    folder.mkdir()

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        ours = {"PYTHONPATH": str(package.parent), "GREETING": "grüß", **ONE_THREAD}
        return subprocess.Popen(
            [python, "-m", "online_rnnlm", *arguments],
            cwd=folder,
            env=users_environment() | ours | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("status", [0, 3])
def test_a_job_has_its_arguments_folder_variables_streams_and_status(job, tmp_path, status):
    process = job(f"{status}", "two words")
    said, errors = process.communicate()
    assert said.split(maxsplit=1)[1] == f"{tmp_path}/a folder ['{status}', 'two words'] grüß\n"
    assert errors == "an error\n"
    assert process.returncode == status
    assert int(said.split()[0]) != process.pid


def test_other_settings_of_a_library_are_a_process_of_its_own(job):
    process = job("0", PYTENSOR_FLAGS="mode=FAST_COMPILE")
    assert int(process.communicate()[0].split()[0]) == process.pid


def test_what_is_no_job_is_pythons(python):
    line = "import sys; print('numba' in sys.modules, sys.prefix)"
    done = subprocess.run([python, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == f"False {sys.prefix}\n"


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 7), (signal.SIGKILL, -9)])
def test_a_signal_reaches_the_fork(job, sent, status):
    process = job("0", "wait")
    assert process.stdout is not None
    fork = int(process.stdout.readline().split()[0])
    process.send_signal(sent)
    process.communicate()
    assert process.returncode == status
    wait_until(lambda: not is_running(fork), "the fork ends")


def test_a_fork_that_is_killed_is_a_job_that_was_killed(job):
    process = job("0", "wait")
    assert process.stdout is not None
    os.kill(int(process.stdout.readline().split()[0]), signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
