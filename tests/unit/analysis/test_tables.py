"""Tests of the tables: their values, their rows, and their four formats.

`test_documents.py` makes all tables of the kept experiments again, and compares every value of
their CSVs; here is what is shown, and what these experiments do not have.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.analysis.figures.updates import draw_updates
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables import (
    choices,
    comparisons,
    corpora,
    equal_perplexity,
    learning,
    mixtures,
    other_texts,
    perplexity,
    updates,
)
from online_rnnlm.analysis.tables.choices import edges
from online_rnnlm.analysis.tables.table import Column, Table
from online_rnnlm.analysis.tables.values import integer, settings_text, signed
from online_rnnlm.analysis.tables.writing import to_latex, to_markdown, write_tables
from online_rnnlm.config.catalogue import TABLES, those_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import write_json
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import (
    IN_ORDER,
    again,
    change_evaluation,
    change_split,
    read_json,
    timed,
    update_checksums,
)

MEANS = [
    *("train_perplexity", "valid_perplexity", "test_perplexity", "test_perplexity_without_unk"),
    "test_perplexity_frozen",
]
TWO_ROWS = [{"hidden_size": 100}, {"hidden_size": 100, "document_size": 20}]
STATIC = "invented-M100-D0-seed1"
ONLINE = "invented-M100-D20-seed1"
RIVALS = {"rivals": ["unigram_cache", "neural_cache", "kneser_ney"]}
UPDATES = {"updates": ["all", ["document_vector", "output"]]}
ONE_KIND = {"corpora", "perplexity", "learning", "neighbours"}
"""The tables of rows that all have a vector."""
BOTH_KINDS = ONE_KIND | {"comparisons", "equal_perplexity"}
SEARCH = {"search": {"learning_rate": [0.1, 0.2], "document_rate": [0.05, 0.3]}}


@pytest.mark.parametrize(
    ("change", "shown"),
    [(1.25, "+1.2"), (-0.06, "−0.1"), (-0.04, "0.0"), (0.04, "0.0"), (0.0, "0.0")],
)
def test_a_change_has_its_sign_unless_it_is_shown_as_0(change, shown):
    assert signed(change) == shown


def reach(results: Results, run: str, evaluation: str, **perplexities: float) -> None:
    """Set an evaluation's perplexities, by split."""
    for split, value in perplexities.items():
        metrics = {"perplexity": value, "perplexity_without_unk": value + 100}
        change_split(results.directory, run, evaluation, split, **metrics)


def update(path: Path, **values: Any) -> None:
    write_json(path, read_json(path) | values)


def bold(table: Table) -> list[list[str]]:
    """Return the headings of each row's bold cells."""
    return [
        [heading for heading, best in zip(table.headings, marks, strict=True) if best]
        for marks in table.best()
    ]


def cells(table: Table, row: int, *headings: str) -> list[str]:
    """Return the texts of cells of one row."""
    return [table.cells()[row][table.headings.index(heading)] for heading in headings]


def test_several_seeds_give_mean_and_sample_deviation_side_by_side(invented):
    results = invented(seeds=[1, 2, 3], rows=TWO_ROWS[:1], testing=RIVALS)
    for seed, value, window in ((1, 100.0, 500), (2, 102.0, 100), (3, 107.0, 500)):
        run = f"invented-M100-D0-seed{seed}"
        for evaluation in ("none", "unigram_cache"):
            reach(results, run, evaluation, test=value)
        chosen = {"window": window, "weight": 0.1}
        change_evaluation(results.directory, run, "unigram_cache", chosen=chosen)
    table = perplexity.make(again(results))
    row = table.data.iloc[0]
    columns = list(table.data.columns)
    assert row["seeds"] == 3
    assert row["test_perplexity"] == pytest.approx(103.0)
    assert row["test_perplexity_sd"] == pytest.approx(13**0.5)  # ((-3)² + (-1)² + 4²) / 2
    for key in [*MEANS, "words_per_second"]:
        assert columns.index(f"{key}_sd") == columns.index(key) + 1
    of_seeds = ("Test perplexity", "Chosen on valid", "Seeds")
    assert cells(table, 0, *of_seeds) == ["103.0 ± 3.6", "", "3"]
    cache = ["103.0 ± 3.6", "window 500 / 100 / 500, weight 0.1", "3"]
    assert cells(table, 1, *of_seeds) == cache
    assert cells(table, 3, "Seeds") == [""]
    assert "±" not in cells(table, 3, "Test perplexity")[0]


def test_rivals_show_their_own_values(invented):
    results = invented(rows=TWO_ROWS, testing=RIVALS)
    reach(results, STATIC, "neural_cache", valid=81.0, test=82.0)
    reach(results, "invented-kneser_ney5", "none", valid=91.0, test=1.0)
    chosen = {"window": 500, "theta": 0.3, "weight": 0.1}
    cache = {"chosen": chosen, "multiply_adds_per_word": 5.0}
    ngram = {"parameters": 1234, "multiply_adds_per_word": 6.0}
    change_evaluation(results.directory, STATIC, "neural_cache", **cache)
    change_evaluation(results.directory, "invented-kneser_ney5", "none", **ngram)
    table = perplexity.make(again(results))
    static, cached, five = (table.data.iloc[i] for i in (0, 3, 6))
    assert list(cached[MEANS].fillna(0)) == [0, 81.0, 82.0, 182.0, 0]
    assert list(five[MEANS].fillna(0)) == [0, 91.0, 1.0, 101.0, 0]
    assert cached["settings"] == "window 500, theta 0.3, weight 0.1"
    assert (cached["parameters"], five["parameters"]) == (static["parameters"], 1234)
    assert (cached["multiply_adds_per_word"], five["multiply_adds_per_word"]) == (5.0, 6.0)
    assert pd.isna(cached["training_multiply_adds_per_word"])
    assert cells(table, 6, "Parameters", "Train perplexity") == ["1,234", ""]
    assert "Seeds" not in table.headings  # there is one
    # The lowest of all rows is bold, rivals included.
    assert ["Test perplexity" in headings for headings in bold(table)].index(True) == 6


@pytest.mark.parametrize(
    ("best", "shown"), [(0, "rate_rule toolkit"), (2, "rate_rule cooldown, cooldown 0.3")]
)
def test_a_setting_that_a_candidate_does_not_use_is_not_shown(tmp_path, best, shown):
    search = {"rate_rule": ["toolkit", "cooldown"], "cooldown": [0.2, 0.3]}
    experiment = fake_experiment.experiment(rows=TWO_ROWS[:1], search=search)
    directory = fake_experiment.write(tmp_path / "searched", experiment)
    assert len(experiment.search_runs()) == 3  # the toolkit's rule has no cooldown
    for place, run in enumerate(experiment.search_runs()):
        update(directory.run(run.name).result, valid_perplexity=90.0 + (place != best))
    for run in experiment.runs():
        fake_experiment.write_run(directory, fake_experiment.resolve(run, directory), {})
    data = perplexity.make(collect(directory)).data
    assert list(data["settings"]) == [shown]


@pytest.mark.parametrize(("chosen", "at_the_edge"), [(1, ["a"]), (2, []), (3, []), (4, ["a"])])
def test_a_chosen_value_at_the_edge_of_its_grid_is_named(chosen, at_the_edge):
    tried = [{"a": a, "b": b} for a in (3, 1, 4, 2) for b in (1, 2)]  # two values have no middle
    assert edges(tried, {"a": chosen, "b": 1}) == at_the_edge
    # Words have no edge, and a search may try a setting in some of its runs only.
    words = [{"rule": rule} for rule in ("cooldown", "toolkit", "none")]
    assert edges([*tried, *words], {"a": chosen}) == at_the_edge
    assert edges(words, {"rule": "cooldown"}) == []


@pytest.mark.parametrize("first", [0, 1])
def test_a_seed_may_have_chosen_a_setting_that_another_has_as_in_training(first):
    by_seed = [{"learning_rate": 0.01}, {"learning_rate": 0.01, "document_rate": 0.4}]
    alpha = ["as in training", "0.4"]
    if first:
        by_seed = by_seed[::-1]
        alpha = alpha[::-1]
    expected = f"learning_rate 0.01, document_rate {' / '.join(alpha)}"
    assert settings_text(by_seed) == expected


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"testing": RIVALS}, BOTH_KINDS | {"choices"}),
        ({"testing": UPDATES}, BOTH_KINDS | {"updates", "choices"}),
        (SEARCH, BOTH_KINDS | {"choices"}),
        ({"rows": TWO_ROWS[:1]}, ONE_KIND - {"neighbours"}),
        ({"rows": TWO_ROWS[1:]}, ONE_KIND),
    ],
)
def test_the_configuration_alone_says_which_tables_there_are(changes, names):
    assert {
        entry.name for entry in those_of(TABLES, fake_experiment.experiment(**changes))
    } == names


@pytest.mark.parametrize(
    "changes", [{"testing": UPDATES | RIVALS, **SEARCH}, {"rows": TWO_ROWS[1:]}], ids=str
)
def test_every_table_is_in_every_format_the_same_bytes_every_time(invented, changes):
    results = invented(**changes)
    contents = []
    for _ in range(2):
        write_tables(results.directory)
        files = sorted((results.directory.path / "tables").iterdir())
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    names = [entry.name for entry in those_of(TABLES, results.experiment)]
    kinds = ("csv", "md", "tex", "html")
    assert {*contents[0]} == {f"{name}.{kind}" for name in names for kind in kinds}


def test_a_text_of_another_kind_has_a_row_a_network_and_a_column_an_adaptation(invented):
    testing = {**RIVALS, **UPDATES, "other_texts": {"fiction": "unused"}}
    results = invented(corpora=IN_ORDER, rows=TWO_ROWS, testing=testing, seeds=[1, 2])
    table = other_texts.make(results)
    rows = table.data.set_index(["model", "evaluation", "text"])
    names = [(row.network_name, name) for row in results.networks for name in row.tested]
    names.append((results.rivals[0].title, "none"))
    assert {*rows.index} == {(*one, text) for one in names for text in ("test", "fiction")}
    vector = rows.loc["100/20", "document_vector", "fiction"]["change_percent"]
    # The invented perplexities without <unk> are nine tenths of the others.
    changes = " / ".join([f"{vector:+.1f}".replace("-", "−")] * 2)
    headings = ("Text", "Tokens", "OOV (%)", "The vector as trained (%)")
    assert cells(table, 3, *headings) == ["fiction", f"{20 * 24}", "2.0", changes]
    assert cells(table, 1, "Text", "The vector as trained (%)") == ["fiction", ""]
    alone = invented(rows=TWO_ROWS[:1], testing={"other_texts": {"fiction": "unused"}})
    assert [row["text"] for row in other_texts.make(alone).rows] == ["test", "fiction"]
    for run in alone.runs:  # the network itself has diverged on the text
        del run.evaluations["none"].splits["fiction"]
    assert [row["text"] for row in other_texts.make(alone).rows] == ["test"]


def test_intervals_allow_for_what_a_cache_keeps_from_one_sentence_to_the_next(invented):
    """It has the scores of weights that learn in one sentence alone, alike in 4 neighbours."""
    testing = {**RIVALS, **UPDATES, "other_texts": {"fiction": "unused"}}
    results = invented(rows=TWO_ROWS[:1], testing=testing)
    for evaluation in ("all.word.sentence", "unigram_cache"):
        for text in ("test", "fiction"):
            lengths = np.diff(np.load(results.directory.corpus("invented").offsets(text)))
            scores = np.repeat(-(4 + np.arange(len(lengths)) // 4 % 2), lengths)
            np.save(results.directory.token_scores(STATIC, evaluation, text), scores)
        update_checksums(results.directory, STATIC, evaluation)
    rows = other_texts.make(again(results)).data.set_index(["text", "evaluation"])
    width = rows["interval_high_percent"] - rows["interval_low_percent"]
    assert width["test", "unigram_cache"] > 1.5 * width["test", "all.word.sentence"]
    # Text in order is drawn by articles, whatever is kept.
    assert width["fiction", "unigram_cache"] == width["fiction", "all.word.sentence"]


def test_a_text_of_another_kind_with_a_single_sentence_is_refused(invented, monkeypatch):
    monkeypatch.setattr(fake_experiment, "OF_ANOTHER_KIND", 1)
    results = invented(rows=TWO_ROWS, testing={"other_texts": {"fiction": "unused"}})
    with pytest.raises(UserError, match="`fiction` needs two sentences"):
        other_texts.make(results)


UPDATED = [
    ("100/0", "none", 74.0),
    ("110/0", "none", 73.0),
    ("110/0", "output.word.sentence", 72.0),
    ("110/0", "output.word.document", 71.0),
    ("110/0", "all.word.sentence", 70.0),
    ("110/0", "all.word.document", 69.0),
    ("110/0", "dynamic_evaluation", 68.0),
    ("100/20", "none", 90.0),
    ("100/20", "document_vector", 67.0),
    ("100/20", "document_vector.word.sentence", 66.5),  # the rate of training counts
    ("100/20", "document_vector.word.document", 66.0),
    ("100/20", "all.word.sentence", 65.0),
    ("100/20", "all.word.document", 64.0),
]
"""Networks, their evaluations, and test perplexities."""
GRID: dict[str, Any] = {
    "corpora": IN_ORDER,
    "rows": [*TWO_ROWS, {"hidden_size": [110, 120]}],
    "testing": {
        "updates": ["document_vector", "output", "all"],
        "unit_of_text": ["sentence", "document"],
        "rivals": ["dynamic_evaluation", "unigram_cache"],
    },
}


def grid(invented):
    """A network with a vector, and static ones of which 110/0 has as many parameters."""
    results = invented(**GRID)
    for model, evaluation, test in UPDATED:
        hidden, size = model.split("/")
        reach(results, f"invented-M{hidden}-D{size}-seed1", evaluation, test=test)
    parameters = next(row for row in results.networks if row.network_name == "100/20").parameters
    update(results.directory.run("invented-M110-D0-seed1").result, parameters=parameters)
    return again(results)


def test_the_rates_of_updates_are_shown_by_unit_and_marked_at_the_edge(invented):
    results = grid(invented)
    curve = [
        {"settings": {"learning_rate": rate}, "valid_perplexity": 9} for rate in (0.1, 0.2, 0.3)
    ]
    for unit, rate in (("sentence", 0.3), ("document", 0.2)):
        change = {"chosen": {"learning_rate": rate}, "curve": curve}
        run = "invented-M110-D0-seed1"
        change_evaluation(results.directory, run, f"output.word.{unit}", **change)
    table = updates.make(again(results))
    shown = {row[3]: row[table.headings.index("Rate")] for row in table.cells()}
    assert shown["nothing"] == ""
    assert shown["the output layer"] == "0.3* / 0.2 / –"
    assert shown["the vector"] == "0.15 / 0.01* / –"  # as trained, and the first of three


def test_a_static_network_that_is_updated_stands_beside_a_vector(invented):
    """120/0 has as many parameters, but nothing of it is updated."""
    rows = [*TWO_ROWS, {"hidden_size": 120, "updates": []}]
    table = updates.make(invented(rows=rows, testing={"updates": ["all"]}))
    assert [row["model"] for row in table.rows] == ["100/0", "100/20", "100/0", "100/20"]


def test_a_vector_is_set_beside_no_static_network_of_fewer_hidden_units(invented):
    rows = [*TWO_ROWS, {"hidden_size": 200, "document_size": 20, "updates": []}]
    table = updates.make(invented(rows=rows, testing={"updates": ["all"]}))
    assert [row["model"] for row in table.rows if row["vector"] == "200/20"] == ["200/20"]


def test_without_a_vector_that_learns_updates_have_a_block_for_each_network(invented):
    without = {"hidden_size": 100, "document_size": 20, "document_step": "words"}
    rows = [{"hidden_size": 100}, without]
    table = updates.make(invented(rows=rows, testing={"updates": ["all"]}))
    shown = ("Network", "Updated after every word")
    assert [cells(table, row, *shown) for row in range(len(table.rows))] == [
        *(["100/0", part] for part in ("nothing", "everything")),
        *(["100/20 without errors", part] for part in ("nothing", "everything")),
    ]


@pytest.mark.slow  # matplotlib draws
def test_the_picture_of_updates_has_what_is_forgotten_at_the_article(invented):
    """Weights are timed at the first unit of text."""
    results = grid(invented)
    for number, evaluation in enumerate(("output.word.sentence", "dynamic_evaluation"), start=1):
        results = timed(results, "110/0", evaluation, [number * 1e-5] * 3)
    figure, caption = draw_updates(results)
    places = sorted(
        (round(float(x)), float(y))
        for line in figure.axes[0].lines
        for x, y in np.atleast_2d(np.transpose(line.get_data()))
        if line.get_marker() not in (None, "None")
    )
    shown = {y: x for x, y in places}
    assert {*shown} == {73.0, 66.0, 71.0, 69.0, 68.0, 64.0}
    assert (shown[71.0], shown[68.0]) == (100_000, 50_000)
    assert "forgotten at the article" in caption


def test_the_corpora_table_has_a_row_a_split_and_says_a_corpuss_properties_once(invented):
    results = invented()
    path = results.directory.corpus("invented").statistics
    statistics = read_json(path)
    statistics["splits"]["test"] |= {"words": 12_345, "oov_rate": 0.0625, "in_train": 3}
    for split, unknown in (("train", 0), ("valid", 0), ("test", 17)):
        statistics["splits"][split] |= {"unk_tokens": unknown}
    write_json(path, statistics)
    table = corpora.make(again(results))
    assert [row["split"] for row in table.rows] == ["train", "valid", "test"]
    assert cells(table, 2, "Words", "OOV (%)") == ["12,345", "6.2"]
    assert [cells(table, row, "Vocabulary")[0] for row in range(3)] == ["15,332", "", ""]
    assert list(table.data["vocabulary_size"]) == [15_332] * 3
    notes = " ".join(table.notes)
    for said in ("17 words of test are <unk>", "of test that are in train, too: 3", "4 duplicate"):
        assert said in notes
    statistics["splits"]["train"] |= {"unk_tokens": 1}
    write_json(path, statistics | {"articles": None})
    table = corpora.make(again(results))
    assert "17 words" not in " ".join(table.notes)
    assert cells(table, 0, "Articles") == [""]


def test_mixtures_show_what_each_rival_adds(invented):
    testing = {"rivals": ["unigram_cache", "neural_cache", "kneser_ney", "mixture"]}
    results = invented(rows=TWO_ROWS, testing=testing)
    reach(results, STATIC, "none", test=100.0)
    reach(results, STATIC, "mixture", test=45.0)
    table = mixtures.make(again(results))
    # Alone the invented rivals reach 60, 61 and 62; all without each 50, 51 and 52.
    wanted = ["100.0", "−39.0 / −11.8 %", "−38.0 / −13.5 %", "45.0"]
    assert cells(table, 0, "By itself", "Neural cache", "5-gram", "All") == wanted
    assert list(table.data["rival"]) == ["unigram_cache", "neural_cache", "kneser_ney5"] * 2
    assert table.data.loc[0, "weight"] == pytest.approx(1 / 4)
    with pytest.raises(NothingToShowError, match="mixture"):
        mixtures.make(invented(rows=TWO_ROWS))


@pytest.mark.parametrize(
    ("row", "main", "kept"),
    [
        (TWO_ROWS[1], "document_vector", "document_vector.word.document"),
        ({"hidden_size": 100, "cell": "slow_context"}, "none", "none.word.document"),
    ],
)
def test_a_network_in_a_mixture_has_its_best_adaptation_on_valid(invented, row, main, kept):
    """The vector, or the slow units, but no weights are updated."""
    testing = {
        "updates": ["document_vector", "output"],
        "unit_of_text": ["document"],
        "rivals": ["kneser_ney", "mixture"],
    }
    results = invented(rows=[row], testing=testing, corpora=IN_ORDER)
    assert results.in_words[kept] == "kept for the article"
    [run] = results.runs
    reach(results, run.name, main, valid=90.0, test=80.0)
    reach(results, run.name, kept, valid=85.0, test=100.0)
    reach(results, run.name, "output.word.document", valid=10.0, test=10.0)
    assert cells(mixtures.make(again(results)), 0, "By itself") == ["100.0"]


def test_a_row_with_rivals_of_its_own_has_a_mixture_of_these(invented):
    own = {"rivals": ["neural_cache", "mixture"]}
    testing = {"rivals": ["kneser_ney", "unigram_cache", "mixture"]}
    rows = [TWO_ROWS[0], {**TWO_ROWS[1], **own}, {"hidden_size": 90, "rivals": []}]
    results = invented(rows=rows, testing=testing)
    table = mixtures.make(results)
    assert [*table.data["model"]] == ["100/0"] * 2 + ["100/20"] * 2
    parts = [*table.data["rival"]]
    assert parts == ["unigram_cache", "kneser_ney5", "neural_cache", "kneser_ney5"]
    assert cells(table, 0, "Neural cache") == cells(table, 1, "Unigram cache") == [""]
    mixed = {
        tested.title: tested
        for tested in results.systems_on("invented")
        if tested.network and tested.evaluation == "mixture"
    }
    alone = [network.parameters + 900_000 for network in results.networks[:2]]
    assert [mixture.parameters for mixture in mixed.values()] == alone


def test_a_mixture_with_one_rival_is_the_pair(invented):
    results = invented(rows=TWO_ROWS[:1], testing={"rivals": ["kneser_ney", "mixture"]})
    reach(results, STATIC, "none", test=100.0)
    reach(results, STATIC, "mixture", test=90.0)
    alone = {"weights": {"network": 1}, "valid_perplexity": 100.0, "test_perplexity": 100.0}
    update(results.directory.evaluation(STATIC, "mixture"), mixtures=[alone])
    assert cells(mixtures.make(again(results)), 0, "5-gram") == ["−10.0 / −10.0 %"]


def test_special_characters_are_escaped_and_the_best_is_bold():
    rows = [{"text": "a|b <unk> 5 % $x_1$", "number": 1234}, {"text": "{c}", "number": 1}]
    columns = [
        Column("Text & more", "text", text=True),
        Column("Number", "number", integer, best=lambda row: row["number"] == 1234),
    ]
    table = Table("An_odd table", rows, columns)
    markdown = to_markdown(table)
    assert r"a\|b &lt;unk&gt;" in markdown
    assert "**1,234**" in markdown
    latex = to_latex(table, "odd")
    assert r"a|b \textless{}unk\textgreater{} 5 \% \$x\_1\$" in latex
    assert r"Text \& more & Number" in latex
    assert r"\textbf{1,234}" in latex
    assert r"\{c\} & 1" in latex


def test_comparisons_have_each_pair_once_with_its_costs(invented):
    results = invented({"100/0": 110.0, "100/20": 99.0}, testing=RIVALS)
    table = comparisons.make(results)
    pairs = [*zip(table.data["system"], table.data["system_against"], strict=True)]
    assert len(pairs) == len({*pairs}) and pairs[0] == ("100/20", "100/0")
    other, vector = (row for row in results.networks if row.network_name in ("100/0", "100/20"))
    more = 100 * abs(vector.parameters / other.parameters - 1)
    [shown] = cells(table, 0, "Parameters (%)")
    assert float(shown.strip("+−")) == pytest.approx(more, abs=0.06)
    assert cells(table, 0, "Time per word (%)") == ["+20.0"]


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([0.2, 0.1, -0.1], math.sqrt(20 * 40)),
        ([0.2, 0.0, -0.1], 20),
        ([-0.1, -0.2, -0.3], 0),
        ([0.3, 0.2, 0.1], math.inf),
    ],
)
def test_the_size_without_a_gain_is_interpolated(gains, expected):
    assert equal_perplexity.crossing([10, 20, 40], gains) == pytest.approx(expected)


def test_the_static_network_of_the_same_perplexity_has_its_costs(invented):
    """100/20 is as good as 120/0, and better than 100/0; what costs 120/0 more is saved."""
    sizes = {"100/0": 110.0, "120/0": 100.0, "135/0": 95.0, "100/20": 100.0}
    results = invented(sizes, rows=[{"hidden_size": [100, 120, 135]}, {"document_size": 20}])
    [row] = equal_perplexity.make(results).data.to_dict("records")
    assert row["units"] == pytest.approx(120, rel=0.001)
    assert row["units_low"] < row["units"] < row["units_high"]
    static = next(row for row in results.networks if row.network_name == "120/0")
    assert row["parameters_static"] == pytest.approx(static.parameters, rel=0.001)
    assert row["seconds_per_word_static"] == pytest.approx(1.01 * 1.44e-5, rel=0.01)
    better = invented({**sizes, "100/20": 50.0}, rows=TWO_ROWS)
    with pytest.raises(NothingToShowError):
        equal_perplexity.make(better)  # there is one static size


def test_of_slow_units_beside_as_many_hidden_units_the_best_on_valid_counts(invented):
    """100+10/0 is smaller than 100+20/0, but worse."""
    slow = {"cell": "slow_context", "hidden_size": [100, 120], "context_size": [10, 20]}
    vector = {"cell": "slow_context", "context_size": 20, "document_size": 20}
    perplexities = {"100+10/0": 130.0, "100+20/0": 100.0, "120+10/0": 128.0, "120+20/0": 90.0}
    results = invented(perplexities | {"100+20/20": 95.0}, rows=[slow, vector])
    for hidden in (100, 120):
        path = results.directory.run(f"invented-M{hidden}-C10-D0-seed1").result
        update(path, parameters=read_json(path)["parameters"] - 1000)
    [row] = equal_perplexity.make(again(results)).rows
    assert 100 < row["units"] < 120


def test_the_shown_curves_of_learning_are_means_over_the_seeds(invented):
    table = learning.make(invented(seeds=[1, 2], rows=TWO_ROWS))
    means = table.data[table.data["epoch"] == 4].groupby("model")["valid_perplexity"].mean()
    at_four = table.headings.index("Epoch 4")
    shown = {cells[0]: cells[at_four] for cells in table.cells()}
    assert shown == {model: f"{mean:.1f}" for model, mean in means.items()}


def test_of_runs_of_the_same_settings_the_better_one_was_chosen(invented, monkeypatch):
    """A short search and a longer one may try the same values; digits tell their runs apart."""
    monkeypatch.setattr("online_rnnlm.config.runs.DIGITS", 8)
    coarse = {"learning_rate": [0.1, 0.2], "max_epochs": 2}
    longer = {"learning_rate": [0.1, 0.2], "max_epochs": 9}
    results = invented(rows=TWO_ROWS[:1], search=[coarse, longer])
    data = choices.make(results).data
    assert len(data) == 4
    assert [*data.loc[data["chosen"], "valid_perplexity"]] == [data["valid_perplexity"].min()]
