"""Tests of the evaluations' names and files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config import evaluations as updates
from online_rnnlm.config import loading
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline import inputs as pipeline
from online_rnnlm.storage.paths import ExperimentDirectory

GOOD = {
    "experiment": "test",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}, {"hidden_size": 10, "document_size": 2}],
}


def experiment(**testing):
    return loading.parse({**GOOD, "testing": testing}, "my.yaml")


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
    testing = experiment(updates=subsets).testing
    online = ("none", "document_vector", "all", "document_vector+output", "output")
    further = [f"{name}.word.sentence" for name in [*online[2:], "document_vector"]]
    assert updates.evaluations_of(5, testing) == (*online[:2], *further)
    static = ("none", "all.word.sentence", "output.word.sentence")
    assert updates.evaluations_of(0, testing) == static
    assert updates.final_evaluation(5) == "document_vector"
    assert updates.final_evaluation(0) == "none"


def test_every_way_of_learning_is_an_evaluation_but_the_one_that_is_lost():
    testing = experiment(
        updates=["output"], learn_after=["word", "sentence"], unit_of_text=["sentence", "stream"]
    ).testing
    assert updates.further_evaluations(0, testing) == (
        *("output.word.sentence", "output.word.stream", "output.sentence.stream"),
    )


def test_rivals_of_runs_are_for_every_network():
    rivals = ["kneser_ney", "neural_cache", "unigram_cache", "neural_cache"]
    testing = experiment(rivals=rivals).testing
    for document_size in (0, 5):
        found = updates.further_evaluations(document_size, testing)
        assert found == ("unigram_cache", "neural_cache")
    assert testing.rivals_of_corpora == ("kneser_ney",)


def test_an_evaluation_says_what_it_is():
    found = updates.online_evaluation("document_vector+output.sentence.document")
    assert found == ("document_vector+output", "sentence", "document")
    assert found.name == "document_vector+output.sentence.document"
    for other in ("none", "document_vector", "unigram_cache"):
        assert updates.online_evaluation(other) is None


def test_a_name_alone_is_a_list_of_it():
    assert experiment(updates=["all", ["output", "document_vector"]]).testing.updates == [
        ["all"],
        ["output", "document_vector"],
    ]


@pytest.mark.parametrize(
    ("testing", "expected"),
    [
        ({"updates": ["outputs"]}, ["testing.updates[0]", "'outputs'", "'embeddings'", "'all'"]),
        ({"updates": [["output", "none"]]}, ["testing.updates[0][1]", "'none'", "'output'"]),
        ({"updates": [3]}, ["testing.updates[0]", "3", "'document_vector'"]),
        ({"updates": [[]]}, ["testing.updates[0]", "at least 1"]),
        ({"updates": "all"}, ["testing.updates", "list", "'all'"]),
        ({"learning_rates": [-1]}, ["testing.learning_rates[0]", "-1"]),
        ({"document_rates": []}, ["testing.document_rates", "at least 1"]),
        ({"learn_after": ["article"]}, ["testing.learn_after[0]", "'article'", "'sentence'"]),
        ({"unit_of_text": ["book"]}, ["testing.unit_of_text[0]", "'book'", "'stream'"]),
        ({"rivals": ["bigram"]}, ["testing.rivals[0]", "'bigram'", "'neural_cache'"]),
        ({"rivals": ["mixture"]}, ["testing.rivals", "`mixture`", "give one more"]),
        (
            {"rivals": ["short_neural_cache", "mixture"]},
            ["testing.rivals", "`mixture`", "give one more"],
        ),
        ({"rivals": ["mixture", "mixture"]}, ["testing.rivals", "`mixture`", "give one more"]),
        (
            {"rivals": ["ngram_mixture", "mixture"]},
            ["testing.rivals", "`mixture`", "give one more"],
        ),
        ({"rivals": ["ngram_mixture"]}, ["testing.rivals", "`kneser_ney`", "give that"]),
        ({"kneser_ney_order": 1}, ["testing.kneser_ney_order", "2", "1"]),
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
    plain, other = experiment(), experiment(updates=["all"], learning_rates=[0.5], steps=1)
    assert plain.runs() == other.runs()
    assert pipeline.testing_settings(plain) != pipeline.testing_settings(other)
    more = experiment(rivals=["kneser_ney"], kneser_ney_order=4)
    assert pipeline.testing_settings(plain) == pipeline.testing_settings(more)


def test_a_run_has_the_files_of_its_evaluations(tmp_path):
    directory = ExperimentDirectory(tmp_path)
    described = experiment(updates=["document_vector"])
    static, online = (
        pipeline.evaluation_files(described, run, directory) for run in described.runs()
    )
    names = [Path(file).name for file in online]
    kinds = ("json", "parquet", "valid.npy", "test.npy")
    assert names[:-1] == [f"{n}.{kind}" for n in ("none", "document_vector") for kind in kinds]
    assert online[-1] == str(directory.further_evaluations(described.runs()[1].name))
    # A static network has no further evaluations, as it has no document vector.
    assert [Path(file).name for file in static] == [f"none.{kind}" for kind in kinds]
