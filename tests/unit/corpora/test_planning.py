"""Tests of the digits that name the folders of corpora and runs, and of the user's files."""

import json
from pathlib import Path

import pytest

from online_rnnlm.config.experiment import load
from online_rnnlm.corpora import planning
from online_rnnlm.corpora.planning import plan
from online_rnnlm.errors import UserError

SOURCE = {"kind": "text", "tokenised": True, "file": "own.txt"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.txt").write_text("a text\n", encoding="utf-8")
    Path("other.txt").write_text("another text\n", encoding="utf-8")
    return tmp_path


def planned(source=SOURCE, testing=None, **corpus):
    values = {
        "experiment": "x",
        "corpora": {"c": {"source": source, **corpus}, "d": {"source": {"kind": "wikitext"}}},
        "rows": [{"hidden_size": 8}],
        "search": {"error_clip": [0, 15]},
        "testing": testing or {},
    }
    return plan(values, "a.yaml")


def names(experiment):
    """Return the names of the folders of all corpora and runs, by corpus."""
    found = {corpus: {experiment.digits.folder_of(corpus)} for corpus in experiment.corpora}
    for run in experiment.trainings():
        found[run.settings.corpus].add(run.name)
    return found


def assert_only_changes(corpora, one, other):
    """Assert that all names of these corpora differ, and those of no other corpus."""
    one, other = names(one), names(other)
    for corpus in one:
        assert one[corpus].isdisjoint(other[corpus]) == (corpus in corpora)
        assert (one[corpus] == other[corpus]) == (corpus not in corpora)


def test_a_setting_and_the_text_of_a_corpus_are_in_its_name_and_those_of_its_runs():
    first = planned()
    assert_only_changes({"c"}, first, planned(min_tokens=4))
    Path("own.txt").write_text("a test\n", encoding="utf-8")
    assert_only_changes({"c"}, first, planned())
    Path("own.txt").write_text("a text\n", encoding="utf-8")
    assert_only_changes(set(), first, planned())


def test_what_only_tests_is_in_no_name():
    testing = {"rivals": ["kneser_ney"], "other_texts": {"o": "other.txt"}}
    assert_only_changes(set(), planned(), planned(testing=testing))


def test_the_code_is_in_all_names(monkeypatch):
    first = planned()
    with monkeypatch.context() as change:
        change.setattr(planning, "code_digest", lambda folder: "f" * 64)
        assert_only_changes({"c", "d"}, first, planned())
    monkeypatch.setattr(planning, "core_digest", lambda: "f" * 64)
    other = planned()
    assert other.digits.corpora == first.digits.corpora
    assert {run.name for run in first.trainings()}.isdisjoint(run.name for run in other.trainings())


def test_the_copy_beside_the_results_gives_the_same_names_without_the_text():
    found = planned()
    Path("copy.json").write_text(found.model_dump_json(), encoding="utf-8")
    Path("own.txt").unlink()
    assert load(Path("copy.json")) == found
    assert names(load(Path("copy.json"))) == names(found)


def test_digits_that_a_configuration_brings_are_computed_anew():
    found = planned()
    Path("own.txt").write_text("a test\n", encoding="utf-8")
    again = plan(json.loads(found.model_dump_json()), "copy.json")
    assert again.digits.corpora["c"] != found.digits.corpora["c"]


def test_a_missing_text_is_one_line():
    Path("own.txt").unlink()
    with pytest.raises(UserError, match=r"^a\.yaml: `corpora\.c\.source\.file`: own\.txt: "):
        planned()


def test_texts_with_articles_are_read_where_they_are_not_tokenised():
    for name in ("a.jsonl", "b.txt", "c.txt"):
        Path(name).touch()
    files = {"train": "b.txt", "valid": "c.txt", "test": "a.jsonl"}
    for kind in ("text", "wikitext"):
        assert planned({"kind": kind, **files})
