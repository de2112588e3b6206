"""Tests that a killed or stopped training job ends with the bits of an undisturbed run."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from online_rnnlm.storage import records
from online_rnnlm.storage.records import RunResult
from tests.forking import ROOT, Fork, Forks
from tests.outcome import outcome, steady
from tests.project import processes_in, users_environment
from tests.waiting import PATIENCE, wait_until

EXPERIMENT = Path("results/killed")
RUN = "own-M32-D4-seed1"
CONFIGURATION = ("--config", f"{EXPERIMENT}/config.json", "--run", RUN)
TRAIN = ("train", *CONFIGURATION)
KEEPING = (*TRAIN, "--checkpoint-seconds", "0.02")
"""The arguments that write many checkpoints within every epoch."""
EPOCHS = 40
KILLS = 20


CLI = "online_rnnlm.commands._main:main"


@dataclass(frozen=True)
class Trainings:
    """A starter of `online-rnnlm` in forks of a process that has loaded its modules."""

    forks: Forks

    def start(self, folder: Path, *arguments: str, **environment: str) -> Fork:
        """Start a fork in that folder."""
        variables = _environment() | environment
        return self.forks.start(CLI, list(arguments), folder=folder, environment=variables)

    def succeed(self, folder: Path, *arguments: str) -> None:
        """Run the verb in a fork; it must succeed."""
        assert self.start(folder, *arguments).wait() == 0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, copy_of_project, own_text) -> Path:
    """A project with a prepared corpus and no run."""
    project = copy_of_project(tmp_path_factory.mktemp("killed") / "project")
    file = project.configure(
        experiment="killed",
        corpora={"own": own_text(project, train_sentences=1500)},
        training={"improvement_factor": 1.0, "batch_sentences": 1, "learning_rate": 0.02},
        rows=[{"hidden_size": 32, "document_size": 4, "max_epochs": EPOCHS}],
        testing={"updates": ["output"]},
        tracking={"watch_seconds": 0},
    )
    target = f"{EXPERIMENT}/corpora/own/statistics.json"
    project.succeed("--cores", "1", "--configfile", file, "--", target)
    return project.path


@pytest.fixture
def folder(prepared, tmp_path) -> Iterator[Path]:
    """A folder for a training, in which no process and no partial file may be left."""
    folder = _copy(prepared, tmp_path / "project")
    yield folder
    assert not processes_in(folder)
    assert not list(folder.rglob("*.tmp"))


def _copy(prepared: Path, folder: Path) -> Path:
    shutil.copytree(prepared / EXPERIMENT, folder / EXPERIMENT)
    return folder


@pytest.fixture(scope="module")
def trainings() -> Iterator[Trainings]:
    forks = Forks([CLI.partition(":")[0]], _environment())
    yield Trainings(forks)
    forks.close()


@pytest.fixture(scope="module")
def unbroken(trainings, prepared, tmp_path_factory) -> Path:
    """The folder of an undisturbed run, with its evaluations."""
    folder = _copy(prepared, tmp_path_factory.mktemp("unbroken") / "project")
    # This call is not in a fork, so that all later forks inherit the libraries and kernels.
    assert trainings.forks.call(CLI, list(TRAIN), folder=folder) == 0
    _evaluate(trainings, folder)
    return folder


def _environment() -> dict[str, str]:
    """Return a user's environment with this project's code, whose kernels are compiled once."""
    return users_environment() | {"PYTHONPATH": str(ROOT / "src")}


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the real command in a new process."""
    return subprocess.Popen(
        [sys.executable, "-m", "online_rnnlm", *arguments],
        cwd=folder,
        env=_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )


def _evaluate(trainings: Trainings, folder: Path) -> None:
    for how in (("--evaluation", "document_vector"), ("--further",)):
        trainings.succeed(folder, "evaluate", *CONFIGURATION, *how)


def _files(folder: Path) -> Path:
    return folder / EXPERIMENT / "runs" / RUN


def _assert_same(folder: Path, unbroken: Path) -> None:
    one, other = _files(folder), _files(unbroken)
    assert outcome(one) == outcome(other)
    result = [steady(records.read(RunResult, files / "result.json")) for files in (one, other)]
    assert result[0] == result[1]
    assert {file.name for file in one.iterdir()} == {file.name for file in other.iterdir()}


def _assert_same_evaluations(folder: Path, unbroken: Path) -> None:
    one, other = (path / EXPERIMENT / "evaluations" / RUN for path in (folder, unbroken))
    names = {file.name for file in one.iterdir() if file.suffix in (".parquet", ".npy")}
    assert len(names) > 4
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def _wait_for_checkpoint(files: Path, process: subprocess.Popen[str] | None = None) -> None:
    def there() -> bool:
        assert process is None or process.poll() is None, process.communicate()[1]
        return (files / "checkpoint" / "state.npz").is_file()

    wait_until(there, "a checkpoint")


def _trained_epochs(files: Path) -> int:
    """Return the number of epochs so far: 0 while a run that begins anew removes the old file."""
    with contextlib.suppress(FileNotFoundError):
        return len((files / "metrics.jsonl").read_bytes().splitlines())
    return 0


def _half_written(files: Path) -> set[Path]:
    """Return partial checkpoints: those being written or left by a killed process."""
    return set(files.glob("checkpoint/.state.npz.*.tmp"))


def _hold(process: int) -> None:
    """Pause a process; return when it is paused."""
    os.kill(process, signal.SIGSTOP)
    state = Path(f"/proc/{process}/stat")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "it is held")


def _hold_in_a_write(process: int, files: Path, chance: random.Random) -> None:
    """Pause a process at random moments until it is in the middle of writing a checkpoint."""
    own = files / "checkpoint" / f".state.npz.{process}.tmp"
    while _hold(process) or not own.is_file():
        os.kill(process, signal.SIGCONT)
        time.sleep(chance.uniform(0, 0.002))


def test_twenty_kills_at_random_moments_change_no_bit(trainings, folder, unbroken):
    chance = random.Random(6)
    files = _files(folder)
    seconds = json.loads((_files(unbroken) / "result.json").read_text())["seconds"]
    for kill in range(KILLS):
        fork = trainings.start(folder, *KEEPING)
        # It is killed after its share of the epochs at the latest, as it must not end before the
        # last kill.
        share = EPOCHS * (kill + 1) // (KILLS + 2)
        end = time.monotonic() + chance.uniform(0, seconds / 12)
        while time.monotonic() < end and _trained_epochs(files) < share:
            time.sleep(0.001)
        if kill % 2:  # half of the kills are within a checkpoint's write
            _hold_in_a_write(fork.pid, files, chance)
        os.kill(fork.pid, signal.SIGKILL)
        assert fork.wait() == -signal.SIGKILL, f"it ended before kill {kill}"
        assert _half_written(files) or not kill % 2
    assert not (files / "result.json").exists()
    trainings.succeed(folder, *TRAIN)
    _assert_same(folder, unbroken)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 138), (signal.SIGINT, 130)]
)
def test_a_warned_job_ends_and_its_retry_goes_on(trainings, folder, unbroken, number, status):
    files = _files(folder)
    process = _start(folder, *TRAIN)
    _wait_for_checkpoint(files, process)
    process.send_signal(number)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == status
    assert f"stopped by {number.name}" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert {file.name for file in (files / "checkpoint").iterdir()} <= {
        "state.npz",
        "previous.npz",
        "run.json",
    }
    trainings.succeed(folder, *TRAIN)
    _evaluate(trainings, folder)
    _assert_same(folder, unbroken)
    _assert_same_evaluations(folder, unbroken)


def test_a_job_ends_before_its_time_limit_and_several_jobs_finish_it(trainings, folder, unbroken):
    ended = []
    while not ended or ended[-1]:
        limit = str(int(time.time()) + 1)
        ended.append(trainings.start(folder, *TRAIN, SLURM_JOB_END_TIME=limit).wait())
        assert len(ended) < 100
    assert len(ended) > 1
    assert set(ended[:-1]) == {os.EX_TEMPFAIL}
    _assert_same(folder, unbroken)


def test_one_run_is_trained_by_one_process(trainings, folder, unbroken):
    first = trainings.start(folder, *TRAIN)
    _wait_for_checkpoint(_files(folder))
    os.kill(first.pid, signal.SIGSTOP)
    second = _start(folder, *TRAIN)
    assert second.stderr is not None
    said = second.stderr.readline()
    os.kill(first.pid, signal.SIGKILL)
    assert "waits for another process" in said
    assert first.wait() == -signal.SIGKILL
    second.communicate(timeout=PATIENCE)
    assert second.returncode == 0
    _assert_same(folder, unbroken)


def test_a_killed_evaluation_is_made_again(trainings, folder, unbroken):
    shutil.copytree(_files(unbroken), _files(folder))
    chance = random.Random(6)
    for _ in range(5):
        fork = trainings.start(folder, "evaluate", *CONFIGURATION, "--further")
        time.sleep(chance.uniform(0, 0.3))
        os.kill(fork.pid, signal.SIGKILL)
        assert fork.wait() in (0, -signal.SIGKILL)
    _evaluate(trainings, folder)
    _assert_same_evaluations(folder, unbroken)


@pytest.fixture
def small_disk(folder) -> Iterator[Path]:
    """A file system of one megabyte for the runs."""
    place = folder / EXPERIMENT / "runs"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def _fill(file: Path) -> None:
    """Write to a file until the disk is full."""
    with file.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(4096))


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_space(
    trainings, folder, unbroken, small_disk
):
    files, log = _files(folder), folder / "train.log"
    fork = trainings.start(folder, *KEEPING, "--log", str(log))
    _wait_for_checkpoint(files)
    _fill(small_disk / "ballast")
    assert fork.wait() == 1
    error = log.read_text(encoding="utf-8").splitlines()[-1]
    assert error.startswith("online-rnnlm: error: ")
    assert f"runs/{RUN}/" in error
    assert error.endswith("cannot be written: No space left on device")
    left = {file.name for file in files.rglob("*")}
    assert left == {"run.json", "metrics.jsonl", "train.log", "checkpoint", *_states(files)}
    assert not [file for file in small_disk.rglob("*") if file.suffix == ".tmp"]
    (small_disk / "ballast").unlink()
    trainings.succeed(folder, *TRAIN, "--log", str(log))
    assert "goes on after epoch" in (files / "train.log").read_text(encoding="utf-8")
    _assert_same(folder, unbroken)


def _states(files: Path) -> set[str]:
    return {file.name for file in (files / "checkpoint").iterdir()}
