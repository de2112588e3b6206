"""The names of what learns during testing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm import configuration, pipeline, runs, updates
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory

GOOD = {
    "experiment": "test",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}, {"hidden_size": 10, "document_size": 2}],
}


def experiment(**testing):
    return configuration.parse({**GOOD, "testing": testing}, "my.yaml")


@pytest.mark.parametrize(
    ("parts", "with_vector", "without"),
    [
        (["output"], "output", "output"),
        (["output", "document_vector"], "document_vector+output", "output"),
        (["recurrent", "output", "embeddings"], "embeddings+recurrent+output", "all"),
        (["output", "all"], "all", "all"),
        (["document_vector"], "document_vector", "none"),
        (["document_vector", "recurrent", "output", "embeddings"], "all", "all"),
        (["output", "output"], "output", "output"),
    ],
)
def test_a_subset_has_one_name_in_each_model(parts, with_vector, without):
    assert updates.name_of(parts, document_size=5) == with_vector
    assert updates.name_of(parts, document_size=0) == without


@given(st.sets(st.sampled_from(updates.PARTS)), st.integers(0, 3))
def test_a_name_says_which_parts_learn(parts, document_size):
    name = updates.name_of(parts, document_size)
    assert updates.parts_named(name, document_size) == parts & set(updates.parts_of(document_size))


def test_what_is_the_same_in_a_model_is_evaluated_once():
    subsets = [["all"], ["document_vector", "output"], ["output"], ["document_vector"]]
    online = ("none", "document_vector", "all", "document_vector+output", "output")
    assert runs.updates_of(5, subsets) == online
    assert runs.updates_of(0, subsets) == ("none", "all", "output")
    assert runs.final_updates(5) == "document_vector"


def test_a_name_alone_is_a_list_of_it():
    assert experiment(updates=["all", ["output", "document_vector"]]).testing.updates == [
        ["all"],
        ["output", "document_vector"],
    ]


@pytest.mark.parametrize(
    ("testing", "expected"),
    [
        ({"updates": ["outputs"]}, ["testing.updates.0", "'outputs'", "'embeddings'", "'all'"]),
        ({"updates": [["output", "none"]]}, ["testing.updates.0.1", "'none'", "'output'"]),
        ({"updates": [3]}, ["testing.updates.0", "3", "'document_vector'"]),
        ({"updates": [[]]}, ["testing.updates.0", "at least 1"]),
        ({"updates": "all"}, ["testing.updates", "list", "'all'"]),
        ({"learning_rate": -1}, ["testing.learning_rate", "-1"]),
        ({"steps": 0}, ["testing.steps", "0"]),
        ({"rate": 1}, ["testing.rate"]),
    ],
)
def test_a_mistake_is_one_line(testing, expected):
    with pytest.raises(UserError) as caught:
        experiment(**testing)
    message = str(caught.value)
    assert message.startswith("my.yaml: ")
    assert "\n" not in message
    for text in expected:
        assert text in message


def test_testing_is_no_part_of_a_run():
    plain, other = experiment(), experiment(updates=["all"], learning_rate=0.5, steps=1)
    assert plain.runs() == other.runs()
    assert pipeline.testing_settings(plain) != pipeline.testing_settings(other)
    more = experiment(updates=["output"])
    assert pipeline.testing_settings(plain) == pipeline.testing_settings(more)


def test_every_subset_is_a_file_of_each_run_that_has_it(tmp_path):
    directory = ExperimentDirectory(tmp_path)
    described = experiment(updates=[["document_vector", "output"]])
    static, online = (
        pipeline.evaluation_files(described, run, directory) for run in described.runs()
    )
    assert [name.rpartition("/")[2] for name in static] == [
        *("none.json", "none.parquet", "output.json", "output.parquet")
    ]
    assert [name.rpartition("/")[2] for name in online][-2:] == [
        *("document_vector+output.json", "document_vector+output.parquet")
    ]
    assert pipeline.weight_updates(described) == ["document_vector+output", "output"]
    assert pipeline.weight_updates(experiment(updates=["document_vector"])) == []
