"""Tests of a configuration as Snakemake gives it: its files, `--config`, and the user's files."""

import json
from pathlib import Path

import pytest

from online_rnnlm.config.loading import load
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.configuration import read_configuration
from online_rnnlm.pipeline.starting import write_configuration
from online_rnnlm.storage.paths import experiment_directory

GOOD = {
    "experiment": "x",
    "corpora": {"c": {"source": {"kind": "wikipedia-vital"}, "train_sentences": 5}},
    "rows": [{"hidden_size": 8}],
    "training": {"max_epochs": 3},
    "search": {"error_clip": [0, 15]},
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name="a.yaml", **changed):
    Path(name).write_text(json.dumps({**GOOD, **changed}), encoding="utf-8")
    return name


def test_config_stands_over_the_file():
    """Snakemake reads all values in a mapping as text, and cannot take a mapping away."""
    given = {
        "corpora": {"c": {"train_sentences": "null"}, "d": {"source": {"kind": "wikitext"}}},
        "training": {"learning_rate": "0.3"},
        "search": {},
        "seeds": ["1", "2"],
    }
    found = read_configuration({"ignored": 1}, [written()], given=given)
    assert found.corpora["c"].train_sentences is None
    assert list(found.corpora) == ["c", "d"]
    assert found.training == {"max_epochs": 3, "learning_rate": 0.3}
    assert (found.search, found.seeds) == ({}, [1, 2])
    with pytest.raises(UserError, match=r"^a\.yaml and --config: `rows`: "):
        read_configuration({}, ["a.yaml"], given={"rows": []})


def test_a_later_file_stands_over_an_earlier_one():
    Path("b.yaml").write_text("experiment: y\ntraining: {error_clip: 1}\n", encoding="utf-8")
    found = read_configuration({}, [written(), "b.yaml"])
    assert (found.experiment, found.training) == ("y", {"max_epochs": 3, "error_clip": 1})


def test_another_workflow_gives_values_and_its_files_are_its_own():
    Path("other.yaml").write_text("ours: {experiment: z}\n", encoding="utf-8")
    assert read_configuration(GOOD, ["other.yaml"], alone=False).experiment == "x"
    assert read_configuration(GOOD, []).experiment == "x"
    with pytest.raises(UserError, match=r"^--config: `sedes`: "):
        read_configuration({**GOOD, "sedes": 1}, [])


def test_the_copy_beside_the_results_is_the_same_configuration():
    found = read_configuration({}, [written()])
    directory = experiment_directory("x")
    write_configuration(found, directory)
    assert load(directory.configuration) == found


def test_folders_may_be_links(folder, tmp_path_factory):
    (folder / "results").symlink_to(tmp_path_factory.mktemp("disk"))
    assert read_configuration({}, [written()])


def test_texts_with_articles_are_read_where_they_are_not_tokenised():
    for name in ("a.jsonl", "b.txt", "c.txt"):
        Path(name).touch()
    files = {"train": "b.txt", "valid": "c.txt", "test": "a.jsonl"}
    for kind in ("text", "wikitext"):
        source = {"kind": kind, **files}
        assert read_configuration({}, [written(corpora={"c": {"source": source}})])
