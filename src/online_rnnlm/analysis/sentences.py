"""Two vectors for each sentence: the document vector after it, and its mean word embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, Split, load_split, load_vocabulary
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.corpora.topics import topics_of
from online_rnnlm.errors import UserError
from online_rnnlm.model import weight_files
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.scores import check_evaluated

SPLIT = "valid"
MIN_TOKENS = 10  # A vector has learnt little from a shorter sentence.
_FEW = 4  # Short sentences are left out only if at least this many long ones remain.

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sentences:
    """N sentences of a split, with two vectors each."""

    numbers: npt.NDArray[np.int64]
    """(N,): each sentence's number in the split, from 0."""
    texts: list[str]
    subjects: list[str]
    """Each sentence's topic, or the number of its article if it has no topic."""
    document: Vectors
    """(N, D): document vectors after the last word, of length 1."""
    embedding: Vectors
    """(N, M): means of the words' embeddings, of length 1."""


def read_sentences(directory: ExperimentDirectory, run: str, corpus: str) -> Sentences:
    """Read a run's vectors of the sentences of `valid`.

    Each text is read once, and short sentences are left out. Raises UserError for files that are
    missing or do not fit each other.
    """
    files, path = directory.corpus(corpus), directory.document_vectors(run, SPLIT)
    weights = directory.run(run).model
    if not weights.is_file():
        raise UserError(f"{weights}: missing; train the run `{run}` first")
    check_evaluated(directory, run, DOCUMENT_VECTOR, path)
    split, texts = load_split(files, SPLIT), list(read_lines(files.split(SPLIT)))
    vectors: Vectors = np.load(path)
    for file, found in ((path, len(vectors)), (files.offsets(SPLIT), split.sentences)):
        if found != len(texts):
            of = files.split(SPLIT)
            raise UserError(f"{file}: is of {found} sentences, but {of} has {len(texts)}")
    vocabulary = load_vocabulary(files)
    split.check(vocabulary.vocabulary_size, files.stream(SPLIT))
    network = weight_files.read_trained(directory.run(run), vocabulary)
    kept = _kept(texts)
    subjects = _subjects(files, split)
    return Sentences(
        numbers=kept,
        texts=[texts[number] for number in kept],
        subjects=[subjects[number] for number in kept],
        document=unit(vectors[kept]),
        embedding=unit(mean_embeddings(network.embeddings, split)[kept]),
    )


def _kept(texts: list[str]) -> npt.NDArray[np.int64]:
    """The numbers of the sentences to keep: each text once, only long ones if enough are long."""
    first = {text: number for number, text in reversed(list(enumerate(texts)))}
    once = sorted(first.values())
    long = [number for number in once if len(texts[number].split()) >= MIN_TOKENS]
    return np.array(long if len(long) >= _FEW else once, dtype=np.int64)


def _subjects(files: CorpusDirectory, split: Split) -> list[str]:
    """The topic of every sentence, or the number of its article if it has no topic."""
    articles = split.articles if split.articles.size else np.arange(split.sentences)
    topics = topics_of(files, SPLIT) or [""] * split.sentences
    return [topic or str(number) for topic, number in zip(topics, articles, strict=True)]


def mean_embeddings(embeddings: npt.NDArray[Any], split: Split) -> npt.NDArray[Any]:
    """(sentences, M): the mean of the embeddings of each sentence's words, without `</s>`."""
    words = split.stream[1:]
    counts = (words != SENTENCE_END_ID).astype(embeddings.dtype)
    shape = (split.sentences, len(embeddings))
    occurrences = sparse.csr_matrix((counts, words, split.offsets), shape=shape)
    lengths = np.maximum(np.diff(split.offsets) - 1, 1)
    means: npt.NDArray[Any] = (occurrences @ embeddings) / lengths[:, None]
    return means


def unit(vectors: npt.NDArray[Any]) -> Vectors:
    """The vectors, each divided by its length; a vector of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
