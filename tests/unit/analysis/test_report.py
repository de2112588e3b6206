"""Tests of the report: one page that needs nothing else, with a figure and a table of a user."""

import re
from typing import Any

import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.analysis.figures.writing import write_figures
from online_rnnlm.analysis.report import facts_of_trainings, summary, write_report
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.of_report import (
    ORIGINS,
    corpus_settings_table,
    settings_table,
)
from online_rnnlm.analysis.wording import said_of_audits, small_texts
from online_rnnlm.config.catalogue import FIGURES, TABLES, those_of
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.audits import Audit, AuditedRule
from online_rnnlm.storage.experiments import Captions
from tests.unit.analysis.changes import IN_ORDER, TWO_CORPORA, again, diverge


def written(results: Results) -> str:
    write_claims(results.directory)
    write_figures(results.directory)
    write_report(results.directory)
    return results.directory.report.read_text(encoding="utf-8")


UPDATED = ["updates"]
COSTS = ["test_perplexity", "perplexity_by_cost", "learning_curves"]
OF_VECTORS = [*COSTS, "perplexity_by_position"]
OF_PAIRS = [*OF_VECTORS, "gain_by_frequency", "gain_by_epoch"]
EVERYTHING = {
    "rows": [
        {"hidden_size": [100, 120], "document_size": 0},
        {"hidden_size": 100, "document_size": [20, 35]},
    ],
    "testing": {
        "updates": ["document_vector", "output", "all"],
        "learn_after": ["word", "sentence"],
        "unit_of_text": ["sentence", "stream"],
        "rivals": ["unigram_cache", "neural_cache", "kneser_ney"],
    },
}
STATIC = {"rows": [{"hidden_size": 100}], "testing": {"updates": ["all"]}}
SEARCHED = {
    "rows": [
        {"document_size": [1, 2]},
        {"document_size": 3, "search": {"learning_rate": [0.1], "document_rate": [0.3, 0.4]}},
    ],
    "search": {"learning_rate": [0.1, 0.2]},
}
IN_EVERY_WAY = {"corpora": dict.fromkeys(TWO_CORPORA, IN_ORDER["invented"]), "seeds": [1, 2]}
KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "everything": (
        EVERYTHING | IN_EVERY_WAY,
        [*OF_PAIRS, *UPDATED, "perplexity_by_distance"],
    ),
    "static rows that learn": (STATIC, [*COSTS, *UPDATED]),
    "vector rows that are searched": (SEARCHED, OF_VECTORS),
}
"""Changes to the invented experiment, and the figures that there are then."""


@pytest.mark.slow  # matplotlib draws every figure
@pytest.mark.parametrize("kind", KINDS)
def test_the_report_is_one_page_the_same_every_time(invented, kind):
    """It loads nothing, escapes text, and its drawings do not refer to each other."""
    changes, names = KINDS[kind]
    results = invented(**changes)
    contents = []
    for _ in range(2 if changes is SEARCHED else 1):
        text = written(results)
        files = [results.directory.report, *sorted((results.directory.path / "figures").iterdir())]
        contents.append({path.name: path.read_bytes() for path in files})
    assert contents[0] == contents[-1]
    assert sorted(entry.name for entry in those_of(FIGURES, results.experiment)) == sorted(names)
    figures = {f"{name}.{ending}" for name in names for ending in ("svg", "png")}
    assert contents[0].keys() == {*figures, "captions.json", results.directory.report.name}
    captions = records.read(Captions, results.directory.captions).captions
    assert captions.keys() == {*names} and "nan" not in " ".join(captions.values())
    curves = contents[0]["learning_curves.svg"].decode()
    assert all(
        f">{row.network_name}  " in curves for row in results.networks_on(results.first_corpus)
    )
    loaded = re.findall(r'\s(?:src|href|xlink:href|data|poster)="([^"]*)"', text)
    tables = {f"tables/{entry.name}.csv" for entry in those_of(TABLES, results.experiment)}
    assert tables < {*loaded}
    assert all(link.startswith(("#", "data:")) for link in {*loaded} - tables)
    tags = set(re.findall(r"<(\w+)", text))
    assert "svg" in tags
    assert not tags & {"script", "iframe", "object", "embed"}
    assert "b" not in tags  # the invented sentences contain `<b>`
    assert not re.search(r"@import|url\((?!#)", text)
    ids = re.findall(r'\sid="([^"]+)"', text)
    used = {*re.findall(r"url\(#([^)]+)\)", text), *(link[1:] for link in loaded if link[0] == "#")}
    assert used and all(ids.count(name) == 1 for name in used)
    tokens = results.corpora[results.first_corpus].splits["train"].tokens
    assert f"{results.first_corpus}: {tokens:,} training tokens" in text
    assert f"--configfile {results.directory.configuration} --force FILE" in text
    assert "is passed by all" in text  # the audit


def test_a_text_with_less_to_train_on_than_to_test_on_is_warned_of(invented):
    results = invented()
    assert small_texts(results) == []
    [(name, corpus)] = results.corpora.items()
    splits = {**corpus.splits, "test": corpus.splits["train"], "train": corpus.splits["test"]}
    results.corpora[name] = corpus.model_copy(update={"splits": splits})
    [warning] = small_texts(results)
    assert f"{corpus.splits['test'].sentences:,} sentences to train on" in warning
    assert warning in " ".join(summary(results, [warning]).split())


def test_the_time_of_what_has_diverged_is_counted(invented):
    results = invented(rows=[{"hidden_size": 100}], search={"learning_rate": [0.1]}, seeds=[1, 2])
    whole = facts_of_trainings(results)["hours of training in all"]
    assert float(whole) > 0
    for run in ("invented-M100-D0-learning_rate0.1-seed0", "invented-M100-D0-seed1"):
        diverge(results.directory, run, "in epoch 11")
        hours = facts_of_trainings(again(results))["hours of training in all"]
        assert hours == f"{whole}, without the epochs in which training diverged"


def test_an_audit_that_fails_is_named_with_its_reason():
    holds, broken = (
        Audit(name, 1e-6, (AuditedRule("causality", status, "as tried"),))
        for name, status in (("100/0", "holds"), ("100/20", "broken"))
    )
    assert "is passed by all 1:" in said_of_audits([holds])
    said = said_of_audits([holds, broken])
    assert "is not passed" in said and said.endswith(f": 100/20 ({broken.failure}).")


def test_a_report_without_its_figures_is_refused(invented):
    results = invented()
    write_claims(results.directory)
    with pytest.raises(UserError, match="draw the figures first"):
        write_report(results.directory)
    assert not results.directory.report.exists()


def test_every_setting_says_where_it_comes_from(invented):
    rows = [
        {"error_clip": 15.0},
        {"hidden_size": 50, "document_size": 5, "error_clip": 1.0, "updates": ["output"]},
    ]
    table = settings_table(invented(rows=rows))
    status = {row["Setting"]: row["Status"] for row in table.rows}
    values = {row["Setting"]: row["Value"] for row in table.rows}
    assert status["error_clip"] == "RNNLM Toolkit's / assumed"
    assert values["error_clip"] == "100/0: 15.0; 50/5: 1.0"
    assert values["testing.updates"] == "100/0: []; 50/5: [['output']]"
    assert status["learning_rate"] == "assumed"
    assert set(RunSettings.model_fields) - set(status) == {
        *("corpus", "seed", "hidden_size", "document_size"),
        "segment_tokens",  # no row reads documents
        *("context_size", "context_decay"),  # no row has slow context units
        *("improvement_factor", "rate_divisor"),  # no row has a rule that needs them
    }


def test_every_setting_with_an_origin_is_in_the_tables(invented):
    """A renamed one would be called assumed."""
    results = invented(rows=[{"rate_rule": "toolkit"}])
    names = {row["Setting"] for row in settings_table(results).rows}
    names |= {row["Setting"].partition(": ")[2] for row in corpus_settings_table(results).rows}
    assert {key for known in ORIGINS.values() for key in known} - names == set()
