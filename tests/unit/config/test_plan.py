"""Tests of the rows that lists make, of their search, and of settings without effect."""

import pytest

from online_rnnlm.config import loading
from online_rnnlm.errors import UserError


def experiment(**changed):
    values = {
        "experiment": "test",
        "corpora": {"c": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [{"hidden_size": 8}],
    }
    return loading.parse({**values, **changed})


def names(runs):
    return [run.name for run in runs]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"document_layer": ["output", "hidden", "both"]}, ["c-M8-D0-seed1"]),
        ({"document_layer": "hidden"}, ["c-M8-D0-seed1"]),
        (
            {"document_size": [0, 3], "document_layer": ["output", "hidden"]},
            ["c-M8-D0-seed1", "c-M8-D3-seed1", "c-M8-D3-hidden-seed1"],
        ),
        ({"optimizer": "sgd", "accumulator_start": [1, 2]}, ["c-M8-D0-seed1"]),
        ({"context_decay": [0.9, 0.95]}, ["c-M8-D0-seed1"]),
    ],
    ids=[
        *("every layer", "a layer", "with and without a vector", "SGD's accumulators"),
        "no context's decay",
    ],
)
def test_a_setting_that_changes_nothing_makes_no_second_run(row, expected):
    assert names(experiment(rows=[{"hidden_size": 8, **row}]).runs()) == expected


def test_runs_that_are_the_same_have_the_same_settings():
    [plain] = experiment().runs()
    shared = {"document_layer": "both", "document_rate": 0.5}
    [run] = experiment(training=shared).runs()
    assert run == plain
    [online] = experiment(training=shared, rows=[{"hidden_size": 8, "document_size": 2}]).runs()
    assert (online.settings.document_layer, online.settings.document_rate) == ("both", 0.5)


def test_the_decay_is_searched_where_there_are_context_units():
    rows = [{"context_size": [0, 2]}]
    found = experiment(rows=rows, search={"context_decay": [0.9, 0.95]})
    assert names(found.search_runs()) == [
        f"c-M100-C2-D0-context_decay{decay}-seed0" for decay in (0.9, 0.95)
    ]


def test_a_search_over_text_and_numbers_written_as_text():
    found = experiment(search={"rate_rule": ["plateau", "toolkit"], "learning_rate": ["0.1", 1]})
    runs = found.search_runs()
    assert [run.searched for run in runs] == [
        {"rate_rule": rule, "learning_rate": rate}
        for rule in ("plateau", "toolkit")
        for rate in (0.1, 1.0)
    ]
    assert all(isinstance(run.settings.learning_rate, float) for run in runs)
    assert runs[0].name == "c-M8-D0-rate_ruleplateau-learning_rate0.1-seed0"


def test_the_search_tries_nothing_twice():
    search = {"optimizer": ["adagrad", "sgd"], "accumulator_start": [1, 2]}
    found = experiment(training={"accumulator_start": 5}, search=search)
    assert [run.searched for run in found.search_runs()] == [
        {"optimizer": "adagrad", "accumulator_start": 1},
        {"optimizer": "adagrad", "accumulator_start": 2},
        {"optimizer": "sgd"},
    ]


def test_what_the_search_may_still_need_is_kept():
    """A row of SGD keeps AdaGrad's setting if the search may choose AdaGrad."""
    training = {"optimizer": "sgd", "accumulator_start": 5}
    found = experiment(training=training, search={"optimizer": ["adagrad"]})
    assert found.runs()[0].settings.accumulator_start == 5
    assert found.search_runs()[0].settings.accumulator_start == 5
    assert experiment(training=training).runs()[0].settings.accumulator_start == 1


def test_a_run_whose_name_is_too_long_for_a_file_is_refused():
    search = {
        key: [1.2345678901]
        for key in ("learning_rate", "l2", "initial_scale", "error_clip", "rate_divisor")
    }
    corpora = {"c" * 100: {"source": {"kind": "wikipedia-vital"}}}
    assert experiment(search=search).search_runs()
    with pytest.raises(UserError, match=r"`search`.*200"):
        experiment(search=search, corpora=corpora)


def test_a_thousand_rows_are_planned():
    sizes = {"hidden_size": list(range(1, 51)), "document_size": list(range(20))}
    assert len({run.name for run in experiment(rows=[sizes]).runs()}) == 1000
