"""Tests that what has finished is shown, and that what is missing is named first."""

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from online_rnnlm.analysis.claims.write import judge, write_claims
from online_rnnlm.analysis.completeness import check_complete
from online_rnnlm.analysis.figures.rate_curve import draw as draw_rate_curve
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.report.finding import findings
from online_rnnlm.analysis.report.write import write_report
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.neighbours import write_neighbours
from online_rnnlm.analysis.tables.write import write_tables
from online_rnnlm.config.catalogue import figures_of, tables_of
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import TABLE_KINDS
from online_rnnlm.storage.records import Captions, Claims, Complete
from tests.unit.analysis.changes import diverge, diverge_evaluation

Invented = Callable[..., Results]
STATIC, LARGE, VECTOR = (f"invented-{model}-seed1" for model in ("M100-D0", "M135-D0", "M100-D20"))
BURST = "diverged in epoch 1: a perplexity exceeds 240; try a `learning_rate` below 1000"
ROWS = [{"hidden_size": 100, "document_size": [0, 20]}, {"hidden_size": 135}]
TESTING = {"updates": ["all"], "rivals": ["unigram_cache", "kneser_ney"]}


def _again(results: Results) -> Results:
    return collect(results.experiment, results.directory)


def _burst(results: Results, *runs: str) -> Results:
    """Let runs diverge; return the new results."""
    for run in runs:
        diverge(results.directory, run, f"{run}: {BURST}")
    return _again(results)


def _everything(results: Results, published_file: Path) -> str:
    """Write all tables, figures, claims and the report, as the workflow does; return the report."""
    described, directory = results.experiment, results.directory
    write_tables(described, directory, published_file)
    if any(table.verb == "neighbours" for table in tables_of(described)):
        write_neighbours(described, directory)
    write_figures(described, directory)
    write_claims(described, directory)
    write_report(described, directory, published_file)
    for table in tables_of(described):
        assert all(directory.table(table.name, kind).stat().st_size for kind in TABLE_KINDS)
    assert all(directory.figure(f.name, "svg").is_file() for f in figures_of(described))
    return directory.report.read_text(encoding="utf-8")


def _stands_first(page: str, line: str) -> bool:
    """True if a line of the report stands before its finding."""
    return -1 < page.find(line) < page.index("<h1>")


def test_a_row_that_diverged_is_left_out_and_named(
    invented: Invented, published_file: Path
) -> None:
    results = _burst(invented(rows=ROWS, testing=TESTING), STATIC)
    page = _everything(results, published_file)
    assert [row.label for row in results.rows] == ["100/20", "135/0"]
    assert _stands_first(page, f"{STATIC}: diverged in epoch 1")
    files = results.directory
    for table in ("perplexity", "updates"):
        assert "100/0" not in set(pd.read_csv(files.table(table, "csv"))["model"])
        assert "Missing: 100/0, seed 1 (diverged)" in files.table(table, "md").read_text()
    assert "Missing" not in files.table("corpora", "md").read_text()
    captions = records.read(Captions, files.captions).captions
    assert all(text.startswith("Missing: 100/0") for text in captions.values())
    claims = records.read(Claims, files.claims)
    assert {claim.against for claim in claims.claims if claim.number == 2} == {"135/0"}
    assert 1 in {claim.number for claim in claims.not_tested}


def test_a_row_with_a_diverged_seed_is_left_out_and_named(invented: Invented) -> None:
    results = _burst(invented(rows=ROWS, seeds=[1, 2]), VECTOR)
    assert [row.label for row in results.rows] == ["100/0", "135/0"]
    assert [one.line for one in results.missing] == [f"{VECTOR}: {BURST}"]
    write_neighbours(results.experiment, results.directory)
    table = results.directory.table("neighbours", "csv").read_text()
    assert "No row with a document vector has finished" in table
    assert (
        findings(results, judge(results).claims)[0]
        .split("): ")[1]
        .startswith("Only static networks")
    )


def test_a_diverged_evaluation_is_left_out_and_the_row_stays(
    invented: Invented, published_file: Path
) -> None:
    results = invented(rows=ROWS, seeds=[1, 2], testing=TESTING)
    name = "all.word.sentence"
    diverge_evaluation(results.directory, VECTOR, name, f"{VECTOR}, {name}: diverged on valid")
    results = _again(results)
    assert [row.label for row in results.rows] == ["100/0", "100/20", "135/0"]
    assert [one.line for one in results.missing] == [f"{VECTOR}, {name}: diverged on valid"]
    write_tables(results.experiment, results.directory, published_file)
    updates = pd.read_csv(results.directory.table("updates", "csv"))
    of_model = updates[updates["model"] == "100/20"]
    assert set(of_model["evaluation"]) == {"none", "document_vector"}
    assert name in set(updates[updates["model"] == "100/0"]["evaluation"])
    [vector_alone] = [claim for claim in judge(results).not_tested if claim.number == 4]
    assert "finished" in vector_alone.reason


def test_an_impossible_rival_is_named_and_all_else_is_shown(
    invented: Invented, published_file: Path
) -> None:
    results = invented(rows=ROWS, testing=TESTING)
    [folder] = rivals_of_corpora(results.experiment)
    reason = f"{folder}: no text"
    diverge_evaluation(results.directory, folder, "none", reason, "impossible")
    page = _everything(results, published_file)
    assert _stands_first(page, reason)
    table = results.directory.table("perplexity", "md").read_text()
    assert "(impossible)" in table
    assert "100/20" in table
    with pytest.raises(UserError, match="1 missing"):
        check_complete(results.experiment, results.directory)


def test_rates_that_all_diverged_have_no_curve(invented: Invented) -> None:
    results = invented(rows=[ROWS[0]], testing={"updates": ["all"]})
    diverge_evaluation(results.directory, VECTOR, "all.word.sentence", "diverged on valid")
    with pytest.raises(NothingToShowError, match="100/20"):
        draw_rate_curve(_again(results))


def test_a_row_whose_main_evaluation_diverged_is_left_out(invented: Invented) -> None:
    results = invented(rows=ROWS)
    diverge_evaluation(results.directory, VECTOR, "document_vector", "burst on test")
    results = _again(results)
    assert "100/20" not in [row.label for row in results.rows]
    assert [one.line for one in results.missing] == ["burst on test"]


def test_a_diverged_candidate_is_in_the_table_of_the_search(
    invented: Invented, published_file: Path
) -> None:
    results = invented(rows=ROWS, search={"learning_rate": [1000.0, 0.2]}, seeds=[1, 2])
    bad = "invented-M100-D0-learning_rate1000.0-seed0"
    assert all(row.settings.learning_rate == 0.2 for row in results.rows)
    results = _burst(results, bad)
    assert len(results.rows) == len(ROWS) + 1
    assert [one.line for one in results.missing] == [f"{bad}: {BURST}"]
    write_tables(results.experiment, results.directory, published_file)
    table = pd.read_csv(results.directory.table("search", "csv"))
    assert table["learning_rate"].tolist() == [1000.0, 0.2] * 3
    assert table["status"].tolist() == ["diverged", *["finished"] * 5]
    assert table["chosen"].tolist() == [False, True] * 3
    # The settings that were searched are known, though the first candidate diverged.
    perplexity = pd.read_csv(results.directory.table("perplexity", "csv"))
    assert perplexity["settings"].tolist() == ["learning_rate 0.2"] * 3


def test_an_experiment_of_which_nothing_has_finished_still_has_everything(
    invented: Invented, published_file: Path
) -> None:
    results = invented(rows=ROWS, search={"learning_rate": [0.2]}, testing={"updates": ["all"]})
    runs = [run.name for run in results.experiment.trainings()]
    results = _burst(results, *runs)
    page = _everything(results, published_file)
    assert len(results.missing) == len(runs)
    assert all(_stands_first(page, f"{run}: diverged") for run in runs)
    assert "No row has finished" in page[page.index("<h1>") :]


def test_a_corpus_of_which_nothing_has_finished_leaves_the_others(
    invented: Invented, published_file: Path
) -> None:
    corpora = {name: {"source": {"kind": "wikipedia-vital"}} for name in ("first", "second")}
    results = invented(corpora=corpora, rows=ROWS, testing=TESTING)
    results = _burst(results, *(run.name for run in results.runs if "first" in run.name))
    assert results.first_corpus == "second"
    [finding] = findings(results, judge(results).claims)
    assert finding.startswith("On second (")
    write_tables(results.experiment, results.directory, published_file)
    updates = results.directory.table("updates", "md").read_text()
    assert "100/0, seed 1 on first (diverged)" in updates
    for figure in ("perplexity_by_parameters", "learning_curves"):
        module = import_module(f"online_rnnlm.analysis.figures.{figure}")
        assert len(module.draw(results).drawing.axes) == 1


@pytest.fixture
def one_test_sentence(fake: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let invented test sets have a single sentence."""
    monkeypatch.setitem(fake.SENTENCES, "test", 1)


def test_a_single_test_sentence_gives_no_interval_and_no_error(
    one_test_sentence: None, invented: Invented, published_file: Path
) -> None:
    results = invented(rows=ROWS)
    claims = judge(results)
    assert claims.claims == ()
    assert [claim.number for claim in claims.not_tested] == [1, 2, 3, 4, 5, 6, 7]
    assert all("no interval" in claim.reason for claim in claims.not_tested)
    [missing] = results.missing
    for text in ("`invented`", "`corpora.invented.test_sentences`", "no interval"):
        assert text in missing.line
    assert findings(results, claims.claims)[0].split("): ")[1].startswith("The best row")
    for figure in ("perplexity_by_position", "gain_by_frequency"):
        import_module(f"online_rnnlm.analysis.figures.{figure}").draw(results)
    write_tables(results.experiment, results.directory, published_file)
    assert "100/20" in results.directory.table("perplexity", "md").read_text()


def test_nothing_is_missing_where_a_single_test_sentence_has_nothing_to_compare(
    one_test_sentence: None, invented: Invented
) -> None:
    assert invented(rows=[{"hidden_size": 100}]).missing == ()


def test_a_complete_experiment_is_marked(invented: Invented) -> None:
    results = invented(rows=ROWS)
    check_complete(results.experiment, results.directory)
    assert records.read(Complete, results.directory.complete).trainings == 3


def test_every_missing_thing_has_a_line_and_the_mark_goes(
    invented: Invented, caplog: pytest.LogCaptureFixture
) -> None:
    results = invented(rows=ROWS)
    check_complete(results.experiment, results.directory)
    results = _burst(results, STATIC, LARGE)
    caplog.set_level(logging.ERROR, logger="online_rnnlm")
    with pytest.raises(UserError, match="everything else is there; 2 missing"):
        check_complete(results.experiment, results.directory)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"{ERROR_MARK}{run}: {BURST}" for run in (STATIC, LARGE)]
    assert not results.directory.complete.exists()
