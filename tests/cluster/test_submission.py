"""Tests of a whole experiment on a real Slurm: its jobs, what they ask for, and its outputs."""

from tests.cluster.slurm import SUBMIT
from tests.toy_texts import write_chains

HEAVY = (
    *("articles", "sentences", "encode", "rival"),
    *("train", "evaluate", "evaluate_vector", "time", "audits"),
)
"""The rules that are jobs of the cluster; all others run where Snakemake runs."""
COLUMNS = "JobID,State,Comment,AllocTRES"


def test_every_training_and_evaluation_is_a_job_and_no_light_rule_is(
    cluster, make_project, tmp_path
):
    project = make_project(tmp_path / "project")
    write_chains(project.path / "text.txt", 300, 1)
    sizes = {"valid_sentences": 50, "test_sentences": 50, "classes": {"count": 5}}
    source = {"kind": "text", "file": "text.txt"}
    file = project.configure(
        experiment="tiny",
        corpora={"own": {"source": source, "vocabulary": {"min_count": 1}, **sizes}},
        training={"max_epochs": 1},
        testing={"rivals": ["kneser_ney"]},
        rows=[{"hidden_size": 16, "document_size": 4}],
    )
    earlier = {job["JobID"] for job in cluster.accounting()}  # which other tests have submitted
    said = project.succeed(*SUBMIT, "--configfile", file)
    results = project.path / "results/tiny"
    assert (results / "summary.txt").read_text(encoding="utf-8") in said
    for name in ("report.html", "claims.json", "mlflow.db", "tables/perplexity.csv"):
        assert (results / name).stat().st_size > 0
    jobs = [job for job in cluster.accounting(columns=COLUMNS) if job["JobID"] not in earlier]
    rules = [job["Comment"].removeprefix("rule_").partition("_wildcards_")[0] for job in jobs]
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    assert sorted(rules) == sorted(HEAVY)
    cores = {"articles": "4", "sentences": "4"}
    for rule, job in zip(rules, jobs, strict=True):
        asked = dict(part.split("=") for part in job["AllocTRES"].split(","))
        assert asked["cpu"] == cores.get(rule, "1"), rule
