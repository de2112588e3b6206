"""Tests of the digits that name the folders of corpora and runs."""

import json
from pathlib import Path

import pytest

from online_rnnlm.config.plan import load
from online_rnnlm.corpora.planning import plan


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a text\n")
    Path("other.txt").write_text("another text\n", encoding="utf-8")


def write(text):
    """Write the text of the corpus `own`."""
    Path("own.txt").write_text(text, encoding="utf-8")


def planned(**testing):
    own = {"kind": "text", "tokenised": True, "file": "own.txt"}
    values = {
        "experiment": "x",
        "corpora": {"own": {"source": own}, "ready": {"source": {"kind": "wikitext"}}},
        "rows": [{"hidden_size": 8}],
        "search": {"error_clip": [0, 15]},
        "testing": testing,
    }
    return plan(values, "a.yaml")


def names(experiment):
    """Return the names of the folders of all corpora and runs, by corpus."""
    found = {corpus: {experiment.digits.folder_of(corpus)} for corpus in experiment.corpora}
    for run in experiment.trainings():
        found[run.settings.corpus].add(run.name)
    return found


def test_the_text_of_a_corpus_is_in_its_name_and_those_of_its_runs():
    first = names(planned())
    write("a test\n")
    changed = names(planned())
    assert changed["own"].isdisjoint(first["own"])
    assert changed["ready"] == first["ready"]
    write("a text\n")
    assert names(planned()) == first


def test_the_copy_beside_the_results_gives_the_same_names_without_the_text():
    found = planned()
    Path("copy.json").write_text(found.model_dump_json(), encoding="utf-8")
    Path("own.txt").unlink()
    assert load(Path("copy.json")) == found
    assert names(load(Path("copy.json"))) == names(found)


def test_digits_that_a_configuration_brings_are_computed_anew():
    found = planned()
    write("a test\n")
    again = plan(json.loads(found.model_dump_json()), "copy.json")
    assert again.digits.corpora["own"] != found.digits.corpora["own"]
