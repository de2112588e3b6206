"""Tests of what is entered into MLflow, read from the files alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.loading import load
from online_rnnlm.corpora.corpus import digest_of
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claims
from online_rnnlm.storage.code import core_digest
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord
from online_rnnlm.tracking.about import source_tags
from online_rnnlm.tracking.entries import Entry, entries_of, stamp
from online_rnnlm.tracking.summaries import summaries
from tests.project import ROOT
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import diverge_evaluation
from tests.unit.small_records import run_divergence
from tests.unit.tracking import invented
from tests.unit.tracking.invented import RUN, STATIC

SUMMARY = "summary of invented"


@pytest.fixture
def experiment(directory: ExperimentDirectory) -> Experiment:
    return load(directory.configuration)


def read(directory: ExperimentDirectory, experiment: Experiment) -> dict[str, Entry]:
    """Return all entries by name; no file is damaged."""
    found, errors = entries_of(directory, experiment)
    assert errors == []
    return {one.name: one for one in [*found, *summaries(directory, experiment, found, "mine")]}


def metrics(entry: Entry) -> dict[str, float]:
    return {key: value for key, value, _, _ in entry.final}


def test_a_run_says_what_its_files_say(directory, experiment):
    entry = read(directory, experiment)[RUN]
    said = (entry.label, entry.corpus, entry.status)
    assert said == ("100/20, seed 1", "invented", "FINISHED")
    assert (entry.ended or 0) - entry.began == 600_000
    assert entry.parameters["learning_rate"] == "0.1"
    tags = {"kind": "online", "network": "100/20", "host": "node1", "slurm_job": "7"}
    assert entry.tags.items() >= (tags | {"updates": "none, document_vector"}).items()
    assert (directory.path / entry.tags["weights"]).is_file()
    for ending, evaluation in (("", "document_vector"), ("_frozen", "none")):
        test = records.read(Evaluation, directory.evaluation(RUN, evaluation))
        assert metrics(entry)[f"test_perplexity{ending}"] == test.splits["test"].perplexity
        adds = metrics(entry)[f"testing/multiply_adds_per_word{ending}"]
        assert adds == test.costs.multiply_adds_per_word
    count = len(directory.run(RUN).metrics.read_text().splitlines())
    memory = [one for one in entry.epochs if one[0] == "system/peak_memory_megabytes"]
    assert [one[1] for one in memory] == [400.0 + step for step in range(1, count + 1)]
    assert [one[3] for one in memory] == [*range(1, count + 1)]
    assert memory[0][2] - entry.began == pytest.approx(18_500, abs=1500)
    assert 90 < dict(one[:2] for one in entry.epochs)["system/cpu_utilization_percentage"] < 100
    assert [path.name for _, path in entry.files] == [
        *("run.json", "metrics.jsonl", "result.json", "train.log"),
        *("none.json", "document_vector.json"),
    ]
    assert entry.has_model and [*entry.datasets] == ["train", "valid", "test"]
    assert entry.datasets["test"]["name"] == "invented test"
    assert next(iter(metrics(entry))) == "test_perplexity"
    frozen = metrics(entry)["test_perplexity_frozen"]
    assert f"{metrics(entry)['test_perplexity']:.2f}, {frozen:.2f} frozen" in entry.description
    assert metrics(read(directory, experiment)[STATIC]).keys() < {*metrics(entry)}


def test_a_search_has_neither_tests_nor_models(tmp_path):
    rows = [{"hidden_size": 100, "cell": "lstm", "document_size": 0}]
    searched = invented.experiment(search={"learning_rate": [0.1, 0.4]}, rows=rows, seeds=[1])
    found = read(fake_experiment.write(tmp_path / "searched", searched), searched).values()
    kinds = [(one.kind, one.status, one.has_model) for one in found]
    assert kinds.count(("search", "FINISHED", False)) == 2 and len(kinds) == 3
    assert "LSTM 100/0, learning rate 0.4, seed 0" in [one.label for one in found]
    assert {"test" in one.datasets for one in found if one.kind == "search"} == {False}


def test_the_source_is_the_commit_whose_code_trained_the_run():
    """Code that is not that of the checkout has no commit."""
    git, said = (
        ["git", "-C", str(ROOT / "src/online_rnnlm")],
        {"capture_output": True, "text": True},
    )
    last = subprocess.run([*git, "log", "-1", "--format=%H", "--", "core"], check=False, **said)
    changes = subprocess.run([*git, "status", "--porcelain", "--", "core"], check=False, **said)
    if last.returncode or changes.stdout:
        pytest.skip("no checkout of git, or one with changes")
    now = source_tags(core_digest())
    assert now.pop("mlflow.source.git.commit") == last.stdout.strip()
    assert source_tags("0" * 64) == now


def test_the_summary_is_of_what_the_configuration_asks_for(directory, experiment):
    first = read(directory, experiment)
    shown = [directory.table("perplexity", "md"), directory.figure("learning_curves", "svg")]
    for path in [*shown, directory.table("other", "md")]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    summary = read(directory, experiment)[SUMMARY]
    assert [path for _, path in summary.files] == [*(*shown, directory.report, directory.claims)]
    assert summary.identity == first[SUMMARY].identity
    assert summary.digest != first[SUMMARY].digest
    one_seed = invented.experiment(rows=invented.ROWS[1:], seeds=[1])
    found = read(directory, one_seed)
    kinds = {name: entry.kind for name, entry in found.items()}
    assert kinds.pop(RUN) == "online" and kinds.pop(SUMMARY) == "summary"
    assert set(kinds.values()) == {"earlier"}
    claims = [one for one in records.read(Claims, directory.claims).claims if one.number == 1]
    verdicts = [f"{claim.model}: {claim.verdict}" for claim in claims]
    assert summary.tags["claim.1"] == "; ".join(verdicts)
    other_tests = invented.experiment(testing={"steps": 7})
    assert "claim.1" not in read(directory, other_tests)[SUMMARY].tags
    directory.report.unlink()
    directory.run(RUN).result.unlink()
    assert {SUMMARY} == first.keys() - read(directory, experiment).keys()


def test_a_run_is_complete_when_it_is_trained_and_tested_or_has_diverged(directory, experiment):
    def now() -> tuple[str, str | None, bool]:
        entry = read(directory, experiment)[RUN]
        assert (entry.ended is None) == (entry.status == "RUNNING")
        assert bool(entry.final) == entry.has_model == (entry.status == "FINISHED")
        return entry.status, entry.tags.get("failure"), entry.has_model

    run, other = directory.run(RUN), "0" * 64
    result = run.result.read_text()
    diverge_evaluation(directory, RUN, "document_vector", "on test")
    assert now() == ("FAILED", "on test", False)
    directory.evaluation(RUN, "document_vector").unlink()
    assert now() == ("RUNNING", None, False)
    run.result.write_text(result.replace(records.read(RunRecord, run.record).identity, other))
    assert now() == ("RUNNING", None, False)
    identity = records.read(RunRecord, run.record).identity
    records.write(run.result, run_divergence(identity=identity, reason="in epoch 3"))
    assert now() == ("FAILED", "in epoch 3", False)


def test_another_text_makes_no_model(directory, experiment):
    before = read(directory, experiment)
    statistics, files = directory.corpus("invented").statistics, {"a.npy": "1" * 64}
    changed = {"files": files, "digest": digest_of(files)}
    records.write(statistics, records.read(Statistics, statistics).model_copy(update=changed))
    entry = read(directory, experiment)[RUN]
    assert entry == replace(before[RUN], has_model=False, datasets=entry.datasets)
    assert "uri" in entry.datasets["train"]["source"]


def test_a_change_is_seen_and_a_damaged_run_keeps_no_other_out(directory, experiment):
    before, [] = entries_of(directory, experiment)
    first, metrics = stamp(directory), directory.run(RUN).metrics
    assert stamp(directory) == first
    metrics.write_bytes(b"z" + metrics.read_bytes()[1:])
    assert stamp(directory) != first
    found, [error] = entries_of(directory, experiment)
    assert str(error).startswith(f"{metrics}: changed since it was made")
    assert found == [one for one in before if one.name != RUN]
