"""The table `neighbours`: sentences of `valid` whose document vectors are alike.

The sentences that are alike by the mean of their words' embeddings are shown beside them. Where the
two columns differ, the vector has learnt something beyond the words themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from online_rnnlm.analysis.opponents import headline_with_vector
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables.table import Column, Row, Table, data_of
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, load_split, read_statistics
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.storage import weight_files
from online_rnnlm.storage.evaluations import check_evaluated
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory

SPLIT = "valid"
MIN_WORDS = 10  # A vector has learnt little from a shorter sentence.
QUERIES = 3
NEAREST = 3
_FEW = 4  # Short sentences are left out only if at least this many long ones remain.

Vectors = npt.NDArray[Any]
"""Vectors of floating-point numbers."""


@dataclass(frozen=True)
class Sentences:
    """N sentences of a split, with two vectors each."""

    numbers: npt.NDArray[np.int64]
    """(N,): each sentence's number in the split, from 0."""
    texts: list[str]
    document: Vectors
    """(N, D): document vectors after the last word, of length 1."""
    embedding: Vectors
    """(N, M): means of the words' embeddings, of length 1."""


def make(results: Results) -> Table:
    """Make the table of a few sentences of `valid` with their nearest ones, on the first corpus.

    The vectors are those of the first seed's run of the headline. Raises NothingToShowError if no
    network with a vector has finished, or there is only one sentence, and UserError for files that
    are missing or do not fit each other.
    """
    headline = headline_with_vector(results)
    run = headline.first
    sentences = read_sentences(
        results.directory, run.name, results.scores.files_of(headline.corpus)
    )
    if len(sentences.texts) < 2:
        raise NothingToShowError("The only sentence of valid has no neighbour.")
    rows = [row for query in draw(sentences, run.seed) for row in _rows(query, sentences)]
    caption = "Sentences alike by document vector, and by the mean of their words' embeddings"
    columns = [
        # For people, a sentence stands only beside its nearest neighbour.
        Column(
            "Sentence", lambda row: row["text"] if row["rank"] == 1 else "", text=True, wide=True
        ),
        Column("Cosine", "document_cosine", "{:.2f}".format),
        Column("Nearest by document vector", "document_text", text=True, wide=True),
        Column("Cosine", "embedding_cosine", "{:.2f}".format),
        Column("Nearest by mean embedding", "embedding_text", text=True, wide=True),
    ]
    notes = [
        f"The document vectors are those of {run.run.label}, after each sentence's "
        "last word; the embeddings are those of the same network. "
        f"The sentences are those of {headline.corpus}, valid, with at least {MIN_WORDS} words.",
        f"They were drawn at random, with seed {run.seed}.",
        f"The cosine of two of these {len(sentences.texts):,} sentences is "
        f"{mean_cosine(sentences.document):z.2f} on average by document vector, "
        f"{mean_cosine(sentences.embedding):z.2f} by mean embedding.",
    ]
    return Table(caption, rows, columns, notes, data_of(rows, results))


def _rows(query: int, sentences: Sentences) -> Iterator[Row]:
    """Yield a row for each rank: the neighbours of a sentence by each of the two kinds of vectors,
    the nearest first."""
    numbers = sentences.numbers
    texts = sentences.texts
    kinds = {"document": sentences.document, "embedding": sentences.embedding}
    nearest = {kind: _neighbours(vectors, query) for kind, vectors in kinds.items()}
    for place in range(len(nearest["document"])):
        row = {"sentence": int(numbers[query]), "text": texts[query], "rank": place + 1}
        for kind, found in nearest.items():
            neighbour, cosine = found[place]
            row[f"{kind}_cosine"] = cosine
            row[f"{kind}_neighbour"] = int(numbers[neighbour])
            row[f"{kind}_text"] = texts[neighbour]
        yield row


def _neighbours(vectors: Vectors, query: int) -> list[tuple[int, float]]:
    """The places of the nearest other sentences, the nearest first, each with its cosine.

    Of equal cosines, the first sentence's comes first.
    """
    cosines = np.clip(vectors @ vectors[query], -1, 1)  # rounding may exceed them
    best = np.argsort(-cosines, kind="stable")[: NEAREST + 1].tolist()
    return [(place, float(cosines[place])) for place in best if place != query][:NEAREST]


def unit_vectors(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Return vectors (N, D), each divided by its length; one of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def read_sentences(directory: ExperimentDirectory, run: str, files: CorpusDirectory) -> Sentences:
    """Read a run's vectors of the sentences of `valid` of its corpus, whose folder is `files`.

    Raises UserError for a missing file. Each text is kept once, and short sentences are left out if
    enough are long.
    """
    split = load_split(files, SPLIT)
    texts = list(read_lines(files.tokens(SPLIT)))
    path = directory.document_vectors(run, SPLIT)
    check_evaluated(directory, run, DOCUMENT_VECTOR, path)
    vectors = np.load(path)
    digest = read_statistics(files).digest
    network = weight_files.read_trained(directory.run(run), digest)
    first = {text: number for number, text in reversed(list(enumerate(texts)))}
    once = sorted(first.values())
    long = [number for number in once if len(texts[number].split()) >= MIN_WORDS]
    kept = np.array(long if len(long) >= _FEW else once, dtype=np.int64)
    return Sentences(
        numbers=kept,
        texts=[texts[number] for number in kept],
        document=unit_vectors(vectors[kept]),
        embedding=unit_vectors(mean_embeddings(network.embeddings, split)[kept]),
    )


def mean_embeddings(embeddings: Vectors, split: Split) -> Vectors:
    """(sentences, M): the mean of the embeddings of each sentence's words, without `</s>`."""
    words = split.stream[1:]
    counts = (words != SENTENCE_END_ID).astype(embeddings.dtype)
    shape = (split.sentences, len(embeddings))
    occurrences = sparse.csr_matrix((counts, words, split.offsets), shape=shape)
    lengths = np.maximum(np.diff(split.offsets) - 1, 1)
    return np.asarray((occurrences @ embeddings) / lengths[:, None])


def draw(sentences: Sentences, seed: int) -> list[int]:
    """Draw the places of a few sentences at random, in order."""
    count = len(sentences.texts)
    drawn = np.random.default_rng(seed).choice(count, min(QUERIES, count), replace=False)
    return sorted(drawn.tolist())


def mean_cosine(vectors: Vectors) -> float:
    """The mean cosine over all pairs of two different vectors among N vectors of length 1."""
    # The squared length of the sum is the sum of the cosines of all pairs.
    wide = vectors.astype(np.float64)
    total = wide.sum(axis=0)
    own = float((wide**2).sum())
    return float(total @ total - own) / (len(wide) * (len(wide) - 1))
