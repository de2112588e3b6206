"""Tests that code which has changed after an experiment's start makes no result of it."""

from pathlib import Path

import pytest

from online_rnnlm.analysis.reading import collect
from online_rnnlm.config.code import of_training
from online_rnnlm.config.plan import load_plan, parse
from online_rnnlm.config.runs import DIGITS
from online_rnnlm.corpora.planning import with_digits
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord
from tests.unit.analysis import fake_experiment
from tests.unit.small_records import DIGEST, configuration

RIVALS = {"rivals": ["kneser_ney", "unigram_cache"]}
STAGES = [
    *((stage, "corpora.stages") for stage in ("fetch", "articles", "sentences", "encode")),
    ("train", "core.training"),
    ("evaluate", "jobs.evaluation"),
    ("rival", "jobs.evaluation"),
    ("time", "jobs.timing"),
    ("audits", "auditing.networks"),
    *((stage, "analysis") for stage in ("tables", "claims", "figures", "report", "complete")),
]
"""Each stage, and the first of the modules that decide its result."""


@pytest.mark.parametrize("digits", ["", "0" * DIGITS])
@pytest.mark.parametrize(("stage", "first"), STAGES)
def test_a_stage_refuses_other_code_than_the_plans(tmp_path, refused, stage, first, digits):
    """A line has changed since the start, or the plan is that of an earlier version."""
    planned = with_digits(parse(configuration(testing=RIVALS)))
    for modules in planned.digits.code:
        if modules.startswith(f"{first} ") or modules == first or not digits:
            planned.digits.code[modules] = digits
    directory = ExperimentDirectory(tmp_path)
    write_json(directory.configuration, planned.model_dump(mode="json"))
    [run] = [run.name for run in planned.runs()]
    options = {
        "train": ["--run", run],
        "evaluate": ["--run", run, "--evaluation", "none"],
        "rival": ["--rival", next(iter(planned.corpus_rivals))],
    }
    if first == "corpora.stages":
        options[stage] = ["--corpus", planned.digits.folder_of("vital")]
    said = refused(stage, tmp_path, *options.get(stage, []))
    assert f"code of {first}, or what it uses, has changed" in said
    assert list(tmp_path.iterdir()) == [directory.configuration]


@pytest.fixture
def results(tmp_path: Path) -> ExperimentDirectory:
    """The results of a finished experiment, whose code has the fingerprint of its records."""
    networks = fake_experiment.experiment().networks
    trainings = {" ".join(of_training(network.settings)) for network in networks}
    code = dict.fromkeys(trainings, DIGEST[:DIGITS])
    plan = fake_experiment.experiment(digits={"code": code, "corpora": {}})
    return fake_experiment.write(tmp_path / "results", plan)


@pytest.mark.parametrize("other", ["code_digest", "identity"])
def test_a_finished_run_of_other_code_or_settings_is_refused(results, refused, other):
    collect(results)
    run = load_plan(results.configuration).runs()[0]
    path = results.run(run.name).record
    made = records.read(RunRecord, path)
    records.write(path, made.model_copy(update={other: "1" * 64}))
    with pytest.raises(UserError, match="made by other code"):
        collect(results)
    assert "made by other code" in refused("info", results.run(run.name).path)
