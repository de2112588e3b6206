"""Tests that what has finished is shown, and that what is missing is named first."""

import logging
from dataclasses import replace

import pandas as pd
import pytest

from online_rnnlm.analysis.claims import judge, write_claims
from online_rnnlm.analysis.figures.epochs import draw_learning
from online_rnnlm.analysis.figures.systems import draw_costs
from online_rnnlm.analysis.figures.writing import write_figures
from online_rnnlm.analysis.reading import mark_complete
from online_rnnlm.analysis.report import write_report
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.writing import write_tables
from online_rnnlm.analysis.wording import findings
from online_rnnlm.config.catalogue import FIGURES, TABLES, those_of
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.audits import AuditedRule
from online_rnnlm.storage.experiments import Audits, Captions, Complete
from online_rnnlm.storage.files import write_json
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import again, diverge, diverge_evaluation
from tests.unit.small_records import VITAL

STATIC, LARGE, VECTOR = (f"invented-{model}-seed1" for model in ("M100-D0", "M135-D0", "M100-D20"))
BURST = "diverged in epoch 1: a perplexity exceeds 240; try a `learning_rate` below 1000"
ROWS = [{"hidden_size": 100, "document_size": [0, 20]}, {"hidden_size": 135}]
TESTING = {"updates": ["all"], "rivals": ["unigram_cache", "kneser_ney"]}


def burst(results: Results, *runs: str) -> Results:
    """Let runs diverge; return the new results."""
    for run in runs:
        diverge(results.directory, run, f"{run}: {BURST}")
    return again(results)


def everything(results: Results) -> str:
    """Write all tables, figures, claims and the report, as the workflow does; return the report."""
    described = results.experiment
    directory = results.directory
    write_tables(directory)
    write_claims(directory)
    write_figures(directory)
    write_report(directory)
    for table in those_of(TABLES, described):
        assert all(directory.table(table.name, kind).stat().st_size for kind in ("csv", "md"))
    assert all(directory.figure(f.name, "svg").is_file() for f in those_of(FIGURES, described))
    return directory.report.read_text(encoding="utf-8")


def stands_first(page: str, line: str) -> bool:
    """True if a line of the report stands before its finding."""
    return -1 < page.find(line) < page.index("<h1>")


def lines(results: Results) -> list[str]:
    return [one.line for one in results.missing]


@pytest.mark.slow  # matplotlib draws every figure
def test_a_row_that_diverged_is_left_out_and_named(invented):
    results = burst(invented(rows=ROWS, testing=TESTING), STATIC)
    page = everything(results)
    assert [row.network_name for row in results.networks] == ["100/20", "135/0"]
    assert stands_first(page, f"{STATIC}: diverged in epoch 1")
    files = results.directory
    for table in ("perplexity", "updates"):
        assert "100/0" not in set(pd.read_csv(files.table(table, "csv"))["model"])
        assert "Missing: 100/0, seed 1 (diverged)" in files.table(table, "md").read_text()
    assert "Missing" not in files.table("corpora", "md").read_text()
    captions = records.read(Captions, files.captions).captions
    assert all(text.startswith("Missing: 100/0") for text in captions.values())
    claims = judge(results)
    against = {claim.comparison.theirs.network for claim in claims.claims if claim.letter == "c"}
    assert against == {"135/0"}


def test_a_row_with_a_diverged_seed_is_left_out_and_named(invented):
    results = burst(invented(rows=ROWS, seeds=[1, 2]), VECTOR)
    assert [row.network_name for row in results.networks] == ["100/0", "135/0"]
    assert lines(results) == [f"{VECTOR}: {BURST}"]
    write_tables(results.directory)
    table = results.directory.table("neighbours", "csv").read_text()
    assert "No network with a vector has finished" in table
    [said] = findings(results, judge(results).claims)
    assert "no network with a vector has finished" in said


def test_a_diverged_evaluation_is_left_out_and_the_row_stays(invented):
    results = invented(rows=ROWS, seeds=[1, 2], testing=TESTING)
    name = "all.word.sentence"
    diverge_evaluation(results.directory, VECTOR, name, f"{VECTOR}, {name}: diverged on valid")
    results = again(results)
    assert [row.network_name for row in results.networks] == ["100/0", "100/20", "135/0"]
    assert lines(results) == [f"{VECTOR}, {name}: diverged on valid"]
    write_tables(results.directory)
    updates = pd.read_csv(results.directory.table("updates", "csv"))
    of_model = updates[updates["model"] == "100/20"]
    assert set(of_model["evaluation"]) == {"none", "document_vector"}
    assert name in set(updates[updates["model"] == "100/0"]["evaluation"])


def test_an_evaluation_by_other_settings_than_those_planned_is_refused(invented):
    """As in a folder of results that was renamed, of which Snakemake knows nothing."""
    results = invented(rows=ROWS, testing=TESTING)
    changed = results.experiment.model_dump(mode="json")
    changed["testing"]["learning_rates"] = [0.7]
    write_json(results.directory.configuration, changed)
    said = r"all\.word\.sentence\.json: made with another `testing\.learning_rates` than"
    with pytest.raises(UserError, match=said):
        again(results)


def test_a_diverged_candidate_is_in_the_table_of_choices(invented):
    results = invented(rows=ROWS, search={"learning_rate": [1000.0, 0.2]}, seeds=[1, 2])
    bad = "invented-M100-D0-learning_rate1000.0-seed0"
    assert all(row.settings.learning_rate == 0.2 for row in results.networks)
    results = burst(results, bad)
    assert len(results.networks) == len(ROWS) + 1
    assert results.missing == []
    mark_complete(results.directory)
    assert records.read(Complete, results.directory.complete).trainings == 12
    write_tables(results.directory)
    note = "Diverged in training, and so not chosen: 100/0, learning rate 1000, seed 0."
    assert note in results.directory.table("choices", "md").read_text()
    table = pd.read_csv(results.directory.table("choices", "csv"))
    assert table["settings"].tolist() == ["learning_rate 1000", "learning_rate 0.2"] * 3
    assert table["valid_perplexity"].isna().tolist() == [True, *[False] * 5]
    assert table["chosen"].tolist() == [False, True] * 3
    # The settings that were searched are known, though the first candidate diverged.
    perplexity = pd.read_csv(results.directory.table("perplexity", "csv"))
    assert perplexity["settings"].tolist() == ["learning_rate 0.2"] * 3


@pytest.mark.slow  # matplotlib draws every figure
def test_an_experiment_of_which_nothing_has_finished_still_has_everything(invented):
    results = invented(rows=ROWS, search={"learning_rate": [0.2]}, testing=TESTING)
    results = burst(results, *(run.name for run in results.experiment.trainings()))
    page = everything(results)
    of_rows = [run.name for run in results.experiment.runs()]
    assert lines(results) == [f"{run}: {BURST}" for run in of_rows]
    assert all(stands_first(page, f"{run}: diverged") for run in of_rows)
    assert "No network has finished" in page[page.index("<h1>") :]


def test_a_corpus_of_which_nothing_has_finished_leaves_the_others(invented):
    results = invented(corpora={"first": VITAL, "second": VITAL}, rows=ROWS, testing=TESTING)
    results = burst(results, *(run.name for run in results.runs if "first" in run.name))
    assert results.first_corpus == "second"
    [said] = findings(results, judge(results).claims)
    assert said.startswith("On second, 100/20, whose vector keeps learning, has")
    write_tables(results.directory)
    updates = results.directory.table("updates", "md").read_text()
    assert "100/0, seed 1 on first (diverged)" in updates
    for draw, axes in ((draw_costs, 3), (draw_learning, 1)):
        figure, _ = draw(results)
        assert len(figure.axes) == axes


def test_every_missing_thing_has_a_line_and_the_mark_goes(invented, caplog):
    results = invented(rows=ROWS)
    mark_complete(results.directory)
    assert records.read(Complete, results.directory.complete).trainings == 3
    results = burst(results, STATIC, LARGE)
    caplog.set_level(logging.ERROR, logger="online_rnnlm")
    caplog.clear()
    with pytest.raises(UserError, match="everything else is there; 2 missing"):
        mark_complete(results.directory)
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"{ERROR_MARK}{run}: {BURST}" for run in (STATIC, LARGE)]
    assert not results.directory.complete.exists()


def test_an_audit_that_is_not_passed_or_not_made_is_missing(invented, caplog):
    results = invented(rows=ROWS)
    mark_complete(results.directory)
    fake_experiment.write_audits(results.directory, results.experiment, {"100/20": "causality"})
    static, *others = records.read(Audits, results.directory.audits).audits
    rule = AuditedRule(rule="reset", status="not tested", said="the text is one document")
    audits = Audits(audits=(replace(static, rules=(rule,)), *others))
    records.write(results.directory.audits, audits)
    with pytest.raises(UserError, match="2 missing or broken"):
        mark_complete(results.directory)
    assert "100/20 on invented: the audit: broken: causality" in caplog.text
    assert "100/0 on invented: the audit: not tested: reset" in caplog.text
    assert not results.directory.complete.exists()
