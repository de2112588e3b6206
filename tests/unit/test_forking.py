"""Tests of the tests' own forks: a job in a fork is like the process that it stands for."""

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
time.sleep(float(sys.argv[2]))
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def python():
    server = JobServer(users_environment())
    yield server.python
    server.close()


@pytest.fixture
def job(python: str, tmp_path: Path):
    """A function that starts a job of a package that says what it is."""
    package = tmp_path / "online_rnnlm"
    (package / "process").mkdir(parents=True)
    for name, content in (
        ("__init__.py", ""),
        ("process/__init__.py", ""),
        ("process/environment.py", "def prepare_process(): pass"),
        ("__main__.py", PROGRAM),
    ):
        (package / name).write_text(content, encoding="utf-8")

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        ours = {"PYTHONPATH": str(tmp_path), "GREETING": "grüß", **ONE_THREAD}
        return subprocess.Popen(
            [python, "-m", "online_rnnlm", *arguments],
            cwd=package,
            env=users_environment() | ours | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_a_job_has_its_arguments_folder_variables_streams_and_status(job, tmp_path):
    process = job("3", "0", "two words")
    said, errors = process.communicate()
    pid, rest = said.split(maxsplit=1)
    assert rest == f"{tmp_path}/online_rnnlm ['3', '0', 'two words'] grüß\n"
    assert (errors, process.returncode) == ("an error\n", 3)
    assert int(pid) != process.pid


def test_what_is_no_job_or_has_other_settings_of_a_library_is_pythons(job, python):
    process = job("0", "0", PYTENSOR_FLAGS="mode=FAST_COMPILE")
    assert int(process.communicate()[0].split()[0]) == process.pid
    line = "import sys; print('numba' in sys.modules, sys.prefix)"
    done = subprocess.run([python, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == f"False {sys.prefix}\n"


@pytest.mark.parametrize(
    ("sent", "to_fork", "status"),
    [(signal.SIGTERM, False, 7), (signal.SIGKILL, False, -9), (signal.SIGKILL, True, -9)],
)
def test_a_signal_reaches_the_fork_and_its_end_the_program(job, sent, to_fork, status):
    process = job("0", "900")
    fork = int(process.stdout.readline().split()[0])
    os.kill(fork if to_fork else process.pid, sent)
    process.communicate()
    assert process.returncode == status
    wait_until(lambda: not Path(f"/proc/{fork}").exists(), "the fork ends")
