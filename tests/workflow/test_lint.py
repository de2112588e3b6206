"""Tests of the rules as Snakemake reads them: with few packages, and who waits for whom."""

import re
import sys

from tests.packages import environment_with, with_what_they_need
from tests.processes import output_of
from tests.project import ROOT, users_environment


def test_the_workflow_can_be_linted_with_snakemake_and_snakefmt_alone(tmp_path):
    """The workflow catalog lints it like this."""
    packages = with_what_they_need({"snakemake", "snakefmt"})
    assert not packages & {"numpy", "pandas", "mlflow", "tqdm"}
    programs = environment_with(packages, tmp_path / "environment")
    environment = users_environment()
    environment.pop("PYTHONPATH", None)
    command = [programs / "python", "-m", "snakemake", "--lint"]
    done = output_of(command, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in a good condition" in done.stdout + done.stderr


def test_rules_wait_for_the_corpora_and_runs_that_they_read():
    configuration = ("--configfile", "config/smoke.yaml", "--config", "experiment=never-run")
    command = [sys.executable, "-m", "snakemake", "--rulegraph", *configuration]
    done = output_of(command, cwd=ROOT, env=users_environment(), check=True)
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', done.stdout))
    edges = re.findall(r"(\d+) -> (\d+)", done.stdout)
    waits_for = {(names[before], names[after]) for before, after in edges}
    readers = ("evaluate", "evaluate_vector", "mix", "time", "audits")
    assert waits_for >= {(before, after) for before in ("encode", "train") for after in readers}
    assert {("encode", "train"), ("encode", "rival"), ("evaluate", "mix")} <= waits_for
    # What follows the report asks for nothing that the report was made from.
    for rule, needs in (("complete", {"report"}), ("summary", {"report", "track"})):
        assert {before for before, after in waits_for if after == rule} == needs
