"""Tests of the models that a folder of results means."""

import json
import shutil

import pytest

import online_rnnlm
from online_rnnlm.auditing.networks import audit_networks
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.experiments import Audits

pytestmark = pytest.mark.slow  # two trainings


def changed(directory, change) -> None:
    """Write another configuration into a folder of results."""
    values = json.loads(directory.configuration.read_text())
    change(values)
    directory.configuration.write_text(json.dumps(values))


def test_a_folder_of_results_is_its_best_model(results, names, caplog):
    perplexities = {
        name: records.read(Evaluation, results.evaluation(name, kind)).splits["valid"].perplexity
        for name, kind in ((names.VECTOR, "document_vector"), (names.STATIC, "none"))
    }
    best = min(perplexities, key=perplexities.__getitem__)
    assert online_rnnlm.load(results.path).description.run == best
    assert not caplog.text


def test_only_the_configurations_own_runs_are_meant(copied, names, caplog):
    best = online_rnnlm.load(copied.path).description.run
    other, place = (names.VECTOR, 1) if best == names.STATIC else (names.STATIC, 0)
    changed(copied, lambda values: values["rows"][place].update(hidden_size=11))
    assert online_rnnlm.load(copied.path).description.run == other
    assert "1 of 2 runs have not finished, such as topics-M11-D" in caplog.text
    changed(copied, lambda values: values["rows"][1 - place].update(hidden_size=12))
    with pytest.raises(UserError, match="no run of its configuration has finished"):
        online_rnnlm.load(copied.path)


def test_text_is_prepared_as_it_was_for_the_corpus(copied, names):
    changed(copied, lambda values: values["corpora"]["topics"].update(lowercase=False))
    model = online_rnnlm.load(copied.run(names.VECTOR).path)
    assert model.score(["The CAT sees the hen."])["unknown"].tolist() == [0]


@pytest.mark.parametrize("missing", ["model", "record", "splitter"])
def test_a_file_that_the_export_needs_is_named(copied, names, refused, tmp_path, missing):
    run = copied.run(names.VECTOR)
    file = {
        "model": run.model,
        "record": run.record,
        "splitter": copied.corpus("topics").splitter,
    }[missing]
    file.unlink()
    said = refused("export", run.path, "-o", tmp_path / "model.onlm")
    assert str(run.path if missing == "record" else file) in said
    assert not (tmp_path / "model.onlm").exists()


def test_what_is_no_model_is_refused(copied, names, tmp_path):
    run = copied.run(names.VECTOR)
    alone = tmp_path / "alone"
    shutil.copytree(run.path, alone)
    run.model.write_bytes(run.model.read_bytes()[:-1])
    changed(copied, lambda v: v["corpora"].update(again=v["corpora"]["topics"]))
    for place, why in (
        (copied.path, f"{copied.path}: has models of several corpora"),
        (run.path, f"{run.model}: changed since it was made"),
        (alone, f"{alone}: a run's folder without its experiment"),
        *((other, f"{other}: ") for other in ("nowhere.onlm", "results/nowhere", "/tmp")),
    ):
        with pytest.raises(UserError, match=f"^{why}.*$"):
            online_rnnlm.load(place)


def test_the_network_of_each_row_is_audited_if_it_has_finished(copied, names):
    audit_networks(copied)
    found = records.read(Audits, copied.audits).audits
    assert [one.name for one in found] == ["10/3 on topics", "8/0 on topics"]
    for one in found:
        assert {rule.status for rule in one.rules} == {"holds"} and len(one.rules) == 5
        assert any("the sum over all" in rule.said for rule in one.rules)
    copied.run(names.STATIC).result.unlink()
    audit_networks(copied)
    assert len(records.read(Audits, copied.audits).audits) == 1
