import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.published import load_published
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.corpora import make as corpora_table
from online_rnnlm.analysis.tables.gains import gains, shown
from online_rnnlm.analysis.tables.gains import make as gains_table
from online_rnnlm.analysis.tables.mixtures import make as mixtures_table
from online_rnnlm.analysis.tables.perplexity import make as perplexity_table
from online_rnnlm.analysis.tables.rendering import (
    Column,
    Table,
    integer,
    label,
    mean,
    to_latex,
    to_markdown,
)
from online_rnnlm.analysis.tables.search import make as search_table
from online_rnnlm.analysis.tables.updates import make as updates_table
from online_rnnlm.analysis.tables.write import write_tables
from online_rnnlm.config.catalogue import tables_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json, write_json
from tests.unit.analysis.changes import change_evaluation, change_split, diverge

Invented = Callable[..., Results]

COLUMNS = [
    "corpus",
    "hidden_size",
    "context_size",
    "cell",
    "document_size",
    "document_layer",
    "document_gradient",
    "unit_of_text",
    "carry",
    "model",
    "evaluation",
    "settings",
    "seeds",
    "parameters",
    "multiply_adds_per_word",
    "training_multiply_adds_per_word",
    "train_perplexity",
    "valid_perplexity",
    "test_perplexity",
    "test_perplexity_without_unk",
    "test_perplexity_vector_still",
    "words_per_second",
    "published_test_perplexity",
]
MEANS = COLUMNS[16:21]
TWO_ROWS = [{"hidden_size": 100}, {"hidden_size": 100, "document_size": 20}]
STATIC, ONLINE = "invented-M100-D0-seed1", "invented-M100-D20-seed1"


def _set(results: Results, run: str, evaluation: str, values: dict[str, float]) -> None:
    """Set an evaluation's perplexities, by split."""
    for split, value in values.items():
        metrics = {"perplexity": value, "perplexity_without_unk": value + 100}
        change_split(results.directory, run, evaluation, split, **metrics)


def _update(path: Path, **values: Any) -> None:
    write_json(path, read_json(path) | values)


def _again(results: Results) -> Results:
    return collect(results.experiment, results.directory)


def _bold(table: Table) -> list[list[str]]:
    """Return the headings of each row's bold cells."""
    return [
        [heading for heading, best in zip(table.headings, marks, strict=True) if best]
        for marks in table.best()
    ]


def _cell(table: Table, row: int, heading: str) -> str:
    return table.cells()[row][table.headings.index(heading)]


def test_csv_has_exactly_the_columns_and_the_configurations_order(
    invented: Invented, published_file: Path
) -> None:
    results = invented()
    write_tables(results.experiment, results.directory, published_file)
    csv = pd.read_csv(results.directory.table("perplexity", "csv"))
    assert list(csv.columns) == COLUMNS
    models = list(zip(csv["hidden_size"], csv["document_size"], strict=True))
    assert models == [(100, 0), (120, 0), (100, 20), (135, 0), (100, 35)]
    assert set(csv["published_test_perplexity"]) == {"unknown"}
    assert list(csv["test_perplexity_vector_still"].isna()) == [True, True, False, True, False]


def test_without_search_and_rivals_there_is_no_column_for_them(invented: Invented) -> None:
    headings = perplexity_table(invented()).headings
    assert headings[0] == "M/D"
    assert "Chosen on valid" not in headings
    assert "Seeds" not in headings


def test_a_vectors_row_shows_the_learning_vector_and_beside_it_the_still_one(
    invented: Invented,
) -> None:
    results = invented()
    _set(results, ONLINE, "document_vector", {"train": 50.0, "valid": 60.0, "test": 70.0})
    _set(results, ONLINE, "none", {"train": 51.0, "valid": 61.0, "test": 71.0})
    data = perplexity_table(_again(results)).data
    row = data[data["document_size"] == 20].iloc[0]
    assert [row[key] for key in MEANS] == [50.0, 60.0, 70.0, 170.0, 71.0]


def test_counts_are_those_of_the_runs_files(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS)
    directory = results.directory
    _update(directory.run(ONLINE).result, parameters=7, training_multiply_adds_per_word=33.0)
    change_evaluation(directory, ONLINE, "document_vector", multiply_adds_per_word=11.0)
    row = perplexity_table(_again(results)).data.iloc[1]
    assert row["parameters"] == 7
    assert row["training_multiply_adds_per_word"] == 33.0
    assert row["multiply_adds_per_word"] == 11.0


def test_several_seeds_give_mean_and_sample_deviation_side_by_side(invented: Invented) -> None:
    results = invented(seeds=[1, 2, 3], rows=[{"hidden_size": 100}])
    for seed, value in zip([1, 2, 3], [100.0, 102.0, 107.0], strict=True):
        _set(results, f"invented-M100-D0-seed{seed}", "none", {"test": value})
    table = perplexity_table(_again(results))
    row = table.data.iloc[0]
    assert row["seeds"] == 3
    assert row["test_perplexity"] == pytest.approx(103.0)
    assert row["test_perplexity_sd"] == pytest.approx(13**0.5)  # ((-3)² + (-1)² + 4²) / 2
    assert _cell(table, 0, "Test perplexity") == "103.0 ± 3.6"
    for key in [*MEANS, "words_per_second"]:
        columns = list(table.data.columns)
        assert columns.index(f"{key}_sd") == columns.index(key) + 1


RIVALS = {"rivals": ["unigram_cache", "neural_cache", "kneser_ney"]}


def test_rivals_stand_below_the_models_of_their_corpus(invented: Invented) -> None:
    source = {"source": {"kind": "wikipedia-vital"}}
    results = invented(rows=TWO_ROWS, testing=RIVALS, corpora={"one": source, "two": source})
    data = perplexity_table(results).data
    models = [
        *("100/0", "100/20", "100/0 + unigram cache", "100/0 + neural cache"),
        *("100/20 + unigram cache", "100/20 + neural cache"),
        "5-gram, modified Kneser-Ney",
    ]
    assert list(zip(data["corpus"], data["model"], strict=True)) == [
        (corpus, model) for corpus in ("one", "two") for model in models
    ]
    # Tables and figures of the networks alone can tell them apart by their sizes.
    assert list(data["hidden_size"].notna()) == ([True] * 2 + [False] * 5) * 2


def test_rivals_show_their_own_figures(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS, testing=RIVALS)
    _set(results, STATIC, "neural_cache", {"valid": 81.0, "test": 82.0})
    _set(results, "invented-kneser_ney5", "none", {"valid": 91.0, "test": 92.0})
    chosen = {"window": 500, "theta": 0.3, "weight": 0.1}
    cache = {"chosen": chosen, "multiply_adds_per_word": 5.0}
    ngram = {"parameters": 1234, "multiply_adds_per_word": 6.0}
    change_evaluation(results.directory, STATIC, "neural_cache", **cache)
    change_evaluation(results.directory, "invented-kneser_ney5", "none", **ngram)
    table = perplexity_table(_again(results))
    static, cached, five = (table.data.iloc[i] for i in (0, 3, 6))
    assert list(cached[MEANS].fillna(0)) == [0, 81.0, 82.0, 182.0, 0]
    assert list(five[MEANS].fillna(0)) == [0, 91.0, 92.0, 192.0, 0]
    assert cached["settings"] == "window 500, theta 0.3, weight 0.1"
    assert cached["parameters"] == static["parameters"]
    assert five["parameters"] == 1234
    assert (cached["multiply_adds_per_word"], five["multiply_adds_per_word"]) == (5.0, 6.0)
    assert pd.isna(cached["training_multiply_adds_per_word"])
    assert _cell(table, 6, "Parameters") == "1,234"
    assert _cell(table, 6, "Train perplexity") == ""


def test_a_rivals_spread_is_over_seeds_if_it_has_some(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS[:1], testing=RIVALS, seeds=[1, 2, 3])
    for seed, value, window in ((1, 100.0, 500), (2, 102.0, 100), (3, 107.0, 500)):
        name = f"invented-M100-D0-seed{seed}"
        _set(results, name, "unigram_cache", {"test": value})
        path = results.directory.evaluation(name, "unigram_cache")
        _update(path, chosen={"window": window, "weight": 0.1})
    table = perplexity_table(_again(results))
    assert _cell(table, 1, "Test perplexity") == "103.0 ± 3.6"
    assert _cell(table, 1, "Chosen on valid") == "window 500 / 100 / 500, weight 0.1"
    assert _cell(table, 1, "Seeds") == "3"
    assert pd.isna(table.data.iloc[3]["test_perplexity_sd"])
    assert "±" not in _cell(table, 3, "Test perplexity")
    assert _cell(table, 3, "Seeds") == ""


@pytest.mark.parametrize("best", [STATIC, "invented-kneser_ney5"])
def test_the_lowest_of_all_rows_is_bold_rivals_included(invented: Invented, best: str) -> None:
    results = invented(rows=TWO_ROWS, testing=RIVALS)
    _set(results, best, "none", {"test": 1.0})
    table = perplexity_table(_again(results))
    bold = ["Test perplexity" in headings for headings in _bold(table)]
    assert bold.index(True) == (0 if best == STATIC else 6)
    assert sum(bold) == 1


SEARCH = {"search": {"learning_rate": [0.1, 0.2], "document_rate": [0.05, 0.3]}}


def _candidate(size: int, learning_rate: float, document_rate: float | None = None) -> str:
    rates = f"learning_rate{learning_rate}"
    rates += f"-document_rate{document_rate}" if document_rate else ""
    return f"invented-M100-D{size}-{rates}-seed0"


@pytest.fixture
def searched(invented: Invented, fake: Any, tmp_path: Path) -> Results:
    """Two rows with different best candidates; perplexities on `test` do not matter."""
    experiment = fake.experiment(rows=TWO_ROWS, seeds=[1, 2], **SEARCH)
    directory = fake.write(tmp_path / "searched", experiment)
    values = {
        **{_candidate(0, 0.1): 90.0, _candidate(0, 0.2): 91.0},
        **{_candidate(20, 0.1, 0.05): 73.0, _candidate(20, 0.1, 0.3): 72.0},
        **{_candidate(20, 0.2, 0.05): 70.0, _candidate(20, 0.2, 0.3): 71.0},
    }
    for name, value in values.items():
        _update(directory.run(name).result, valid_perplexity=value)
    for run in experiment.runs():  # the trainings after the search
        fake.write_run(directory, fake.resolve(run, directory), {})
    return collect(experiment, directory)


def test_each_row_shows_the_settings_that_it_has_taken(searched: Results) -> None:
    data = perplexity_table(searched).data
    assert list(data["settings"]) == ["learning_rate 0.1", "learning_rate 0.2, document_rate 0.05"]


def test_the_search_table_marks_the_lowest_of_each_row_on_valid(searched: Results) -> None:
    table = search_table(searched)
    data = table.data
    assert list(data["model"]) == ["100/0"] * 2 + ["100/20"] * 4
    assert list(data["valid_perplexity"]) == [90.0, 91.0, 73.0, 72.0, 70.0, 71.0]
    assert list(data["chosen"]) == [True, False, False, False, True, False]
    assert [_cell(table, row, "Document rate") for row in range(3)] == ["", "", "0.05"]
    assert [bool(headings) for headings in _bold(table)] == list(data["chosen"])
    assert not [column for column in data.columns if "test" in column]


def test_of_equal_candidates_the_first_is_marked(searched: Results) -> None:
    for rate in (0.1, 0.2):
        path = searched.directory.run(_candidate(0, rate)).result
        _update(path, valid_perplexity=90.0)
    assert list(search_table(_again(searched)).data["chosen"])[:2] == [True, False]


def test_a_search_over_text_is_shown(fake: Any, tmp_path: Path) -> None:
    rules = ["plateau", "toolkit"]
    experiment = fake.experiment(rows=[{"hidden_size": 100}], search={"rate_rule": rules})
    results = collect(experiment, fake.write(tmp_path / "searched", experiment))
    table = search_table(results)
    assert [_cell(table, row, "Rate rule") for row in range(2)] == rules
    [settings] = perplexity_table(results).data["settings"]
    assert settings.removeprefix("rate_rule ") in rules


UPDATES = {"updates": ["all", ["document_vector", "output"]]}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["corpora", "perplexity", "gains"]),
        ({"testing": RIVALS}, ["corpora", "perplexity", "gains"]),
        ({"testing": UPDATES}, ["corpora", "perplexity", "gains", "updates"]),
        ({"testing": UPDATES, **SEARCH}, ["corpora", "perplexity", "gains", "updates", "search"]),
        ({"rows": [{"document_size": 20}]}, ["corpora", "perplexity"]),
    ],
)
def test_the_configuration_alone_says_which_tables_there_are(
    invented: Invented, published_file: Path, changes: dict[str, Any], names: list[str]
) -> None:
    results = invented(**changes)
    entries = tables_of(results.experiment)
    assert [entry.name for entry in entries if entry.verb == "tables"] == names
    write_tables(results.experiment, results.directory, published_file)
    written = {path.name for path in (results.directory.path / "tables").iterdir()}
    assert written == {f"{name}.{kind}" for name in names for kind in ("csv", "md", "tex", "html")}


@pytest.mark.parametrize(("size", "has"), [(0, False), ([0, 20], True)])
def test_neighbours_need_a_vector(fake: Any, size: Any, has: bool) -> None:
    rows = [{"hidden_size": 100, "document_size": size}]
    names = {entry.name for entry in tables_of(fake.experiment(rows=rows))}
    assert ("neighbours" in names) is has


def test_tables_are_the_same_bytes_every_time(invented: Invented, published_file: Path) -> None:
    results = invented(rows=TWO_ROWS, seeds=[1, 2], testing=UPDATES | RIVALS, **SEARCH)
    contents = []
    for _ in range(2):
        write_tables(results.experiment, results.directory, published_file)
        files = sorted((results.directory.path / "tables").iterdir())
        contents.append([(path.name, path.read_bytes()) for path in files])
    assert contents[0] == contents[1]
    assert len(contents[0]) == 20


def _updates(invented: Invented, **changes: Any) -> Results:
    """Return the results of two rows, with the perplexities of every evaluation set."""
    results = invented(rows=TWO_ROWS, testing=UPDATES | changes)
    values = {
        (STATIC, "none"): (61.0, 71.0),
        (STATIC, "all.word.sentence"): (62.0, 70.0),
        (STATIC, "output.word.sentence"): (63.0, 73.0),
        (ONLINE, "none"): (64.0, 74.0),
        (ONLINE, "document_vector"): (54.0, 64.0),
        (ONLINE, "all.word.sentence"): (55.0, 65.0),
        (ONLINE, "document_vector+output.word.sentence"): (56.0, 66.0),
    }
    for (name, evaluation), (valid, test) in values.items():
        _set(results, name, evaluation, {"valid": valid, "test": test})
    return _again(results)


def test_the_updates_csv_has_a_row_for_each_evaluation_of_each_model(
    invented: Invented, published_file: Path
) -> None:
    results = _updates(invented)
    costs = {"parameters_touched_per_word": 3.5, "multiply_adds_per_word": 4.5}
    chosen = {"learning_rate": 0.03}
    change_evaluation(results.directory, ONLINE, "all.word.sentence", chosen=chosen, **costs)
    write_tables(results.experiment, results.directory, published_file)
    csv = pd.read_csv(results.directory.table("updates", "csv"), keep_default_na=False)
    found = csv[["model", "evaluation", "valid_perplexity", "test_perplexity"]]
    assert list(found.itertuples(index=False, name=None)) == [
        ("100/0", "none", 61.0, 71.0),
        ("100/0", "all.word.sentence", 62.0, 70.0),
        ("100/0", "output.word.sentence", 63.0, 73.0),
        ("100/20", "none", 64.0, 74.0),
        ("100/20", "document_vector", 54.0, 64.0),
        ("100/20", "all.word.sentence", 55.0, 65.0),
        ("100/20", "document_vector+output.word.sentence", 56.0, 66.0),
    ]
    row = csv.iloc[5]
    ways = ["updates", "learn_after", "kept_for", "rate"]
    assert [str(row[key]) for key in ways] == ["all", "word", "sentence", "0.03"]
    costs = ["parameters_touched_per_word", "multiply_adds_per_word", "words_per_second"]
    assert list(row[costs]) == [3.5, 4.5, 90_000.0]


def test_the_readable_updates_table_has_a_column_for_each_model(invented: Invented) -> None:
    table = updates_table(_updates(invented))
    wanted = ["What learns", "After every", "Kept for a", "100/0", "100/20"]
    columns = [table.headings.index(heading) for heading in wanted]
    assert [[row[i] for i in columns] for row in table.cells()] == [
        ["nothing", "", "", "71.0", "74.0"],
        ["document vector, as trained", "word", "sentence", "", "64.0"],
        ["all", "word", "sentence", "70.0", "65.0"],
        ["document vector + output", "word", "sentence", "", "66.0"],
        ["output", "word", "sentence", "73.0", ""],
    ]
    assert _bold(table) == [[], ["100/20"], ["100/0"], [], []]


IN_ORDER = {"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}}


def test_a_vector_is_kept_for_the_unit_that_its_row_was_trained_by(invented: Invented) -> None:
    rows = [
        {"document_size": 20, "unit_of_text": ["sentence", "document"]},
        {"document_size": 20, "unit_of_text": "document", "carry": "state"},
    ]
    table = updates_table(invented(rows=rows, corpora=IN_ORDER))
    data = table.tidy[table.tidy["evaluation"] == "document_vector"]
    assert list(data["unit_of_text"]) == ["sentence", "document", "document"]
    assert list(data["kept_for"]) == ["sentence", "document", "sentence"]
    assert _cell(table, 1, "Kept for a") == "as trained"


def test_costs_and_rates_are_the_best_rows(invented: Invented) -> None:
    results = _updates(invented)
    costs = {"parameters_touched_per_word": 35.0, "multiply_adds_per_word": 4500.0}
    chosen = {"learning_rate": 0.3}
    change_evaluation(results.directory, ONLINE, "all.word.sentence", chosen=chosen, **costs)
    table = updates_table(_again(results))
    headings = ["Rate", "Parameters touched a word", "Multiply-adds a word", "Words/s"]
    assert [_cell(table, 2, heading) for heading in headings] == ["0.3", "35", "4,500", "90,000"]
    assert [_cell(table, row, "Rate") for row in (0, 1)] == ["", "0.15"]  # the rate of training
    # A row without this evaluation has no costs for it.
    assert [_cell(table, 4, heading) for heading in headings] == [""] * 4


def test_what_learns_is_said_once_of_all_its_ways(invented: Invented) -> None:
    table = updates_table(
        _updates(invented, unit_of_text=["sentence", "stream"], learn_after=["word", "sentence"])
    )
    ways = [row[:3] for row in table.cells()]
    assert ways[2:5] == [
        ["all", "word", "sentence"],
        ["", "word", "stream"],
        ["", "sentence", "stream"],
    ]
    assert [way[0] for way in ways].count("all") == 1


def test_the_caches_are_not_among_what_learns(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS, testing=UPDATES | RIVALS)
    table = updates_table(results)
    assert table.tidy is not None
    assert not [name for name in table.tidy["evaluation"] if "cache" in name]
    assert set(table.tidy["model"]) == {"100/0", "100/20"}


def test_the_updates_table_has_means_over_seeds_and_each_seeds_rate(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS[:1], testing={"updates": ["all"]}, seeds=[1, 2])
    for seed, value, rate in ((1, 100.0, 0.1), (2, 104.0, 0.03)):
        name = f"invented-M100-D0-seed{seed}"
        _set(results, name, "all.word.sentence", {"test": value})
        path = results.directory.evaluation(name, "all.word.sentence")
        _update(path, chosen={"learning_rate": rate})
    table = updates_table(_again(results))
    assert table.tidy is not None
    row = table.tidy.iloc[1]
    assert row["test_perplexity"] == 102.0
    assert row["test_perplexity_sd"] == pytest.approx(8**0.5)
    assert _cell(table, 1, "100/0") == "102.0 ± 2.8"
    assert _cell(table, 1, "Rate") == "0.1 / 0.03"


def test_the_corpora_table_has_a_row_a_split_and_says_the_corpuss_figures_once(
    invented: Invented,
) -> None:
    results = invented()
    path = results.directory.corpus("invented").statistics
    statistics = read_json(path)
    statistics["splits"]["test"] |= {"words": 12_345, "oov_rate": 0.0625}
    write_json(path, statistics)
    table = corpora_table(_again(results))
    assert list(table.data["split"]) == ["train", "valid", "test"]
    assert _cell(table, 2, "Words") == "12,345"
    assert _cell(table, 2, "OOV (%)") == "6.2"
    assert [_cell(table, row, "Vocabulary") for row in range(3)] == ["15,332", "", ""]
    assert list(table.data["vocabulary_size"]) == [15_332] * 3


def test_the_corpora_table_says_that_unknown_words_were_never_trained(invented: Invented) -> None:
    results = invented()
    path = results.directory.corpus("invented").statistics
    statistics = read_json(path)
    statistics["splits"]["train"] |= {"unk_tokens": 0}
    statistics["splits"]["valid"] |= {"unk_tokens": 0}
    statistics["splits"]["test"] |= {"unk_tokens": 17}
    write_json(path, statistics)
    assert any("17 words of test" in note for note in corpora_table(_again(results)).notes)
    statistics["splits"]["train"] |= {"unk_tokens": 1}
    write_json(path, statistics)
    assert not any("17" in note for note in corpora_table(_again(results)).notes)


def test_a_corpus_without_articles_has_none_to_count(
    invented: Invented, published_file: Path
) -> None:
    results = invented()
    _update(results.directory.corpus("invented").statistics, articles=None)
    assert _cell(corpora_table(_again(results)), 0, "Articles") == ""
    write_tables(results.experiment, results.directory, published_file)
    assert pd.read_csv(results.directory.table("corpora", "csv"))["articles"].isna().all()


def test_special_characters_are_escaped_and_the_best_is_bold() -> None:
    data = pd.DataFrame({"text": ["a|b <unk> 5 % $x_1$", "{c}"], "number": [1234, 1]})
    columns = [
        Column("Text & more", label("text"), text=True),
        Column("Number", integer("number"), best=lambda rows: rows["number"] == 1234),
    ]
    table = Table("odd", "An_odd table", data, columns)
    markdown = to_markdown(table)
    assert r"a\|b \<unk\>" in markdown
    assert "**1,234**" in markdown
    latex = to_latex(table)
    assert r"a|b \textless{}unk\textgreater{} 5 \% \$x\_1\$" in latex
    assert r"Text \& more & Number" in latex
    assert r"\textbf{1,234}" in latex
    assert r"\{c\} & 1" in latex


def _latex(columns: int, heading: str, **options: Any) -> str:
    data = pd.DataFrame({"x": [1.0], "x_sd": [0.25]})
    shown = [Column(heading, mean("x"), **options) for _ in range(columns)]
    return to_latex(Table("wide", "Wide", data, shown))


@pytest.mark.parametrize(
    ("columns", "environment", "small"),
    [(6, "table", False), (8, "table", True), (10, "sidewaystable", True)],
)
def test_a_wide_latex_table_is_set_small_and_a_very_wide_one_sideways(
    columns: int, environment: str, small: bool
) -> None:
    latex = _latex(columns, "Heading")  # 9 characters a column: `1.0 ± 0.2`
    assert re.findall(r"\\(?:begin|end)\{(\w*table)\}", latex) == [environment] * 2
    assert (r"\scriptsize" in latex) is small
    assert latex.index(r"\centering") < latex.index(r"\begin{tabular}")


def test_a_latex_heading_is_stacked_and_sentences_share_the_line() -> None:
    assert r"\shortstack[r]{Multiply-\\adds a word}" in _latex(1, "Multiply-adds a word")
    assert r"\shortstack[l]{Chosen on\\valid}" in _latex(1, "Chosen on valid", text=True)
    wide = _latex(3, "Nearest by document vector", text=True, wide=True)
    assert wide.count(r"p{0.25\linewidth}") == 3
    assert "shortstack" not in wide
    assert r"1.0 $\pm$ 0.2" in wide


def test_the_csv_is_of_the_tidy_frame_where_there_is_one(
    invented: Invented, published_file: Path
) -> None:
    results = _updates(invented)
    table = updates_table(results)
    assert table.tidy is not None
    write_tables(results.experiment, results.directory, published_file)
    csv = pd.read_csv(results.directory.table("updates", "csv"))
    assert list(csv.columns) == list(table.tidy.columns)
    np.testing.assert_allclose(csv["test_perplexity"], table.tidy["test_perplexity"])


def test_published_numbers_need_their_status(tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    row = "rows:\n  - {hidden_size: 100, document_size: 0, source: table 1, "
    path.write_text(row + "status: published, test_perplexity: 1.5}\n")
    published = load_published(path)
    assert published.test_perplexity(100, 0) == "1.5"
    assert published.test_perplexity(7, 0) == "unknown"
    for wrong in ("status: published}", "status: unknown, test_perplexity: 1.5}", "status: seen}"):
        path.write_text(row + wrong)
        with pytest.raises(UserError, match=f"{path}: "):
            load_published(path)


def test_a_model_has_one_published_number(tmp_path):
    """Without a vector there is no layer to tell two models apart."""
    path = tmp_path / "published.yaml"
    row = "hidden_size: 100, source: table 1, status: unknown"
    static = f"  - {{{row}, document_size: 0"
    vector = f"  - {{{row}, document_size: 20"
    path.write_text(f"rows:\n{static}}}\n{vector}}}\n{vector}, document_layer: both}}\n")
    assert load_published(path).test_perplexity(100, 20, "both") == "unknown"
    for again in (f"{vector}}}", f"{static}, document_layer: hidden}}"):
        path.write_text(f"rows:\n{static}}}\n{vector}}}\n{again}\n")
        with pytest.raises(
            UserError, match=r"published\.yaml: `rows\[2\]`: is of the same model as"
        ):
            load_published(path)


def test_a_published_number_is_of_one_layer(tmp_path: Path, invented: Invented) -> None:
    path = tmp_path / "published.yaml"
    row = "hidden_size: 100, document_size: 20, source: table 1, status: published"
    path.write_text(
        f"rows:\n  - {{{row}, test_perplexity: 1.5}}\n"
        f"  - {{{row}, test_perplexity: 2.5, document_layer: hidden}}\n"
    )
    layers = ["output", "hidden", "both"]
    results = invented(rows=[{"hidden_size": 100, "document_size": 20, "document_layer": layers}])
    results = collect(results.experiment, results.directory, load_published(path))
    data = perplexity_table(results).data
    assert list(data["published_test_perplexity"]) == ["1.5", "2.5", "unknown"]
    assert list(data["model"]) == ["100/20", "100/20 hidden", "100/20 both"]


def test_mixtures_show_what_each_rival_adds(invented: Invented) -> None:
    testing = {"rivals": ["unigram_cache", "neural_cache", "kneser_ney", "mixture"]}
    results = invented(rows=TWO_ROWS, testing=testing)
    _set(results, STATIC, "none", {"test": 100.0})
    _set(results, STATIC, "mixture", {"test": 45.0})
    table = mixtures_table(_again(results))
    # Alone the invented rivals reach 60, 61 and 62; all without each 50, 51 and 52.
    assert _cell(table, 0, "By itself") == "100.0"
    assert _cell(table, 0, "Neural cache") == "−39.0 / −11.8 %"
    assert _cell(table, 0, "5-gram") == "−38.0 / −13.5 %"
    assert _cell(table, 0, "All") == "45.0"
    assert table.tidy is not None
    assert list(table.tidy["rival"]) == ["unigram_cache", "neural_cache", "kneser_ney5"] * 2
    assert table.tidy.loc[0, "weight"] == pytest.approx(1 / 4)


def test_of_one_rival_the_mixture_is_the_pair(invented: Invented) -> None:
    testing = {"rivals": ["topics", "mixture"]}
    results = invented(rows=TWO_ROWS[:1], testing=testing)
    _set(results, STATIC, "none", {"test": 100.0})
    _set(results, STATIC, "mixture", {"test": 90.0})
    path = results.directory.evaluation(STATIC, "mixture")
    _update(path, mixtures=[{"weights": {"network": 1}, **dict.fromkeys(REACHED, 100.0)}])
    assert _cell(mixtures_table(_again(results)), 0, "Topics") == "−10.0 / −10.0 %"


def test_a_mixture_has_the_parameters_of_all_its_parts(invented: Invented) -> None:
    testing = {"rivals": ["unigram_cache", "kneser_ney", "mixture"]}
    data = perplexity_table(invented(rows=TWO_ROWS, testing=testing)).data.set_index("model")
    own, ngrams = (
        data.loc[name, "parameters"] for name in ("100/0", "5-gram, modified Kneser-Ney")
    )
    assert data.loc["100/0 + unigram cache", "parameters"] == own
    assert data.loc["100/0 + mixture", "parameters"] == own + ngrams


def test_a_mixture_with_ngrams_has_no_parameters_of_the_topics(invented: Invented) -> None:
    testing = {"rivals": ["kneser_ney", "topics", "ngram_mixture", "mixture"]}
    data = perplexity_table(invented(rows=TWO_ROWS, testing=testing)).data.set_index("model")
    of = data["parameters"].to_dict()
    ngrams, topics = of["5-gram, modified Kneser-Ney"], of["topic model (LDA)"]
    assert of["100/0 + 5-gram"] == of["100/0"] + ngrams
    assert of["100/0 + mixture"] == of["100/0"] + ngrams + topics


def _systems(*systems: tuple[str, float | None, int, float, float, float]) -> pd.DataFrame:
    """Rows as in the table `perplexity`: model, M, D, multiply-adds, valid and test perplexity."""
    columns = ["model", "hidden_size", "document_size"]
    columns += ["multiply_adds_per_word", "valid_perplexity", "test_perplexity"]
    return pd.DataFrame(systems, columns=columns).assign(corpus="invented")


def test_gains_are_those_over_the_cheapest_static_network() -> None:
    found = gains(
        _systems(
            ("120/0", 120, 0, 3000, 95, 90),
            ("100/0", 100, 0, 2000, 100, 100),
            ("100/20", 100, 20, 2500, 80, 70),
            ("5-gram", None, 0, 5, 110, 120),
            ("100/0 + cache", None, 0, 2001, 96, 97),
        )
    ).set_index("model")
    assert list(found.index) == ["5-gram", "100/0", "100/0 + cache", "100/20", "120/0"]
    assert found.loc["100/20", "gain_nats"] == pytest.approx(math.log(100 / 70))
    assert found.loc["100/20", "gain_nats_per_1000"] == pytest.approx(2 * math.log(100 / 70))
    assert found.loc["120/0", "gain_nats_per_1000"] == pytest.approx(math.log(100 / 90))
    assert (
        found["gain_nats_per_1000"].isna().sum() == 3
    )  # of what costs no more, or next to nothing
    assert list(found["best_at_its_cost"]) == [True, True, True, True, False]
    assert list(shown(found).index) == list(found.index)


def test_of_two_systems_of_one_cost_one_is_best() -> None:
    found = gains(
        _systems(
            ("100/0", 100, 0, 2000, 100, 90),
            ("100/0 document", 100, 0, 2000, 99, 95),
            ("100/0 document + cache", None, 0, 2001, 99.5, 80),
        )
    ).set_index("model")
    assert list(found["best_at_its_cost"]) == [False, True, False]
    assert list(shown(found).index) == ["100/0", "100/0 document"]


def test_without_a_static_network_there_are_no_gains(invented: Invented) -> None:
    results = _again(invented(rows=TWO_ROWS))
    table = gains_table(results)
    assert _cell(table, 0, "Gain (nats a word)") == "+0.000"
    diverge(results.directory, STATIC, "burst")
    with pytest.raises(NothingToShowError, match="No static network"):
        gains_table(_again(results))


REACHED = ("valid_perplexity", "test_perplexity")


def test_without_a_finished_mixture_the_table_says_so(invented: Invented) -> None:
    results = invented(rows=TWO_ROWS)
    with pytest.raises(NothingToShowError, match="mixture"):
        mixtures_table(results)
