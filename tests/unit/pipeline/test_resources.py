"""Tests that jobs request enough of a scheduler, and more for larger models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config import loading
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.pipeline import resources
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.unit.small_records import statistics

EXPERIMENT = loading.parse(
    {
        "experiment": "test",
        "corpora": {"c": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [{"hidden_size": 100}],
    }
)


@pytest.fixture
def model_with(tmp_path):
    """A function that describes a model with the given settings and number of training tokens."""

    def make(tokens=1_000_000, vocabulary=10_000, **settings):
        directory = ExperimentDirectory(tmp_path)
        splits = {"train": tokens, "valid": 50_000, "test": 50_000}
        about = statistics(splits, vocabulary_size=vocabulary)
        records.write(directory.corpus("c").statistics, about)
        run = Run(settings=RunSettings.model_validate({"corpus": "c", **settings}))
        return resources.workload_of(EXPERIMENT, directory, run)

    return make


def requests(model, attempt=1):
    return (
        resources.run_mb(model, attempt),
        resources.training_minutes(model, attempt),
        resources.testing_minutes(model, resources.rates(EXPERIMENT.testing), attempt),
    )


@pytest.mark.parametrize(
    "more",
    [{"tokens": 10_000_000}, {"hidden_size": 400}, {"document_size": 100}, {"vocabulary": 60_000}],
    ids=str,
)
def test_no_request_falls_where_there_is_more_to_do_and_some_grow(model_with, more):
    little, much = requests(model_with()), requests(model_with(**more))
    assert all(b >= a for a, b in zip(little, much, strict=True))
    assert much != little


def test_an_lstm_needs_more(model_with):
    little, much = (requests(model_with(engine="graph", cell=one)) for one in ("sigmoid", "lstm"))
    assert all(b > a for a, b in zip(little, much, strict=True) if b != a)
    assert sum(b > a for a, b in zip(little, much, strict=True)) >= 2


def test_only_training_needs_time_for_epochs(model_with):
    few, many = requests(model_with(max_epochs=10)), requests(model_with(max_epochs=20))
    assert [a == b for a, b in zip(few, many, strict=True)] == [True, False, True]


def test_ten_million_words_fit(model_with):
    """`make bench` measured 542 MB for such a run; Snakemake's processes need more on top."""
    model = model_with(10_000_000, vocabulary=60_000, document_size=20)
    assert 1000 < resources.run_mb(model, 1) < 4000
    # 10 epochs of 10 million words at the 46,000 words/s of a node five times slower.
    assert 10 * 10_000_000 / 46_000 / 60 < resources.training_minutes(model, 1) < 24 * 60


@given(st.floats(1, 1e5), st.integers(1, 20))
def test_a_retry_asks_for_more_up_to_twice(request_, attempt):
    now, later = resources.grown(request_, attempt), resources.grown(request_, attempt + 1)
    assert request_ <= now <= later <= 2 * request_ + 1
    assert resources.grown(request_, 2) >= 1.5 * request_


def test_a_corpus_that_is_not_prepared_is_said_by_the_file_that_is_missing(tmp_path):
    """Snakemake asks again when it is there."""
    directory = ExperimentDirectory(tmp_path)
    run = Run(settings=RunSettings.model_validate({"corpus": "c"}))
    with pytest.raises(FileNotFoundError) as error:
        resources.workload_of(EXPERIMENT, directory, run)
    assert error.value.filename == str(directory.corpus("c").statistics)


@pytest.mark.parametrize(("engine", "number"), [("kernel", 3), ("graph", 1), ("jax", 1)])
def test_only_a_training_that_can_share_its_work_asks_for_several_cores(engine, number):
    run = Run(settings=RunSettings(corpus="c", hidden_size=4, engine=engine))
    shared = EXPERIMENT.model_copy(update={"threads": 3})
    assert resources.threads(run, shared) == number
