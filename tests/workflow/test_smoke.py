"""Tests of the real smoke experiment in Snakemake: every stage, and what its files say."""

import pandas as pd
import pytest

from tests.project import DOWNLOADS, copy_project

# The folder of downloads is kept, so that the tests download nothing the next time.
ARGUMENTS = (
    *("--cores", "2", "--configfile", "config/smoke.yaml"),
    *("--config", f"downloads={DOWNLOADS}"),
)
RESULTS = "results/smoke"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The project after the whole smoke experiment."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    project = copy_project(tmp_path_factory.mktemp("smoke") / "project")
    said = project.succeed(*ARGUMENTS)
    assert (project.path / RESULTS / "summary.txt").read_text(encoding="utf-8") in said
    return project


def test_everything_is_there(finished):
    results = finished.path / RESULTS
    files = ("report.html", "claims.json", "audits.json", "mlflow.db", "tables/choices.tex")
    for name in (*files, "figures/learning_curves.svg"):
        assert (results / name).stat().st_size > 0, name
    table = (results / "tables" / "perplexity.csv").read_text(encoding="utf-8").splitlines()
    # A heading, two rows, a mixture of each with n-grams, and the n-grams.
    assert len(table) == 1 + 2 + 2 + 1
    of_each = pd.read_csv(results / "tables" / "other_texts.csv")["text"].value_counts()
    assert of_each["guide"] == of_each["test"] >= 2 + 2 + 1


def test_a_second_start_does_nothing_and_snakemakes_report_shows_all(finished):
    """The weights of the search's runs are not needed again."""
    for run in finished.experiment("config/smoke.yaml").search_runs():
        (finished.path / RESULTS / "runs" / run.name / "model.npz").unlink()
    said = finished.succeed(*ARGUMENTS)
    assert "Nothing to be done" in said
    finished.succeed(*ARGUMENTS, "--report", "snakemake.html")
    text = (finished.path / "snakemake.html").read_text(encoding="utf-8")
    for name in ("perplexity.html", "learning_curves.svg", "report.html"):
        assert name in text


def test_results_that_were_renamed_are_refused_if_tests_have_other_settings(finished):
    """Snakemake knows nothing of these files, and would take them for those of the new settings."""
    renamed = finished.path / "results" / "renamed"
    (finished.path / RESULTS).rename(renamed)
    smoke = (finished.path / "config" / "smoke.yaml").read_text(encoding="utf-8")
    smoke = smoke.replace("experiment: smoke", "experiment: renamed")
    arguments = ("--cores", "2", "--configfile", "config/renamed.yaml")
    configuration = finished.path / "config" / "renamed.yaml"
    configuration.write_text(smoke, encoding="utf-8")
    assert not {"train", "evaluate"} & {*finished.planned(*arguments)}
    configuration.write_text(smoke.replace("[0.01, 0.1]", "[0.7]"), encoding="utf-8")
    done = finished.snakemake(*arguments, "--dry-run")
    assert done.returncode == 1
    assert "made with another `testing.learning_rates` than the configuration has" in done.stderr
