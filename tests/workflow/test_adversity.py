"""Tests of one experiment that meets what can go wrong: a home and a path with letters that are
special to programs, trainings that diverge, a disk that cannot be written to, a store that is away.
"""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import output_of
from tests.project import copy_project, jobs_in, own_text

ERROR = "online-rnnlm: error: "
AWAY = "http://127.0.0.1:9"
ARGUMENTS = ("--cores", "1", "--configfile", "config/test.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose experiment has a row and a candidate that diverge, and one that does not."""
    home = tmp_path_factory.mktemp("home") / "Übung macht ☃ Ωмега"
    home.mkdir()
    made = copy_project(home / "meine 'Experimente' $z")
    made.configure(
        experiment="tiny",
        corpora={"own": own_text(made)},
        training={"max_epochs": 1, "document_size": 2},
        rows=[
            {"hidden_size": 4, "learning_rate": 1000.0},
            {"hidden_size": 8, "search": {"learning_rate": [0.2, 1000.0]}},
        ],
    )
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"  # it has the kernels
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(cache))
        environment.setenv("HOME", str(home))
        yield made


@pytest.fixture(scope="module")
def names(project):
    """The names of the row's run that diverges, the candidate that does, and the run of the other
    row, which does not."""
    experiment = project.experiment("config/test.yaml")
    bad, good = (run.name for run in experiment.runs())
    _, candidate = (run.name for run in experiment.search_runs())
    return bad, candidate, good


@pytest.fixture(scope="module")
def arguments(names):
    """The arguments of a start: all but some of the entries in MLflow."""
    bad, _, good = names
    entries = [f"results/tiny/tracking/{name}.txt" for name in (bad, good)]
    return (*ARGUMENTS, "--", "results/tiny/complete.json", *entries)


@pytest.fixture(scope="module")
def first(project, arguments):
    return project.snakemake(*arguments)


def errors(done):
    """Return the error lines of a start of Snakemake that has failed, each once."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    said = (done.stdout + done.stderr).splitlines()
    return list(dict.fromkeys(line for line in said if line.startswith(ERROR)))


def results(project):
    return project.path / "results" / "tiny"


def test_the_report_shows_what_has_finished_and_says_first_what_is_missing(project, first, names):
    bad, candidate, good = names
    said = errors(first)
    assert sum(f"{bad}: " in line for line in said) == 1, said
    assert not any(candidate in line for line in said)
    page = (results(project) / "report.html").read_text(encoding="utf-8")
    assert page.index(f"{bad}: ") < page.index("<h1>")
    assert "so not chosen: 8/2, learning rate 1000, seed 0." in page
    table = (results(project) / "tables" / "perplexity.csv").read_text(encoding="utf-8")
    assert "8/2" in table and "4/2" not in table
    chosen = json.loads((results(project) / "runs" / good / "run.json").read_text())
    assert chosen["settings"]["learning_rate"] == 0.2


def test_mlflow_shows_the_diverged_run_as_failed(project, first, names):
    question = (
        "SELECT runs.run_uuid, runs.status, tags.value "
        "FROM runs JOIN tags USING (run_uuid) WHERE tags.key = 'mlflow.note.content'"
    )
    with closing(sqlite3.connect(results(project) / "mlflow.db")) as store:
        found = {run_id: (status, why) for run_id, status, why in store.execute(question)}

    def entered(name):
        return found[(results(project) / "tracking" / f"{name}.txt").read_text().strip()]

    bad, _, good = names
    assert entered(good)[0] == "FINISHED"
    status, why = entered(bad)
    assert status == "FAILED" and "diverged" in why


def test_the_next_start_says_the_same_and_makes_nothing(project, first, arguments):
    again = project.snakemake(*arguments)
    assert {*jobs_in(again.stdout + again.stderr)} == {"complete"}
    assert errors(again) == errors(first)


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


def test_a_read_only_folder_allows_a_dry_run_or_is_one_line(
    project, first, arguments, names, tmp_path
):
    _, _, good = names
    with read_only(project.path / "results"):
        assert {*project.planned(*arguments)} == {"complete"}
    copy = project.copied(tmp_path / "ein Projekt")
    (results(copy) / "runs" / good / "result.json").unlink()
    with read_only(copy.path / "results"):
        done = copy.snakemake(*ARGUMENTS)
        assert errors(done) == [] and "Write-protected output files" in done.stderr
        train = [sys.executable, "-m", "online_rnnlm", "train", "results/tiny", "--run", good]
        [error] = errors(output_of(train, cwd=copy.path))
        assert "Read-only file system" in error
        [error] = errors(copy.snakemake(*ARGUMENTS, "--config", "experiment=other"))
        assert "results/other/config.json" in error and "Read-only file system" in error
    with read_only(copy.path):
        [error] = errors(copy.snakemake("-n", *ARGUMENTS))
        assert f"{copy.path}: cannot be written to" in error


def test_a_store_that_is_away_fails_no_job_and_gets_the_run_later(
    project, first, names, monkeypatch
):
    bad, _, good = names
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    entry = f"results/tiny/tracking/{good}.txt"
    done = project.snakemake(*ARGUMENTS, "--", entry, "results/tiny/complete.json")
    lines = errors(done)  # `complete` alone fails
    assert any(AWAY in line for line in lines)
    assert any(f"{bad}: " in line for line in lines)
    assert "Error in rule track" not in done.stderr
    assert "MLflow lacks 2 of its entries" in done.stderr
    assert {*project.planned(*ARGUMENTS, "--", entry)} == {"store", "track"}
