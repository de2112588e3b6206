"""Tests in unusual places: special letters in the path, a read-only disk, a wrong clock."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from online_rnnlm.storage.paths import SPLITS
from tests.project import copy_project, own_text
from tests.waiting import PATIENCE

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


@pytest.fixture
def read_only(project) -> Iterator[None]:
    """Mount the results so that even root cannot write to them."""
    results = str(project.path / "results")
    done = subprocess.run(["mount", "--bind", results, results], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a file system cannot be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", results], check=True)
    yield
    subprocess.run(["umount", results], check=True)


def _says_one_error(done: subprocess.CompletedProcess[str]) -> str:
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    errors = [line for line in said.splitlines() if line.startswith(ERROR)]
    assert len(errors) == 1, said
    return errors[0]


def test_read_only_results_are_said_in_one_line(project, read_only):
    project.edit("src/online_rnnlm/core/training.py")
    done = project.snakemake(*ARGUMENTS)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "Write-protected output files" in done.stderr
    run = next((project.path / RUNS).iterdir()).name
    verb = ("train", "--config", "results/tiny/config.json", "--run", run)
    error = _says_one_error(project.verb(*verb))
    assert "Read-only file system" in error
