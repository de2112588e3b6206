"""Tests that results of another version are refused at the start, with one line."""

import json

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.earlier import refuse_other_versions
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit.small_records import run_record, statistics

OLD_STATISTICS = {"corpus": "c", "splits": {}, "vocabulary_size": 5, "files": {}}
OLD_RUN = {"name": "run", "identity": "0" * 64, "settings": {"corpus": "c"}, "versions": {}}


@pytest.fixture
def directory(tmp_path):
    """An experiment of this version: a corpus and a run."""
    directory = ExperimentDirectory(tmp_path / "experiment")
    records.write(directory.corpus("c").statistics, statistics({"train": 1000}))
    records.write(directory.run("run").record, run_record())
    return directory


def test_this_versions_results_are_gone_on_with(directory):
    refuse_other_versions(directory)


def test_where_nothing_is_there_is_nothing_to_refuse(tmp_path):
    refuse_other_versions(ExperimentDirectory(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("file", "content"),
    [("corpora/c/statistics.json", OLD_STATISTICS), ("runs/run/run.json", OLD_RUN),
     ("runs/run/run.json", OLD_RUN | {"format": 99})],
    ids=["a corpus", "a run", "of a later version"],
)  # fmt: skip
def test_anothers_are_refused_with_what_to_do(directory, file, content):
    path = directory.path / file
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match=r"version of this program.*delete.*`experiment`") as raised:
        refuse_other_versions(directory)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_what_is_damaged_is_left_to_whoever_reads_it(directory, content):
    directory.run("run").record.write_text(content, encoding="utf-8")
    refuse_other_versions(directory)
