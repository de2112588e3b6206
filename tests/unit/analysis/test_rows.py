"""Tests of the comparison's rows and of those that figures, tables and claims use."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from online_rnnlm.analysis.claims.write import judge
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.published import Published
from online_rnnlm.analysis.report.finding import findings
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.row import Metric
from online_rnnlm.analysis.tables.neighbours import make as neighbours_table
from online_rnnlm.analysis.tables.perplexity import make as perplexity_table
from online_rnnlm.analysis.tables.updates import make as updates_table
from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.records import Captions, RunRecord
from tests.unit.analysis.changes import change_evaluation, change_split

Invented = Callable[..., Results]

ROWS = [
    {"hidden_size": 100, "document_size": [0, 20, 35]},
    {"hidden_size": 100, "document_size": 20, "document_layer": "both"},
]


def _valid(results: Results, values: dict[str, float]) -> Results:
    """Change perplexities on `valid`, by row and one value a seed; return the new results."""
    for run in results.runs:
        if run.run.model in values:
            evaluation = final_evaluation(run.run.settings.document_size)
            value = values[run.run.model]
            change_split(results.directory, run.name, evaluation, "valid", perplexity=value)
    return collect(results.experiment, results.directory)


def test_a_row_has_a_run_for_each_seed_and_its_metrics(invented: Invented) -> None:
    results = invented(rows=ROWS, seeds=[3, 1])
    assert [row.label for row in results.rows] == ["100/0", "100/20", "100/35", "100/20 both"]
    row = results.rows[1]
    assert [run.seed for run in row.runs] == [3, 1]
    assert (row.corpus, row.hidden_size, row.document_size) == ("invented", 100, 20)
    assert [one.has_vector for one in results.rows] == [False, True, True, True]
    assert [one.is_the_papers for one in results.rows] == [False, True, True, False]
    values = [run.evaluations["document_vector"].splits["test"].perplexity for run in row.runs]
    assert row.perplexity("test").values == tuple(values)
    assert row.perplexity("test", "none").mean == pytest.approx(1.35 * sum(values) / 2)


def test_a_metric_has_the_mean_and_deviation_of_its_values() -> None:
    metric = Metric((1.0, 2.0, 6.0))
    assert metric.mean == 3.0
    assert metric.deviation == pytest.approx(7**0.5)
    assert math.isnan(Metric(()).mean)
    assert Metric((4.0,)).mean == 4.0
    assert math.isnan(Metric((4.0,)).deviation)


def test_a_split_that_is_left_out_has_no_values(invented: Invented) -> None:
    results = invented(testing={"rivals": ["unigram_cache"]})
    assert results.rows[0].metric("perplexity", "train", "unigram_cache").values == ()


def test_the_best_row_is_chosen_on_valid_by_the_mean_over_seeds(invented: Invented) -> None:
    results = _valid(invented(rows=ROWS, seeds=[3, 1]), {"100/20": 70.0, "100/35": 71.0})
    assert results.best("invented").label == "100/20"
    for split, value in (("valid", 73.0), ("test", 1.0)):
        run = "invented-M100-D20-seed1"
        change_split(results.directory, run, "document_vector", split, perplexity=value)
    again = collect(results.experiment, results.directory)
    assert again.best("invented").label == "100/35"


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        (ROWS, "100/35"),  # the paper's model, although others are better
        ([{"document_size": 0}, ROWS[1]], "100/20 both"),
        ([{"hidden_size": [100, 120]}], "120/0"),
    ],
)
def test_the_best_row_is_the_papers_model_where_there_is_one(
    invented: Invented, rows: list[dict[str, object]], best: str
) -> None:
    values = {"100/35": 80.0, "100/20": 81.0, "100/20 both": 10.0, "100/0": 5.0, "120/0": 4.0}
    assert _valid(invented(rows=rows), values).best("invented").label == best


def test_of_equal_rows_the_first_is_best(invented: Invented) -> None:
    results = _valid(invented(rows=ROWS), {"100/20": 70.0, "100/35": 70.0})
    assert results.best("invented").label == "100/20"


@pytest.mark.parametrize(
    ("static", "same", "more", "shown"),
    [
        ([100, 120, 135], "100/0", "120/0", ["100/0", "120/0"]),  # 135/0 has more as well
        ([90, 150, 100], "100/0", "150/0", ["100/0", "150/0"]),
        ([100], "100/0", None, ["100/0"]),
        ([90, 95], None, None, ["95/0"]),
        ([100, 105], "100/0", None, ["100/0", "105/0"]),
        ([], None, None, []),
    ],
)
def test_a_vector_is_set_against_a_like_and_a_larger_static_row(
    invented: Invented,
    static: list[int],
    same: str | None,
    more: str | None,
    shown: list[str],
) -> None:
    rows = [{"hidden_size": 100, "document_size": 20}, *({"hidden_size": m} for m in static)]
    results = invented(rows=rows)
    found = results.opponents(results.rows[0])
    assert (found.same_hidden and found.same_hidden.label) == same
    assert (found.more_parameters and found.more_parameters.label) == more
    assert [row.label for row in found.shown] == shown


LAYERS = [
    {"hidden_size": 100, "document_size": [0, 20]},
    {"hidden_size": 100, "document_size": [0, 20], "cell": "lstm"},
    {"hidden_size": [80, 120], "cell": "gru"},
    {"hidden_size": 100, "document_size": [0, 20], "context_size": 40},
]


def test_opponents_have_the_same_hidden_layer(invented: Invented) -> None:
    results = invented(rows=LAYERS)
    shown = {
        row.label: [other.label for other in results.opponents(row).shown]
        for row in results.rows
        if row.has_vector
    }
    assert shown == {
        "100/20": ["100/0"],
        "100/20 LSTM": ["100/0 LSTM"],
        "100+40/20": ["100+40/0"],
    }
    assert [row.units for row in results.rows[::2]] == [
        *("100 hidden units", "100 LSTM units", "80 GRU units", "100 hidden and 40 context units")
    ]


@pytest.mark.parametrize(
    ("valid", "chosen"), [((90.0, 80.0), "100/0 document"), ((80.0, 90.0), "100/0")]
)
def test_of_rows_of_one_size_the_opponent_is_the_better_one_on_valid(
    invented: Invented, valid: tuple[float, float], chosen: str
) -> None:
    units = {"hidden_size": 100, "unit_of_text": ["sentence", "document"]}
    results = invented(
        corpora={"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}},
        rows=[units, {**units, "document_size": 20}],
    )
    results = _valid(results, dict(zip(("100/0", "100/0 document"), valid, strict=True)))
    for row in results.rows[2:]:
        found = results.opponents(row).same_hidden
        assert found is not None
        assert found.label == chosen


def test_another_hidden_layer_is_not_the_papers(invented: Invented) -> None:
    results = invented(rows=LAYERS)
    assert [row.label for row in results.rows if row.is_the_papers] == ["100/20"]
    better = {"100/20 LSTM": 10.0, "100+40/20": 11.0}
    assert _valid(results, better).best("invented").label == "100/20"
    data = perplexity_table(results).data.set_index("model")
    assert list(data["cell"]) == ["sigmoid"] * 2 + ["lstm"] * 2 + ["gru"] * 2 + ["sigmoid"] * 2
    assert list(data["context_size"]) == [0] * 6 + [40] * 2


def test_the_papers_numbers_are_not_set_beside_another_hidden_layer(invented: Invented) -> None:
    model = {"hidden_size": 100, "document_size": 0, "status": "published", "source": "a table"}
    published = Published.model_validate({"rows": [{**model, "test_perplexity": 90.0}]})
    results = replace(invented(rows=LAYERS), published=published)
    table = perplexity_table(results)
    found = table.data.set_index("model")["published_test_perplexity"]
    assert {label for label, value in found.items() if value != "unknown"} == {"100/0"}
    assert any("slow context units" in note for note in table.notes)


def test_opponents_are_of_the_same_corpus(invented: Invented) -> None:
    source = {"source": {"kind": "wikipedia-vital"}}
    results = invented(rows=ROWS, corpora={"one": source, "two": source})
    for row in results.rows:
        assert all(other.corpus == row.corpus for other in results.opponents(row).shown)


TESTING = {"updates": ["document_vector", "all"], "unit_of_text": ["stream"]}


@pytest.mark.parametrize("best", [20, 35])
def test_all_speak_of_the_same_model(invented: Invented, best: int) -> None:
    values = {"100/20": 70.0, "100/35": 71.0 if best == 20 else 69.0, "100/20 both": 10.0}
    corpora = {"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}}
    results = _valid(invented(rows=ROWS, testing=TESTING, corpora=corpora), values)
    [headline] = findings(results, judge(results).claims)
    write_figures(results.experiment, results.directory)
    captions = records.read(Captions, results.directory.captions).captions
    said = {
        "headline": headline.replace(f"{best}-number", f"100/{best} "),
        "neighbours": neighbours_table(results).notes[0],
        "updates": updates_table(results).notes[-1],
        **{name: captions[name] for name in (
            "perplexity_by_position", "perplexity_by_distance", "gain_by_frequency",
            "rate_curve", "vector_map",
        )},
    }  # fmt: skip
    other = {20: 35, 35: 20}[best]
    for name, text in said.items():
        assert f"100/{best} " in text.replace(",", " ").replace(".", " ").replace("'", " "), name
        assert f"100/{other}" not in text, name


@pytest.mark.parametrize("missing", ["record", "result", "metrics"])
def test_a_run_that_lacks_a_file_is_named(invented: Invented, missing: str) -> None:
    results = invented()
    path: Path = getattr(results.directory.run("invented-M120-D0-seed1"), missing)
    path.unlink()
    with pytest.raises(UserError, match=str(path)):
        collect(results.experiment, results.directory)


def test_an_evaluation_of_an_older_training_is_refused(invented: Invented) -> None:
    results = invented()
    run = "invented-M120-D0-seed1"
    change_evaluation(results.directory, run, "none", identity="0" * 64)
    with pytest.raises(UserError, match="older training"):
        collect(results.experiment, results.directory)


def test_a_run_of_another_text_is_not_compared(invented: Invented) -> None:
    results = invented()
    path = results.directory.run("invented-M120-D0-seed1").record
    record = records.read(RunRecord, path)
    records.write(path, record.model_copy(update={"corpus_digest": "0" * 64}))
    with pytest.raises(UserError, match=f"{path}: trained on another text"):
        collect(results.experiment, results.directory)


def test_damaged_metrics_are_refused(invented: Invented) -> None:
    results = invented()
    path = results.directory.run("invented-M120-D0-seed1").metrics
    path.write_text(path.read_text().replace('"epoch": 2', '"epoch": 3'))
    with pytest.raises(UserError, match=f"{path}: damaged"):
        collect(results.experiment, results.directory)
