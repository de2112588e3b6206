"""Tests of the planned runs: the rows that lists make, their search, and their names."""

import random
from typing import get_args

import pytest
from pydantic_core import PydanticUndefined

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.training import CellName, RunSettings, TrainingSettings
from online_rnnlm.core.sizes import Sizes, count
from online_rnnlm.corpora.planning import with_digits
from online_rnnlm.errors import UserError
from tests.unit.small_records import VITAL, plan


def experiment(**changed):
    values = {"corpora": {"c": VITAL}, "rows": [{"hidden_size": 8}]}
    return plan(**values | changed)


def names(runs):
    """Return the runs' names without their digits."""
    return [run.name.rpartition("-")[0] for run in runs]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"document_gradient": ["constant", "through"]}, ["D0"]),
        ({"document_rate": [1, 2]}, ["D0"]),
        (
            {
                **{"document_size": [0, 3], "engine": "graph"},
                "document_gradient": ["constant", "through"],
            },
            ["D0-graph", "D3-graph", "D3-through-graph"],
        ),
        ({"optimizer": "sgd", "accumulator_start": [1, 2]}, ["D0"]),
        ({"segment_tokens": [1, 2]}, ["D0"]),
    ],
    ids=str,
)
def test_a_setting_that_changes_nothing_makes_no_second_run(row, expected):
    found = experiment(rows=[{"hidden_size": 8, **row}])
    assert names(found.runs()) == [f"c-M8-{name}-seed1" for name in expected]
    if expected == ["D0"] and "optimizer" not in row:
        assert found.runs() == experiment().runs()


def test_runs_are_corpora_times_rows_times_seeds():
    found = experiment(
        corpora={"a": VITAL, "b": VITAL},
        seeds=[1, 2],
        training={"max_epochs": 3, "learning_rate": 9.0},
        rows=[
            {"hidden_size": [10, 20], "max_epochs": 5},
            {"hidden_size": [10, 20], "document_size": [2, 3]},
            {"hidden_size": 10, "document_size": 2, "cell": "lstm"},
            {"hidden_size": 30, "corpora": ["b"]},
        ],
    )
    assert len({run.name for run in found.runs()}) == 2 * (2 + 2 * 2 + 1) * 2 + 2
    runs = dict(zip(names(found.runs()), found.runs(), strict=True))
    settings = runs["b-M20-D3-seed2"].settings
    assert (settings.hidden_size, settings.document_size, settings.seed) == (20, 3, 2)
    assert (settings.learning_rate, settings.max_epochs) == (9.0, 3)
    assert runs["a-M10-D0-seed1"].settings.max_epochs == 5
    assert runs["a-M10-D2-lstm-seed1"].settings.cell == "lstm"
    assert found.search_runs() == []


@pytest.mark.parametrize("cell", get_args(CellName))
@pytest.mark.parametrize("network", ["100/20", "20/5", "12/35", "100/1"])
@pytest.mark.parametrize("classes", [1, 30, 220, 400])
def test_a_static_network_as_large_as_one_with_a_vector(cell, network, classes):
    """It has as many parameters, and one of a unit less has fewer."""
    hidden, document = map(int, network.split("/"))

    def parameters(units, size=0):
        settings = RunSettings(corpus="c", cell=cell, hidden_size=units, document_size=size)
        return count(Sizes.of(settings.network, 30_000, classes))

    [run] = experiment(
        corpora={"c": {**VITAL, "classes": {"count": classes}}},
        rows=[{"hidden_size": network, "cell": cell}],
    ).runs()
    units = run.settings.hidden_size
    assert parameters(units) >= parameters(hidden, document) > parameters(units - 1)


def test_the_network_and_the_engine_are_parts_of_a_name():
    whole = {"divide_by": "article", **VITAL}
    rows = [
        {"hidden_size": 10, "cell": "lstm", "document_size": 2},
        {"hidden_size": 10, "document_size": 2, "document_gradient": "through"},
        {"document_size": 2, "unit_of_text": "document"},
        {"document_size": 2, "unit_of_text": "stream"},
    ]
    runs = experiment(corpora={"c": whole}, training={"engine": "graph"}, rows=rows).runs()
    expected = {
        "c-M10-D2-lstm-graph-seed1": "LSTM 10/2 by graph",
        "c-M10-D2-through-graph-seed1": "10/2 through updates by graph",
        "c-M100-D2-document-graph-seed1": "100/2 per article by graph",
        "c-M100-D2-stream-graph-seed1": "100/2 stream by graph",
    }
    assert dict(zip(names(runs), (run.network_name for run in runs), strict=True)) == expected


def test_a_search_tries_each_combination_that_changes_something_once():
    search = {"optimizer": ["adagrad", "sgd"], "accumulator_start": ["1", 2]}
    found = experiment(training={"accumulator_start": 5}, search=search)
    runs = found.search_runs()
    assert [run.searched for run in runs] == [
        {"optimizer": "adagrad", "accumulator_start": 1.0},
        {"optimizer": "adagrad", "accumulator_start": 2.0},
        {"optimizer": "sgd"},
    ]
    assert names(runs)[0] == "c-M8-D0-optimizeradagrad-accumulator_start1.0-seed0"
    [row] = found.runs()
    assert row.candidates == tuple(run.name for run in runs)
    chosen = row.settings_with(runs[1].searched)
    assert chosen == runs[1].settings.model_copy(update={"seed": 1})
    assert row.settings_with({"optimizer": "sgd"}).accumulator_start == 1
    rows = [{"document_size": [0, 2]}]
    rates = experiment(rows=rows, search={"document_rate": [0.1, 0.2]}).search_runs()
    assert names(rates) == [f"c-M100-D2-document_rate{rate}-seed0" for rate in (0.1, 0.2)]


def test_a_row_may_have_a_search_of_its_own():
    found = experiment(
        rows=[
            {"hidden_size": 8},
            {"hidden_size": [6, 7], "search": {"learning_rate": [0.5], "dropout": [0.1, 0.2]}},
        ],
        search={"learning_rate": [0.3, 0.4]},
    )
    tried = [(run.settings.hidden_size, run.searched) for run in found.search_runs()]
    others = [{"learning_rate": 0.5, "dropout": dropout} for dropout in (0.1, 0.2)]
    own = [(size, values) for size in (6, 7) for values in others]
    assert tried == [(8, {"learning_rate": 0.3}), (8, {"learning_rate": 0.4}), *own]
    assert found.searched == ["learning_rate", "dropout"]


def test_a_row_may_have_updates_and_rivals_of_its_own():
    own = {"updates": [], "rivals": ["unigram_cache", "mixture"]}
    found = experiment(
        rows=[
            {"hidden_size": [8, 9]},
            {"hidden_size": 10, "rivals": []},
            {"hidden_size": 11, **own},
        ],
        testing={"updates": ["all"], "rivals": ["kneser_ney", "neural_cache"]},
    )
    usual = ["none", "all.word.sentence"]
    assert [[*run.evaluations] for run in found.runs()] == [
        [*usual, "neural_cache"],
        [*usual, "neural_cache"],
        usual,
        ["none", "unigram_cache", "mixture"],
    ]
    [ngrams] = found.corpus_rivals.values()
    *_, last = found.runs()
    parts = last.testing.rivals_by_name["mixture"].parts
    assert [part.name for part in parts] == ["unigram_cache", ngrams.rival.name]
    assert found.rivals == ["unigram_cache", "neural_cache", "mixture", "kneser_ney"]
    assert plan(**found.model_dump(mode="json")).runs() == found.runs()


def test_a_row_may_have_seeds_of_its_own():
    found = experiment(
        seeds=[4, 2],
        rows=[{"hidden_size": 8}, {"hidden_size": [9, 10], "seeds": [1, 3, 4]}],
        search={"learning_rate": [0.1, 0.2]},
    )
    assert [[run.settings.seed for run in row.runs] for row in found.planned_rows] == [
        [4, 2],
        [1, 3, 4],
        [1, 3, 4],
    ]
    assert found.all_seeds == [1, 2, 3, 4]
    with pytest.raises(UserError, match="`search_seed`: 3 is one"):
        experiment(**found.model_dump(mode="json", exclude={"digits"}) | {"search_seed": 3})


def test_a_single_value_is_that_of_the_searchs_runs_alone():
    search = {"learning_rate": [0.3, 0.4], "max_epochs": 2}
    found = experiment(training={"max_epochs": 9}, search=search)
    tried = [run.settings for run in found.search_runs()]
    assert [(one.learning_rate, one.max_epochs) for one in tried] == [(0.3, 2), (0.4, 2)]
    [run] = found.runs()
    assert run.settings_with(found.search_runs()[1].searched).max_epochs == 9
    assert found.searched == ["learning_rate"]
    [longer] = experiment(training={"max_epochs": 9}, search={**search, "max_epochs": 3}).runs()
    assert run.name != longer.name


def test_several_searches_try_the_combinations_of_each():
    coarse = {"learning_rate": [0.1, 0.2], "accumulator_start": [1, 0.1], "max_epochs": 2}
    longer = {"learning_rate": [0.2], "accumulator_start": [0.1], "max_epochs": 9}
    found = experiment(training={"max_epochs": 9}, search=[coarse, longer, longer])
    tried = [
        (run.settings.learning_rate, run.settings.accumulator_start, run.settings.max_epochs)
        for run in found.search_runs()
    ]
    assert tried == [(0.1, 1, 2), (0.1, 0.1, 2), (0.2, 1, 2), (0.2, 0.1, 2), (0.2, 0.1, 9)]
    [row] = found.runs()
    assert len(row.candidates) == len({*row.candidates}) == 5
    assert experiment(search={}).search_runs() == experiment(search=[]).search_runs() == []
    [one] = experiment(search={"learning_rate": [0.1]}).search_runs()
    assert [one] == experiment(search=[{"learning_rate": [0.1]}]).search_runs()


def test_a_setting_that_the_search_may_need_is_kept():
    """A row of SGD keeps AdaGrad's setting if the search may choose AdaGrad."""
    training = {"optimizer": "sgd", "accumulator_start": 5}
    found = experiment(training=training, search={"optimizer": ["adagrad"]})
    assert found.runs()[0].settings.accumulator_start == 5
    assert found.search_runs()[0].settings.accumulator_start == 5
    assert experiment(training=training).runs()[0].settings.accumulator_start == 1


USED = {"hidden_size": 8, "document_size": 2, "unit_of_text": "document"}
WHOLE = {"source": {"kind": "wikitext"}}
NEEDED = {
    "context_decay": {"cell": "slow_context", "engine": "graph"},
    "context_size": {"cell": "slow_context", "engine": "graph"},
    "device": {"engine": "jax"},
    "document_gradient": {"engine": "graph"},
    "improvement_factor": {"rate_rule": "toolkit"},
    "rate_divisor": {"rate_rule": "toolkit"},
}
"""Settings without which others cannot be changed."""


def name(row=USED, corpus=WHOLE, **changed):
    found = with_digits(experiment(corpora={"c": corpus}, rows=[row], **changed))
    return found.runs()[0].name


@pytest.mark.parametrize("key", sorted(TrainingSettings.model_fields))
def test_every_setting_of_a_run_changes_its_digits(key):
    field = RunSettings.model_fields[key]
    numbers = [2, 3] if isinstance(field.default, int) else [0.5, 0.6]
    if key != "document_decay" and isinstance(field.default, float | int) and field.default >= 1:
        numbers = [number + 2 for number in numbers]
    values = get_args(field.annotation)[:2] or numbers
    rows = [{**USED, **NEEDED.get(key, {}), key: value} for value in values]
    assert len({name(row).rpartition("-")[2] for row in rows}) == 2


@pytest.mark.parametrize("key", sorted(CorpusSettings.model_fields))
def test_every_setting_of_a_corpus_changes_the_names_of_its_runs(key):
    field = CorpusSettings.model_fields[key]
    default = field.default
    others = {
        "source": {"kind": "wikitext", "version": "wikitext-103"},
        "vocabulary": {"min_count": 2},
        "classes": {"count": 2},
    }
    words = [w for w in get_args(field.annotation) if isinstance(w, str) and w != default]
    others["earlier_test_sentences"] = 50
    other = others.get(key) or (words or [not default if isinstance(default, bool) else 50])[0]
    row = {"hidden_size": 8}
    corpus = {**WHOLE, "train_sentences": 900} if key == "earlier_test_sentences" else WHOLE
    assert name(row, {**corpus, key: other}) != name(row, corpus)
    if default is not PydanticUndefined:
        written = experiment(corpora={"c": WHOLE}).model_dump(mode="json")["corpora"]["c"][key]
        assert name(row, {**WHOLE, key: written}) == name(row)


def test_a_name_depends_on_nothing_but_the_run_and_its_corpus():
    shuffled = list(USED.items())
    random.Random(1).shuffle(shuffled)
    same = [
        name(dict(shuffled)),
        name({**USED, "learning_rate": 0.2, "cell": "sigmoid", "segment_tokens": 0}),
        name(training={"learning_rate": "0.2"}),
        name({"hidden_size": 8}, training={**USED, "hidden_size": 9}),
        name({**USED, "hidden_size": [8, 9]}),
        name({**USED, "updates": ["output"], "rivals": ["unigram_cache"]}, WHOLE),
    ]
    assert same == [name()] * len(same)
    assert name(seeds=[2]) != name()


def test_a_search_is_told_by_the_names_of_the_rows_that_it_decides():
    rates = {"learning_rate": [0.1, 0.2]}
    found = name(search=rates)
    assert found != name()
    assert found == name(search=rates, training={"learning_rate": 9})  # the search decides it
    for other in (
        {"search_seed": 7},
        {"training": {"error_clip": 1}},
        {"search": {"learning_rate": [0.1]}},
    ):
        assert name(**{"search": rates, **other}) != found


def test_a_name_is_short_enough_for_a_file():
    keys = ("learning_rate", "improvement_factor", "rate_divisor", "error_clip")
    search = {key: [1.2345678901] for key in keys}
    corpora = {"c" * 100: VITAL}
    search["accumulator_start"] = [1.2345678901, 1.2345678902]
    found = experiment(search=search, corpora=corpora, seeds=[2**256 - 1]).trainings()
    assert len({run.name for run in found}) == 3
    assert max(len(run.name) for run in found) < 230
