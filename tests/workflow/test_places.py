"""Tests in unusual places: special letters in the path, a read-only disk, a wrong clock."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from online_rnnlm.storage.paths import SPLITS
from tests.project import UNWATCHED
from tests.waiting import PATIENCE

ERROR = "online-rnnlm: error: "
ARGUMENTS = ("--cores", "1", "--configfile", "config/test.yaml")
RUNS = Path("results/tiny/runs")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, copy_of_project, own_text):
    """A finished tiny experiment in a home folder with letters that are special to programs."""
    home = tmp_path_factory.mktemp("home") / "Übung macht ☃ Ωмега"
    kernels = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
    cache = home / "Zwischen Speicher"
    cache.mkdir(parents=True)
    if kernels.is_dir():
        shutil.copytree(kernels, cache / "online-rnnlm")  # those compiled already
    project = copy_of_project(home / "meine {x} {{y}} 'Experimente' $z")
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
    assert "results/tiny/report.html" in said
    return project


def test_a_path_with_spaces_and_letters_of_other_alphabets(finished):
    page = (finished.path / "results/tiny/report.html").read_text(encoding="utf-8")
    assert "4/2" in page
    assert "Nothing to be done" in finished.succeed(*ARGUMENTS)


def test_a_file_that_was_renamed_is_known_by_its_new_name(finished):
    """Even if nothing is to be done, so that a new file under the old name changes nothing."""
    old, new = (finished.path / f"config/{name}.yaml" for name in ("test", "renamed"))
    made_by = finished.path / "results/tiny/configuration_file.json"
    old.rename(new)
    try:
        *arguments, _ = ARGUMENTS
        assert "Nothing to be done" in finished.succeed(*arguments, "config/renamed.yaml")
        assert json.loads(made_by.read_text(encoding="utf-8"))["path"] == "config/renamed.yaml"
    finally:
        new.rename(old)
    assert "Nothing to be done" in finished.succeed(*ARGUMENTS)


def test_another_working_folder_of_a_project_with_braces(finished, tmp_path):
    """Snakemake would take a part of the path of `published.yaml` for a wildcard."""
    folder, file = tmp_path / "else {where}", tmp_path / "my {file}.yaml"
    folder.mkdir()
    shutil.copy2(finished.path / "config/test.yaml", file)
    for split in SPLITS:
        shutil.copy2(finished.path / f"{split}.txt", folder)
    options = ("--cores", "1", "--directory", str(folder), "--configfile", str(file))
    error = _says_one_error(finished.snakemake("--dry-run", *options))
    assert "config/published.yaml" in error and "braces" in error
    shutil.copytree(finished.path / "config", folder / "config")
    assert {"splits", "train", "tables", "report"} <= finished.planned(*options)


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
    project.edit("src/online_rnnlm/training/loop.py")
    error = _says_one_error(project.snakemake(*ARGUMENTS, *UNWATCHED))
    assert "results" in error
    assert "cannot be written" in error
    run = next((project.path / RUNS).iterdir()).name
    verb = ("train", "--config", "results/tiny/config.json", "--run", run)
    error = _says_one_error(project.verb(*verb))
    assert "Read-only file system" in error


def test_a_clock_that_was_wrong_trains_nothing_again(project):
    """Files are years old or from the future; runs are recognised by their contents."""
    before = {path: path.read_bytes() for path in (project.path / RUNS).glob("*/*")}
    targets = [str(path.relative_to(project.path)) for path in before if path.name == "result.json"]
    corpus = project.path / "results/tiny/corpora/own"
    for years in (-20, 1):
        for file in corpus.iterdir():
            os.utime(file, (time.time() + years * 365 * 86400,) * 2)
        project.succeed(*ARGUMENTS, *UNWATCHED, "--", *targets)
        for path, content in before.items():
            assert path.read_bytes() == content, path


def test_snakemakes_own_commands_work(project):
    """A run that is finished is not trained again, even if Snakemake starts all jobs again."""
    result = next((project.path / RUNS).glob("*/result.json"))
    before = {path: path.read_bytes() for path in result.parent.iterdir() if path.is_file()}
    assert "digraph" in project.succeed("--dag", *ARGUMENTS)
    target = str(result.relative_to(project.path))
    project.succeed("--forcerun", "train", *ARGUMENTS, *UNWATCHED, "--", target)
    assert {path: path.read_bytes() for path in before if path.name != "train.log"} == {
        path: content for path, content in before.items() if path.name != "train.log"
    }
    project.succeed("--delete-all-output", *ARGUMENTS)
    assert not result.exists() and not (project.path / "results/tiny/report.html").exists()


def test_a_killed_report_is_made_again(project):
    page = project.path / "results/tiny/report.html"
    page.unlink()
    process = project.start(*ARGUMENTS, *UNWATCHED)
    report = project.wait_for_job("report")
    os.kill(report, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert not page.exists()
    assert not project.processes()
    assert "results/tiny/report.html" in project.succeed(*ARGUMENTS, *UNWATCHED)
    assert page.is_file()
    assert [file.name for file in page.parent.iterdir() if file.suffix == ".tmp"] == []
