"""The table `neighbours`: sentences whose document vectors are alike.

The sentences that are alike by the mean of their words' embeddings are shown beside them. Where the
two columns differ, the vector has learnt something beyond the words themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.neighbours import choose, draw, mean_cosine, nearest
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.sentences import MIN_TOKENS, Sentences, read_sentences
from online_rnnlm.analysis.tables.notices import make_or_notice
from online_rnnlm.analysis.tables.rendering import Column, Table, label, mean, write_table
from online_rnnlm.config.catalogue import vector_rows
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory

CHOSEN, DRAWN = "by rule", "at random"


def write_neighbours(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the table; raises UserError if no row of the configuration has a document vector."""
    if not vector_rows(experiment):
        raise UserError("neighbours: no row of the configuration has a `document_size` above 0")
    results = collect(experiment, directory)
    write_table(make_or_notice(make, "neighbours", results), directory)


def make(results: Results) -> Table:
    """Make the table of a few sentences of `valid` with their nearest ones, on the first corpus.

    The vectors are those of the first seed's run of the best row. Raises NothingToShowError if no
    row with a document vector has finished, and UserError for files that are missing or do not fit
    each other.
    """
    row = results.best_with_vector()
    sentences = read_sentences(results.directory, row.first.name, row.corpus)
    chosen = choose(sentences)
    queries = {CHOSEN: chosen, DRAWN: draw(sentences, row.first.seed, without=chosen)}
    rows = [
        values
        for picked, numbers in queries.items()
        for query in numbers
        for values in _rows(picked, query, sentences)
    ]
    caption = "Sentences alike by document vector, and by the mean of their words' embeddings"
    return Table("neighbours", caption, pd.DataFrame(rows), _columns(), _notes(row, sentences))


def _rows(picked: str, query: int, sentences: Sentences) -> Iterator[dict[str, Any]]:
    by_document = nearest(sentences.document, query)
    by_embedding = nearest(sentences.embedding, query)
    pairs = zip(by_document, by_embedding, strict=True)
    for rank, (document, embedding) in enumerate(pairs, start=1):
        yield {
            "picked": picked,
            "sentence": int(sentences.numbers[query]),
            "text": sentences.texts[query],
            "rank": rank,
            **_neighbour("document", document, sentences),
            **_neighbour("embedding", embedding, sentences),
        }


def _neighbour(kind: str, found: tuple[int, float], sentences: Sentences) -> dict[str, Any]:
    place, cosine = found
    return {
        f"{kind}_cosine": cosine,
        f"{kind}_neighbour": int(sentences.numbers[place]),
        f"{kind}_text": sentences.texts[place],
    }


def _columns() -> list[Column]:
    def once(key: str) -> Callable[[pd.Series], str]:
        return lambda row: row[key] if row["rank"] == 1 else ""

    return [
        Column("Picked", once("picked"), text=True),
        Column("Sentence", once("text"), text=True, wide=True),
        Column("Cosine", mean("document_cosine", decimals=2)),
        Column("Nearest by document vector", label("document_text"), text=True, wide=True),
        Column("Cosine", mean("embedding_cosine", decimals=2)),
        Column("Nearest by mean embedding", label("embedding_text"), text=True, wide=True),
    ]


def _notes(row: Row, sentences: Sentences) -> list[str]:
    seed = row.first.seed
    return [
        f"The document vectors are those of {row.label}, seed {seed}, the best row on valid that "
        "has one, after each sentence's last word; the embeddings are those of the same network. "
        f"The sentences are those of {row.corpus}, valid, with at least {MIN_TOKENS} tokens.",
        "By rule: the sentences with the closest neighbours by document vector, at most one of a "
        "topic (or of an article if no topics are known), and none that is a neighbour of an "
        f"earlier one. At random: sentences drawn with seed {seed}.",
        f"The cosine of two of these {len(sentences.texts):,} sentences is "
        f"{mean_cosine(sentences.document):z.2f} on average by document vector, "
        f"{mean_cosine(sentences.embedding):z.2f} by mean embedding.",
    ]
