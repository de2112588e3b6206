"""What a document vector holds: the sentences whose vectors are alike.

Beside them stand the sentences that are alike by the mean of their words' embeddings, so that one
sees what the vector has learnt from a sentence that its words do not say by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import MODEL, Results, collect
from online_rnnlm.analysis.sentences import MIN_TOKENS, SPLIT, Sentences, Vectors, read_sentences
from online_rnnlm.analysis.tables.rendering import Column, Table, label, mean, write_table
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import ExperimentDirectory

QUERIES, NEAREST = 4, 3
CHOSEN, DRAWN = "by rule", "at random"
_BLOCK = 1024  # sentences set against all others at once: not all pairs fit into memory


def write_neighbours(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the table `neighbours`; raises UserError where no row has a document vector."""
    table = neighbours_table(collect(experiment, directory))
    if table is None:
        raise UserError("neighbours: no row of the configuration has a `document_size` above 0")
    write_table(table, directory)


def neighbours_table(results: Results) -> Table | None:
    """Nearest sentences of a few others of `valid`; of several corpora, the first is shown.

    None where no row has a vector. Raises UserError for files that are missing or do not fit.
    """
    run = best_run(results)
    if run is None:
        return None
    sentences = read_sentences(results.directory, run["name"], run["corpus"])
    chosen = choose(sentences)
    queries = {CHOSEN: chosen, DRAWN: draw(sentences, int(run["seed"]), without=chosen)}
    rows = [
        row
        for picked, numbers in queries.items()
        for query in numbers
        for row in _rows(picked, query, sentences)
    ]
    caption = "Sentences alike by document vector, and by the mean of their words' embeddings"
    frame = pd.DataFrame(rows)
    return Table("neighbours", caption, frame, _columns(), _notes(run, sentences))


def best_run(results: Results) -> pd.Series | None:
    """The first seed's run of the row with a vector that is best on `valid`.

    A vector that feeds the output layer is preferred, as the paper's does.
    """
    runs = results.runs
    runs = runs[(runs["corpus"] == runs.iloc[0]["corpus"]) & (runs["document_size"] > 0)]
    papers = runs[runs["document_layer"] == "output"]
    rows = [of_row for _, of_row in (runs if papers.empty else papers).groupby(MODEL, sort=False)]
    return min(rows, key=lambda row: _valid(results, row)).iloc[0] if rows else None


def _valid(results: Results, runs: pd.DataFrame) -> float:
    values = [results.perplexity(name, SPLIT, DOCUMENT_VECTOR) for name in runs["name"]]
    return float(np.mean(values))


def choose(sentences: Sentences) -> list[int]:
    """The sentences whose nearest by document vector is nearest, in that order, by their places.

    At most one of a topic (or article), and none that stands beside an earlier one already: near
    duplicates would fill the table.
    """
    chosen: list[int] = []
    subjects: set[str] = set()
    seen: set[int] = set()
    for query in np.argsort(-highest_cosines(sentences.document), kind="stable").tolist():
        if len(chosen) == QUERIES:
            break
        if query in seen or sentences.subjects[query] in subjects:
            continue
        chosen.append(query)
        subjects.add(sentences.subjects[query])
        seen |= {place for place, _ in nearest(sentences.document, query)}
    return chosen


def draw(sentences: Sentences, seed: int, without: list[int]) -> list[int]:
    """A few other sentences, the same for the same seed."""
    among = np.setdiff1d(np.arange(len(sentences.texts)), without)
    random = np.random.default_rng(seed)
    drawn: list[int] = random.choice(among, min(QUERIES, len(among)), replace=False).tolist()
    return sorted(drawn)


def highest_cosines(vectors: Vectors) -> Vectors:
    """(N,): the cosine of each of N vectors of length 1 and the nearest of the others."""
    highest = np.empty(len(vectors), np.float32)
    for begin in range(0, len(vectors), _BLOCK):
        cosines = vectors[begin : begin + _BLOCK] @ vectors.T
        places = np.arange(len(cosines))
        cosines[places, begin + places] = -np.inf
        highest[begin : begin + _BLOCK] = cosines.max(axis=1)
    return highest


def nearest(vectors: Vectors, query: int) -> list[tuple[int, float]]:
    """The places of the nearest others by cosine, the nearest first, with their cosines."""
    cosines = vectors @ vectors[query]
    cosines[query] = -np.inf
    places = np.argsort(-cosines, kind="stable")[: min(NEAREST, len(vectors) - 1)]
    return [(int(place), float(cosines[place])) for place in places]


def mean_cosine(vectors: Vectors) -> float:
    """Over all pairs of different ones of N vectors of length 1, from the length of their sum."""
    wide = vectors.astype(np.float64)
    total, own = wide.sum(axis=0), float((wide**2).sum())
    return float(total @ total - own) / max(1, len(wide) * (len(wide) - 1))


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


def _notes(run: pd.Series, sentences: Sentences) -> list[str]:
    return [
        f"Document vectors of {run['model']}, the best on valid of the rows with one, seed "
        f"{run['seed']}, after each sentence's last word; embeddings of the same network. "
        f"Sentences of {run['corpus']}, valid, of at least {MIN_TOKENS} tokens.",
        "By rule: the sentences whose nearest by document vector is nearest, at most one of a "
        "topic, or of an article where no topics are known, and none that an earlier one shows. "
        f"At random: drawn with seed {run['seed']}.",
        f"Of any two of these {len(sentences.texts):,} sentences the cosine is "
        f"{mean_cosine(sentences.document):z.2f} on average by document vector, "
        f"{mean_cosine(sentences.embedding):z.2f} by mean embedding.",
    ]
