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
import pandas as pd
from scipy import sparse

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables.table import Column, Table, label, number
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import DOCUMENT_VECTOR
from online_rnnlm.corpora import corpus as corpora
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.storage import weight_files
from online_rnnlm.storage.evaluations import check_evaluated
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.use.scored import nearest, unit_vectors

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
    row with a document vector has finished, or there is only one sentence, and UserError for files
    that are missing or do not fit each other.
    """
    row = results.headline_with_vector()
    sentences = read_sentences(results.directory, row.first.name, results.files_of(row.corpus))
    if len(sentences.texts) < 2:
        raise NothingToShowError("The only sentence of valid has no neighbour.")
    queries = draw(sentences, row.first.seed)
    data = pd.DataFrame(values for query in queries for values in _rows(query, sentences))
    # For people, a sentence stands only beside its nearest neighbour.
    shown = data.assign(text=data["text"].where(data["rank"] == 1))
    caption = "Sentences alike by document vector, and by the mean of their words' embeddings"
    columns = [
        Column("Sentence", label("text"), text=True, wide=True),
        Column("Cosine", number("document_cosine", ".2f")),
        Column("Nearest by document vector", label("document_text"), text=True, wide=True),
        Column("Cosine", number("embedding_cosine", ".2f")),
        Column("Nearest by mean embedding", label("embedding_text"), text=True, wide=True),
    ]
    notes = [
        f"The document vectors are those of {row.first.run.label}, after each sentence's "
        "last word; the embeddings are those of the same network. "
        f"The sentences are those of {row.corpus}, valid, with at least {MIN_WORDS} words.",
        f"They were drawn at random, with seed {row.first.seed}.",
        f"The cosine of two of these {len(sentences.texts):,} sentences is "
        f"{mean_cosine(sentences.document):z.2f} on average by document vector, "
        f"{mean_cosine(sentences.embedding):z.2f} by mean embedding.",
    ]
    return Table("neighbours", caption, shown, columns, notes, data)


def _rows(query: int, sentences: Sentences) -> Iterator[dict[str, Any]]:
    """Yield a row for each of a sentence's neighbours, the nearest first."""
    numbers = sentences.numbers
    texts = sentences.texts
    alike = []
    for vectors in (sentences.document, sentences.embedding):
        found = nearest(vectors, vectors[query], NEAREST + 1)  # among them may be the query itself
        alike.append([neighbour for neighbour in found if neighbour[0] != query][:NEAREST])
    for rank, neighbours in enumerate(zip(*alike, strict=True), start=1):
        row = {"sentence": numbers[query], "text": texts[query], "rank": rank}
        for kind, (place, cosine) in zip(("document", "embedding"), neighbours, strict=True):
            row[f"{kind}_cosine"] = cosine
            row[f"{kind}_neighbour"] = numbers[place]
            row[f"{kind}_text"] = texts[place]
        yield row


def read_sentences(directory: ExperimentDirectory, run: str, files: CorpusDirectory) -> Sentences:
    """Read a run's vectors of the sentences of `valid` of its corpus, whose folder is `files`.

    Raises UserError for a missing file. Each text is read once, and short sentences are left out.
    """
    split = corpora.load_split(files, SPLIT)
    texts = list(read_lines(files.tokens(SPLIT)))
    path = directory.document_vectors(run, SPLIT)
    check_evaluated(directory, run, DOCUMENT_VECTOR, path)
    vectors = np.load(path)
    digest = corpora.read_statistics(files).digest
    network = weight_files.read_trained(directory.run(run), digest)
    kept = _kept(texts)
    return Sentences(
        numbers=kept,
        texts=[texts[number] for number in kept],
        document=unit_vectors(vectors[kept]),
        embedding=unit_vectors(mean_embeddings(network.embeddings, split)[kept]),
    )


def _kept(texts: list[str]) -> npt.NDArray[np.int64]:
    """The numbers of the sentences to keep: each text once, only long ones if enough are long."""
    first = {text: number for number, text in reversed(list(enumerate(texts)))}
    once = sorted(first.values())
    long = [number for number in once if len(texts[number].split()) >= MIN_WORDS]
    return np.array(long if len(long) >= _FEW else once, dtype=np.int64)


def mean_embeddings(embeddings: Vectors, split: Split) -> Vectors:
    """(sentences, M): the mean of the embeddings of each sentence's words, without `</s>`."""
    words = split.stream[1:]
    counts = (words != corpora.SENTENCE_END_ID).astype(embeddings.dtype)
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
