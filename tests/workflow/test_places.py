"""Tests in unusual places: special letters in the path, a read-only disk, a wrong clock."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from online_rnnlm.storage.paths import SPLITS
from tests.processes import PATIENCE
from tests.project import copy_project, own_text

ERROR = "online-rnnlm: error: "
ARGUMENTS = ("--cores", "1", "--configfile", "config/test.yaml")
RUNS = Path("results/tiny/runs")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished tiny experiment in a home folder with letters that are special to programs."""
    home = tmp_path_factory.mktemp("home") / "Übung macht ☃ Ωмега"
    cache = home / "Zwischen Speicher"
    cache.mkdir(parents=True)
    project = copy_project(home / "meine 'Experimente' $z", code=True)
    project.configure(
        experiment="tiny",
        corpora={"own": own_text(project)},
        training={"max_epochs": 1},
        rows=[{"hidden_size": 4, "document_size": 2}],
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOME", str(home))
        environment.setenv("XDG_CACHE_HOME", str(cache))
        # A new process has these folders from its start; a fork would remember others.
        process = project.start(*ARGUMENTS)
        said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, said
    return project


def test_a_path_with_spaces_and_letters_of_other_alphabets(finished):
    page = (finished.path / "results/tiny/report.html").read_text(encoding="utf-8")
    assert "4/2" in page
    assert "Nothing to be done" in finished.succeed(*ARGUMENTS)


def test_another_working_folder_with_braces(finished, tmp_path):
    folder, file = tmp_path / "else {where}", tmp_path / "my {file}.yaml"
    folder.mkdir()
    shutil.copy2(finished.path / "config/test.yaml", file)
    for split in SPLITS:
        shutil.copy2(finished.path / f"{split}.txt", folder)
    options = ("--cores", "1", "--directory", str(folder), "--configfile", str(file))
    assert {"encode", "train", "tables", "report"} <= {*finished.planned(*options)}


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return finished.copied(tmp_path / "ein Projekt")


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Mount a folder so that even root cannot write to it."""
    mounting = ["mount", "--bind", str(folder), str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _says_one_error(done: subprocess.CompletedProcess[str]) -> str:
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    errors = [line for line in said.splitlines() if line.startswith(ERROR)]
    assert len(errors) == 1, said
    return errors[0]


def test_what_cannot_be_written_to_allows_a_dry_run_or_is_said_in_one_line(finished, project):
    with read_only(finished.path / "results"):
        assert "Nothing to be done" in finished.succeed("-n", *ARGUMENTS)
    with read_only(project.path / "results"):
        project.edit("src/online_rnnlm/core/training.py")
        done = project.snakemake(*ARGUMENTS)
        assert done.returncode != 0 and "Traceback" not in done.stderr
        assert "Write-protected output files" in done.stderr
        run = next((project.path / RUNS).iterdir()).name
        verb = ("train", "--config", "results/tiny/config.json", "--run", run)
        error = _says_one_error(project.verb(*verb))
        assert "Read-only file system" in error
    with read_only(project.path):
        assert f"{project.path}: cannot be written to" in _says_one_error(
            project.snakemake("-n", *ARGUMENTS)
        )
