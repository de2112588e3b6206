"""The table `perplexity`: the experiment's comparison of models, with the rivals below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.published import UNKNOWN
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric, Row, metric_of, multiply_adds_of
from online_rnnlm.analysis.tables.columns import (
    corpus_columns,
    mean_over_seeds,
    on_corpus,
    row_keys,
    settings_text,
    spread_note,
)
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, lowest, mean
from online_rnnlm.config.evaluations import NONE
from online_rnnlm.rivals import rivals_in
from online_rnnlm.rivals.base import ComposedRival, CorpusRival, RunRival
from online_rnnlm.storage.paths import SPLITS
from online_rnnlm.storage.records import Evaluation

STILL = "test_perplexity_vector_still"
WITHOUT_UNK = "test_perplexity_without_unk"
_COUNTS = ["hidden_size", "context_size", "document_size", "seeds", "parameters"]


def make(results: Results) -> Table:
    """Make the table: for each corpus a row for each model, then a row for each rival.

    In the data, the sizes, `cell` and `document_layer` are empty for a rival; `evaluation` names
    the evaluation that the perplexities are from. Raises NothingToShowError if there is no row.
    """
    rows = [row for corpus in results.corpora for row in _rows(results, corpus)]
    if not rows:
        raise NothingToShowError("No row has finished.")
    data = pd.DataFrame(rows).astype(dict.fromkeys(_COUNTS, "Int64"))
    caption = on_corpus("Perplexity", results)
    return Table("perplexity", caption, data, _columns(results), _notes(results))


def _rows(results: Results, corpus: str) -> Iterator[dict[str, Any]]:
    rows = results.rows_on(corpus)
    for row in rows:
        yield _model_row(results, row)
    for row in rows:
        for evaluation in row.evaluations:
            rival = results.rival_in(evaluation)
            if rival is not None:
                yield _run_rival_row(results, row, rival)
    for _, of_corpus, found in results.rivals_on(corpus):
        yield _corpus_rival_row(results, corpus, of_corpus, found)


def _model_row(results: Results, row: Row) -> dict[str, Any]:
    still = row.perplexity("test", NONE) if row.has_vector else Metric(())
    speed = Metric(tuple(run.result.words_per_second for run in row.runs))
    return {
        **row_keys(row),
        "evaluation": row.final,
        "settings": settings_text([_searched(results, row)]),
        "seeds": len(row.runs),
        # These are the same for all seeds.
        "parameters": row.parameters,
        "multiply_adds_per_word": row.multiply_adds_per_word,
        "training_multiply_adds_per_word": row.first.result.training_multiply_adds_per_word,
        **_perplexities(results, row.by_seed(row.final)),
        **mean_over_seeds(results, STILL, still),
        **mean_over_seeds(results, "words_per_second", speed),
        "published_test_perplexity": _published(results, row),
    }


def _published(results: Results, row: Row) -> str:
    """The paper's test perplexity of a row's model; unknown for a hidden layer that it lacks."""
    if not row.has_the_papers_layer:
        return UNKNOWN
    return results.published.test_perplexity(
        row.hidden_size, row.document_size, row.settings.document_layer
    )


def _searched(results: Results, row: Row) -> dict[str, Any]:
    """The settings that the search has chosen for a row; empty if nothing was searched."""
    candidates = row.first.run.candidates
    keys = (key for run in results.search if run.name in candidates for key in run.run.searched)
    return {key: getattr(row.settings, key) for key in keys}


def _run_rival_row(results: Results, row: Row, rival: RunRival) -> dict[str, Any]:
    """The row of a network with a rival, which uses the network's own runs."""
    by_seed, mixture = row.by_seed(rival.name), isinstance(rival, ComposedRival)
    return {
        **_rival(results, row.corpus, by_seed),
        "model": f"{row.label} + {rival.title}",
        # The table `mixtures` has the weights of a mixture.
        "settings": "" if mixture else settings_text([found.chosen for found in by_seed]),
        "seeds": len(row.runs),
        "parameters": results.parameters(row, rival),
    }


def _corpus_rival_row(
    results: Results, corpus: str, rival: CorpusRival, found: Evaluation
) -> dict[str, Any]:
    """The row of a corpus's rival, which has no seeds and has its own number of parameters."""
    return {
        **_rival(results, corpus, [found]),
        "model": rival.title,
        "settings": settings_text([found.chosen]),
        "seeds": None,
        "parameters": found.parameters,
    }


def _rival(results: Results, corpus: str, by_seed: Sequence[Evaluation]) -> dict[str, Any]:
    """The values that all rows of rivals have; the cost of training a network is not among them."""
    return {
        "corpus": corpus,
        "evaluation": by_seed[0].evaluation,
        "multiply_adds_per_word": multiply_adds_of(by_seed).mean,
        **_perplexities(results, by_seed),
        "published_test_perplexity": UNKNOWN,
    }


def _perplexities(results: Results, by_seed: Sequence[Evaluation]) -> dict[str, float]:
    """Means over seeds; NaN for a split that is not evaluated, such as `train` for rivals."""
    row: dict[str, float] = {}
    for split in SPLITS:
        metric = metric_of(by_seed, "perplexity", split)
        row |= mean_over_seeds(results, f"{split}_perplexity", metric)
    without = metric_of(by_seed, "perplexity_without_unk", "test")
    return row | mean_over_seeds(results, WITHOUT_UNK, without)


def _columns(results: Results) -> list[Column]:
    experiment = results.experiment
    seeds = [Column("Seeds", integer("seeds"))] if results.several_seeds else []
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
    context = any(row.settings.context_size for row in results.rows)
    names = "M/D: hidden units" + ", after a + slow context units" * context
    notes = [
        f"Perplexity counts </s> and <unk>; {names} / length of the document vector. "
        f"{spread_note(results)} Bold: each column's lowest."
    ]
    of_corpora = [found.rival for found in results.rivals]
    rivals = [*rivals_in(testing.rivals_of_runs, testing), *of_corpora]
    return [*notes, *dict.fromkeys(rival.note for rival in rivals if rival.note)]
