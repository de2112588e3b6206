"""Tests of a whole experiment on a real Slurm: its jobs, what they ask for, and its outputs."""

import pytest

from online_rnnlm.config.evaluations import evaluations_of
from tests.cluster.slurm import SUBMIT
from tests.toy_texts import write_chains

CONFIGURATION = ("--configfile", "config/test.yaml")
RESULTS = "results/tiny"
LIGHT = {
    *("everything", "fetch", "tables", "figures", "claims", "report", "complete"),
    *("store", "track", "summary"),
}
"""The rules that run where Snakemake runs."""
COLUMNS = "JobID,State,Comment,AllocTRES"


@pytest.fixture(scope="module")
def earlier(cluster):
    """The ids of jobs that other tests submitted before."""
    return {job["JobID"] for job in cluster.accounting()}


@pytest.fixture(scope="module")
def finished(earlier, tmp_path_factory, make_project):
    """The project after an experiment has run on the cluster."""
    del earlier  # only requested so that it is computed first
    project = make_project(tmp_path_factory.mktemp("tiny") / "project")
    write_chains(project.path / "text.txt", 300, 1)
    sizes = {"valid_sentences": 50, "test_sentences": 50, "classes": {"count": 5}}
    source = {"kind": "text", "file": "text.txt"}
    project.configure(
        experiment="tiny",
        corpora={"own": {"source": source, "vocabulary": {"min_count": 1}, **sizes}},
        training={"max_epochs": 1},
        testing={"rivals": ["kneser_ney"]},
        rows=[{"hidden_size": 16, "document_size": 4}],
    )
    said = project.succeed(*SUBMIT, *CONFIGURATION)
    assert (project.path / RESULTS / "summary.txt").read_text(encoding="utf-8") in said
    return project


def test_every_training_and_evaluation_is_a_job_and_no_light_rule_is(earlier, finished, cluster):
    for name in ("report.html", "claims.json", "mlflow.db", "tables/perplexity.csv"):
        assert (finished.path / RESULTS / name).stat().st_size > 0
    jobs = [job for job in cluster.accounting(columns=COLUMNS) if job["JobID"] not in earlier]
    rules = [job["Comment"].removeprefix("rule_").partition("_wildcards_")[0] for job in jobs]
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    planned = finished.experiment(CONFIGURATION[1])
    settings = [run.settings for run in planned.trainings()]
    assert rules.count("train") == len(settings) == 1
    evaluations = sum(len(evaluations_of(one, planned.testing)) for one in settings)
    assert rules.count("evaluate") + rules.count("evaluate_vector") == evaluations
    assert {*rules} >= {"articles", "sentences", "encode", "rival"}
    assert not LIGHT & {*rules}
    cores = {"articles": "4", "sentences": "4"}
    for rule, job in zip(rules, jobs, strict=True):
        asked = dict(part.split("=") for part in job["AllocTRES"].split(","))
        assert asked["cpu"] == cores.get(rule, "1"), rule
