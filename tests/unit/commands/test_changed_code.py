"""Tests that code which has changed after an experiment's start makes no result of it."""

import json
from pathlib import Path

import pytest

from online_rnnlm.analysis.reading import collect
from online_rnnlm.config.plan import load_plan, parse
from online_rnnlm.config.runs import DIGITS
from online_rnnlm.corpora.planning import with_digits
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord
from tests.unit.analysis import fake_experiment
from tests.unit.small_records import DIGEST, NO_DIGITS, configuration

RIVALS = {"rivals": ["kneser_ney"]}
STAGES = [
    ("fetch", "corpora"),
    ("articles", "corpora"),
    ("sentences", "corpora"),
    ("encode", "corpora"),
    ("train", "core"),
    ("evaluate", "core"),
    ("evaluate", "evaluations"),
    ("rival", "core"),
    ("rival", "evaluations"),
    ("time", "evaluations"),
    ("audits", "audits"),
    *((stage, "report") for stage in ("tables", "claims", "figures", "report", "complete")),
]
"""Each stage, and what its code decides."""


@pytest.mark.parametrize(("stage", "what"), STAGES)
def test_a_stage_refuses_other_code_than_the_plans(tmp_path, refused, stage, what):
    planned = with_digits(parse(configuration(testing=RIVALS)))
    planned.digits.code[what] = "0" * DIGITS  # as if a line had changed since
    directory = ExperimentDirectory(tmp_path)
    write_json(directory.configuration, planned.model_dump(mode="json"))
    [run] = [run.name for run in planned.runs()]
    options = {
        "train": ["--run", run],
        "evaluate": ["--run", run, "--evaluation", "none"],
        "rival": ["--rival", next(iter(planned.corpus_rivals))],
    }
    if what == "corpora":
        options[stage] = ["--corpus", planned.digits.folder_of("vital")]
    said = refused(stage, tmp_path, *options.get(stage, []))
    assert f"code of {what} has changed" in said
    assert list(tmp_path.iterdir()) == [directory.configuration]


@pytest.fixture
def results(tmp_path: Path) -> ExperimentDirectory:
    """The results of a finished experiment, whose code has the digest of its records."""
    code = dict.fromkeys(NO_DIGITS["code"], DIGEST[:DIGITS])
    plan = fake_experiment.experiment(digits={"code": code, "corpora": {}})
    return fake_experiment.write(tmp_path / "results", plan)


def test_a_finished_run_of_other_code_is_refused(results, refused):
    collect(results)
    run = load_plan(results.configuration).runs()[0]
    path = results.run(run.name).record
    made = records.read(RunRecord, path)
    records.write(path, made.model_copy(update={"code_digest": code_digest("core")}))
    with pytest.raises(UserError, match="made by other code"):
        collect(results)
    assert "made by other code" in refused("info", results.run(run.name).path)


def test_a_finished_run_of_another_plan_is_refused(results):
    path = results.run(load_plan(results.configuration).runs()[0].name).record
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"identity": "1" * 64}))
    with pytest.raises(UserError, match="made by other code or settings"):
        collect(results)
