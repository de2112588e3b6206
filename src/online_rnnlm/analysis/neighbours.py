"""What a document vector holds: the test sentences whose vectors are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from online_rnnlm.analysis.collect import Results, chosen, collect
from online_rnnlm.analysis.rendering import Column, Table, integer, label, mean, write_table
from online_rnnlm.configuration import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory

QUERIES, NEAREST = 6, 3
_MIN_TOKENS = 10  # a vector has learnt little from a shorter sentence

Vectors = npt.NDArray[np.float32]


def write_neighbours(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the table `neighbours`; raises UserError where no row has a document vector."""
    table = neighbours_table(collect(experiment, directory))
    if table is None:
        raise UserError("neighbours: no row of the configuration has a `document_size` above 0")
    write_table(table, directory)


def neighbours_table(results: Results) -> Table | None:
    """Nearest test sentences of a few others, of the row with the largest vector, first seed.

    None where no row has a vector. Of several corpora, the first is shown.
    """
    runs = chosen(results)
    runs = runs[(runs["corpus"] == runs.iloc[0]["corpus"]) & (runs["document_size"] > 0)]
    if runs.empty:
        return None
    run = runs.loc[runs["document_size"].idxmax()]
    vectors, sentences = _read(results.directory, run["name"], run["corpus"])
    queries = choose(sentences, int(run["seed"]))
    rows = [row for query in queries for row in _rows(query, vectors, sentences)]
    columns = [
        Column("Sentence", lambda row: row["text"] if row["rank"] == 1 else "", text=True),
        Column("Rank", integer("rank")),
        Column("Cosine", mean("cosine", decimals=2)),
        Column("Its nearest test sentences", label("neighbour_text"), text=True),
    ]
    notes = [
        f"Document vectors of {run['model']} after each sentence's last word; the sentences were "
        f"drawn with seed {run['seed']}, not picked. Two vectors of the test set have a cosine of "
        f"{_mean_cosine(vectors):.2f} on average."
    ]
    frame = pd.DataFrame(rows)
    return Table("neighbours", "Sentences with similar document vectors", frame, columns, notes)


def _read(directory: ExperimentDirectory, run: str, corpus: str) -> tuple[Vectors, list[str]]:
    """A run's unit-length test vectors (sentences, D), and the sentences."""
    path, text = directory.document_vectors(run), directory.corpus(corpus).split("test")
    for file in (path, text):
        if not file.is_file():
            raise UserError(f"{file}: missing")
    vectors, sentences = np.load(path), text.read_text(encoding="utf-8").splitlines()
    if len(vectors) != len(sentences):
        raise UserError(f"{path}: {len(vectors)} vectors for {len(sentences)} sentences of {text}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1), sentences


def choose(sentences: list[str], seed: int) -> list[int]:
    """A few sentences of some length, the same for the same seed."""
    long = [i for i, text in enumerate(sentences) if len(text.split()) >= _MIN_TOKENS]
    among = long or list(range(len(sentences)))
    random = np.random.default_rng(seed)
    return sorted(random.choice(among, min(QUERIES, len(among)), replace=False).tolist())


def _rows(query: int, vectors: Vectors, sentences: list[str]) -> list[dict[str, Any]]:
    cosines = vectors @ vectors[query]
    cosines[query] = -np.inf
    nearest = np.argsort(-cosines, kind="stable")[: min(NEAREST, len(sentences) - 1)]
    return [
        {
            "sentence": query,
            "rank": rank,
            "cosine": float(cosines[index]),
            "neighbour": int(index),
            "text": sentences[query],
            "neighbour_text": sentences[index],
        }
        for rank, index in enumerate(nearest, start=1)
    ]


def _mean_cosine(vectors: Vectors) -> float:
    """Over all pairs of different sentences, from the length of the vectors' sum."""
    count = len(vectors)
    total = vectors.astype(np.float64).sum(axis=0)
    own = float((vectors.astype(np.float64) ** 2).sum())
    return float(total @ total - own) / max(1, count * (count - 1))
