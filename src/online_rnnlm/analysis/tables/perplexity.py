"""The table of perplexities: the comparison the whole experiment is for, its rivals below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.published import UNKNOWN, Published
from online_rnnlm.analysis.results import MODEL, Results
from online_rnnlm.analysis.tables.columns import (
    corpus_columns,
    mean_figure,
    mean_over_seeds,
    on_corpus,
    settings_text,
    several_seeds,
    spread_note,
)
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, lowest, mean
from online_rnnlm.config.evaluations import NONE, final_evaluation
from online_rnnlm.rivals import rival_in, rivals_in, rivals_of_corpora
from online_rnnlm.rivals.base import CorpusRival, RunRival
from online_rnnlm.storage.paths import SPLITS

STILL = "test_perplexity_vector_still"
WITHOUT_UNK = "test_perplexity_without_unk"
_COUNTS = ["hidden_size", "document_size", "seeds", "parameters"]


def perplexity_table(results: Results, published: Published) -> Table:
    """For each corpus a row for each model of the comparison, then one for each of its rivals.

    The data's `hidden_size`, `document_size` and `document_layer` are empty for a rival.
    `evaluation` is what the perplexities are of.
    """
    rows = [
        row for corpus in results.experiment.corpora for row in _rows(results, corpus, published)
    ]
    data = pd.DataFrame(rows).astype(dict.fromkeys(_COUNTS, "Int64"))
    caption = on_corpus("Perplexity", results)
    return Table("perplexity", caption, data, _columns(results), _notes(results))


def _rows(results: Results, corpus: str, published: Published) -> Iterator[dict[str, Any]]:
    models = [runs for runs in results.rows() if runs.iloc[0]["corpus"] == corpus]
    for runs in models:
        yield _model_row(results, runs, published)
    for runs in models:
        for evaluation in results.evaluations_of(runs.iloc[0]["name"]):
            rival = rival_in(evaluation, results.experiment.testing)
            if rival is not None:
                yield _run_rival_row(results, runs, rival)
    for name, of_corpus in rivals_of_corpora(results.experiment).items():
        if of_corpus.corpus == corpus:
            yield _corpus_rival_row(results, name, corpus, of_corpus.rival)


def _model_row(results: Results, runs: pd.DataFrame, published: Published) -> dict[str, Any]:
    first, names = runs.iloc[0], list(runs["name"])
    evaluation = final_evaluation(first["document_size"])
    still = [results.perplexity(name, "test", NONE) for name in names]
    return {
        **{key: first[key] for key in MODEL},
        "model": first["model"],
        "evaluation": evaluation,
        "settings": settings_text([_searched(results, first["name"])]),
        "seeds": len(runs),
        # Whole numbers that no seed changes.
        "parameters": first["parameters"],
        "multiply_adds_per_word": first["multiply_adds_per_word"],
        "training_multiply_adds_per_word": first["training_multiply_adds_per_word"],
        **_perplexities(results, names, evaluation),
        **mean_over_seeds(results, STILL, still if first["document_size"] else []),
        **mean_over_seeds(results, "words_per_second", list(runs["words_per_second"])),
        "published_test_perplexity": published.test_perplexity(
            first["hidden_size"], first["document_size"], first["document_layer"]
        ),
    }


def _searched(results: Results, name: str) -> dict[str, Any]:
    """The settings that a row's search has chosen; empty where nothing was searched."""
    run = next(run for run in results.experiment.runs() if run.name == name)
    settings = results.records[name]["settings"]
    keys = results.records[run.candidates[0]]["searched"] if run.candidates else ()
    return {key: settings[key] for key in keys}


def _run_rival_row(results: Results, runs: pd.DataFrame, rival: RunRival) -> dict[str, Any]:
    """The row of a static network and a rival: the same runs, so nothing more is trained."""
    first, names = runs.iloc[0], list(runs["name"])
    chosen = [results.details[name, rival.name]["chosen"] for name in names]
    return {
        **_rival(results, first["corpus"], names, rival.name),
        "model": f"{first['model']} + {rival.title}",
        "settings": settings_text(chosen),
        "seeds": len(runs),
        "parameters": first["parameters"],
    }


def _corpus_rival_row(
    results: Results, name: str, corpus: str, rival: CorpusRival
) -> dict[str, Any]:
    """The row of a corpus's rival: it has no seed, and parameters of its own."""
    return {
        **_rival(results, corpus, [name], NONE),
        "model": rival.title,
        "settings": settings_text([results.details[name, NONE].get("chosen", {})]),
        "seeds": None,
        "parameters": results.details[name, NONE]["parameters"],
    }


def _rival(results: Results, corpus: str, names: list[str], evaluation: str) -> dict[str, Any]:
    """What the rows of rivals share; what training a network costs does not concern them."""
    adds = [results.details[name, evaluation]["multiply_adds_per_word"] for name in names]
    return {
        "corpus": corpus,
        "evaluation": evaluation,
        "multiply_adds_per_word": pd.Series(adds, dtype=float).mean(),
        **_perplexities(results, names, evaluation),
        "published_test_perplexity": UNKNOWN,
    }


def _perplexities(results: Results, names: Sequence[str], evaluation: str) -> dict[str, float]:
    """Means over runs; NaN for a split that the evaluation leaves out, as rivals do `train`."""
    row: dict[str, float] = {}
    for split in SPLITS:
        key = f"{split}_perplexity"
        row |= mean_figure(results, names, evaluation, split, "perplexity", key)
    figure = "perplexity_without_unk"
    return row | mean_figure(results, names, evaluation, "test", figure, WITHOUT_UNK)


def _columns(results: Results) -> list[Column]:
    experiment = results.experiment
    seeds = [Column("Seeds", integer("seeds"))] if several_seeds(results) else []
    testing = experiment.testing
    heading = "Model" if testing.rivals else "M/D"
    chosen = experiment.search or testing.rivals_of_runs
    perplexities = {
        **{f"{split.capitalize()} perplexity": f"{split}_perplexity" for split in SPLITS},
        "Test without <unk>": WITHOUT_UNK,
    }
    return [
        *corpus_columns(results),
        Column(heading, label("model"), text=True),
        *([Column("Chosen on valid", label("settings"), text=True)] if chosen else []),
        *seeds,
        Column("Parameters", integer("parameters")),
        Column("Multiply-adds a word", integer("multiply_adds_per_word")),
        Column("Multiply-adds a word, training", integer("training_multiply_adds_per_word")),
        *(Column(text, mean(key), best=lowest(key)) for text, key in perplexities.items()),
        Column("Test, vector still", mean(STILL)),
        Column("Training (words/s)", mean("words_per_second", decimals=0)),
        Column("Published test", label("published_test_perplexity")),
    ]


def _notes(results: Results) -> list[str]:
    testing = results.experiment.testing
    notes = [
        "Perplexity counts </s> and <unk>; M/D: hidden units / length of the document vector. "
        f"{spread_note(results)} Bold: each column's lowest."
    ]
    of_corpora = [found.rival for found in rivals_of_corpora(results.experiment).values()]
    rivals = [*rivals_in(testing.rivals_of_runs, testing), *of_corpora]
    return [*notes, *dict.fromkeys(rival.note for rival in rivals if rival.note)]
