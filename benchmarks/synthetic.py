"""Random text whose word frequencies follow Zipf's law, as those of real text do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.corpora import ClassSettings
from online_rnnlm.corpora.corpus import (
    SENTENCE_END,
    UNKNOWN,
    VOCABULARY_HEADER,
    Corpus,
    Split,
    digest_of,
)
from online_rnnlm.corpora.vocabulary import assign_classes
from online_rnnlm.storage import records
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory
from online_rnnlm.storage.records import CorpusSource, SplitStatistics, Statistics

SENTENCE_WORDS = 25
"""Number of words of every sentence, `</s>` included."""
HELD_OUT_SENTENCES = 2000


def zipf_split(tokens: int, vocabulary: int, seed: int) -> Split:
    """Draw sentences of equal length in which the probability of word k is proportional to 1 / k.

    Every word of the vocabulary occurs if the text is long enough.
    """
    sentences = max(1, tokens // SENTENCE_WORDS)
    random = np.random.default_rng(seed)
    chances = np.cumsum(1.0 / np.arange(1, vocabulary))
    drawn = random.random(sentences * SENTENCE_WORDS) * chances[-1]
    words = np.searchsorted(chances, drawn, side="right").astype(np.int32) + 1
    every = min(vocabulary - 1, len(words))
    words[random.permutation(len(words))[:every]] = np.arange(1, every + 1)
    words[SENTENCE_WORDS - 1 :: SENTENCE_WORDS] = 0
    stream = np.concatenate([np.zeros(1, np.int32), words])
    return Split(stream, np.arange(sentences + 1, dtype=np.int64) * SENTENCE_WORDS)


def zipf_corpus(tokens: int, vocabulary: int, classes: ClassSettings) -> Corpus:
    """Return a corpus of random text, with the word classes that the package would make."""
    sizes = (tokens, *[min(tokens, HELD_OUT_SENTENCES * SENTENCE_WORDS)] * 2)
    splits = {
        name: zipf_split(size, vocabulary, seed)
        for seed, (name, size) in enumerate(zip(SPLITS, sizes, strict=True))
    }
    counts = np.bincount(splits["train"].stream[1:], minlength=vocabulary)
    # By chance, a few words of similar frequency are out of order; they are too few to matter.
    counts[1:] = -np.sort(-counts[1:])
    labels = np.array(assign_classes(counts.tolist(), classes))
    return Corpus(
        words=[SENTENCE_END, UNKNOWN, *(f"w{number}" for number in range(2, vocabulary))],
        counts=counts,
        class_offsets=_offsets(labels),
        unk_id=1,
        splits=splits,
        digest="",
    )


def _offsets(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first word id of each class, and the end of the last class."""
    return np.append(np.flatnonzero(np.diff(labels, prepend=-1)), len(labels)).astype(np.int64)


def _statistics(corpus: Corpus, files: dict[str, str]) -> Statistics:
    splits = {
        name: SplitStatistics(
            sentences=split.sentences,
            documents=split.documents,
            tokens=split.tokens,
            words=split.tokens - split.sentences,
            types=corpus.vocabulary_size,
            unk_tokens=0,
            oov_rate=0.0,
            in_train=0,
            mean_class_size=corpus.mean_class_size(name),
        )
        for name, split in corpus.splits.items()
    }
    return Statistics(
        corpus="zipf",
        source=CorpusSource(kind="zipf", title="random words", licence=None, origin="random words"),
        articles=None,
        empty_articles=0,
        sentences_read=sum(split.sentences for split in corpus.splits.values()),
        dropped={},
        splits=splits,
        vocabulary_size=corpus.vocabulary_size,
        classes=corpus.classes,
        class_rule="given",
        class_sizes=tuple(np.diff(corpus.class_offsets).tolist()),
        files=files,
        digest=digest_of(files),
    )


def write_zipf_corpus(
    directory: CorpusDirectory, tokens: int, vocabulary: int, classes: ClassSettings
) -> int:
    """Write a random corpus in the format of a prepared one; returns the size of its vocabulary."""
    corpus = zipf_corpus(tokens, vocabulary, classes)
    directory.path.mkdir(parents=True, exist_ok=True)
    rows = zip(corpus.words, corpus.counts, corpus.word_classes, strict=True)
    lines = [f"{word}\t{count}\t{label}\n" for word, count, label in rows]
    directory.vocabulary.write_text(f"{VOCABULARY_HEADER}\n{''.join(lines)}", encoding="utf-8")
    for name, split in corpus.splits.items():
        np.save(directory.stream(name), split.stream)
        np.save(directory.offsets(name), split.offsets)
        np.save(directory.split_articles(name), np.arange(split.sentences, dtype=np.int32))
    files = {file.name: sha256_of(file) for file in directory.model_files()}
    records.write(directory.statistics, _statistics(corpus, files))
    return corpus.vocabulary_size
