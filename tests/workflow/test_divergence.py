"""Tests in Snakemake that what has finished is reported when a training or a store fails."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.project import copy_project, own_text

ERROR = "online-rnnlm: error: "
AWAY = "http://127.0.0.1:9"
ARGUMENTS = ("--cores", "1", "--configfile", "config/test.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose experiment has a row and a candidate that diverge, and one that does not."""
    made = copy_project(tmp_path_factory.mktemp("diverging") / "project")
    made.configure(
        experiment="tiny",
        corpora={"own": own_text(made)},
        training={"max_epochs": 1, "document_size": 2},
        rows=[{"hidden_size": 4, "divergence_perplexity": 1e-9}, {"hidden_size": 8}],
        search={"learning_rate": [0.2, 1000.0]},
    )
    return made


@pytest.fixture(scope="module")
def names(project):
    """The names of the runs that diverge, and of the row's that does not."""
    experiment = project.experiment("config/test.yaml")
    bad, good = (run.name for run in experiment.runs())
    [candidate] = [
        run.name
        for run in experiment.search_runs()
        if (run.settings.hidden_size, run.settings.learning_rate) == (8, 1000.0)
    ]
    return [bad, candidate], good


@pytest.fixture(scope="module")
def first(project):
    return project.snakemake(*ARGUMENTS)


def errors(done):
    """Return the error lines of a start of Snakemake, each once."""
    assert "Traceback" not in done.stdout + done.stderr
    said = (done.stdout + done.stderr).splitlines()
    return list(dict.fromkeys(line for line in said if line.startswith(ERROR)))


def assert_named(lines, names):
    for name in names[0]:
        assert sum(f"{name}: " in line for line in lines) == 1, lines


def results(project):
    return project.path / "results" / "tiny"


def test_what_has_finished_is_reported_and_what_is_missing_stands_first(project, first, names):
    assert first.returncode != 0
    assert_named(errors(first), names)
    page = (results(project) / "report.html").read_text(encoding="utf-8")
    (bad, candidate), good = names
    assert page.index(f"{candidate}: diverged") < page.index("<h1>")
    assert page.index(f"{bad}: ") < page.index("<h1>")
    table = (results(project) / "tables" / "perplexity.csv").read_text(encoding="utf-8")
    assert "8/2" in table and "4/2" not in table
    chosen = json.loads((results(project) / "runs" / good / "run.json").read_text())
    assert chosen["settings"]["learning_rate"] == 0.2


def test_mlflow_shows_the_diverged_runs_as_failed(project, first, names):
    question = (
        "SELECT runs.run_uuid, runs.status, tags.value "
        "FROM runs JOIN tags USING (run_uuid) WHERE tags.key = 'mlflow.note.content'"
    )
    with closing(sqlite3.connect(results(project) / "mlflow.db")) as store:
        found = {run_id: (status, why) for run_id, status, why in store.execute(question)}

    def entered(name):
        return found[(results(project) / "tracking" / f"{name}.txt").read_text().strip()]

    assert entered(names[1])[0] == "FINISHED"
    for name in names[0]:
        status, why = entered(name)
        assert status == "FAILED"
        assert "diverged" in why


def test_the_next_start_says_the_same_and_makes_nothing(project, first):
    assert {*project.planned(*ARGUMENTS)} == {"everything", "complete"}
    again = project.snakemake(*ARGUMENTS)
    assert again.returncode != 0
    assert errors(again) == errors(first)


def test_a_store_that_is_away_takes_nothing_away(project, first, names, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    report = (results(project) / "report.html").read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    done = project.snakemake(*ARGUMENTS)
    assert done.returncode != 0
    lines = errors(done)
    assert any(AWAY in line for line in lines)
    assert_named(lines, names)
    assert (results(project) / "report.html").read_bytes() == report
