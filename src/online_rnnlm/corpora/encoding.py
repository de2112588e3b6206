"""The last stage of a corpus: splits, vocabulary, classes, arrays of word ids and statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Vocabulary, digest_of_files
from online_rnnlm.corpora.records import (
    Counts,
    SentenceSplitter,
    SplitStatistics,
    Statistics,
    TextPreparation,
)
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.splitting import read_splits
from online_rnnlm.corpora.textfiles import UNKNOWN, unchanged
from online_rnnlm.corpora.vocabulary import choose_vocabulary, encoded, write_vocabulary
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, CorpusDirectory


def encode(
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    sums: Mapping[str, str],
    processes: int,
    other_texts: Mapping[str, Path],
) -> None:
    """Write a corpus's splitter, vocabulary, splits as text and arrays, and `statistics.json` last.

    Each of `other_texts` is a split, too, but no part of the corpus's digest, since nothing is
    trained on it. The result does not depend on the number of processes. Raises UserError if a text
    cannot be read, has another sum than in `sums`, or is too short for its splits or classes.
    """
    source = source_of(settings.source)
    files = [*other_texts.values()]
    if source.skips_sentences:
        source.fetch(downloads)
        files += source.user_files()
    with unchanged(files, sums):
        splitter = _splitter(settings, directory, downloads)
        texts, numbers, dropped = read_splits(
            settings, directory, downloads, processes, other_texts, splitter
        )
    records.write(directory.splitter, splitter)
    vocabulary = choose_vocabulary(settings, texts["train"], numbers)
    write_vocabulary(vocabulary, directory.vocabulary)
    in_train = _sentences_in_train(texts)
    splits = {}
    for split, text in texts.items():
        found = encoded(text, numbers, vocabulary.words)
        _write_split(directory, split, found, vocabulary.words)
        if split in HELD_OUT:
            _write_text(directory.tokens(split), text, list(numbers))
        splits[split] = _split_statistics(text, found, vocabulary, in_train.get(split, 0))
    statistics = _statistics(settings, directory, vocabulary, splits, dropped)
    records.write(directory.statistics, statistics)


def _splitter(
    settings: CorpusSettings, directory: CorpusDirectory, downloads: Path
) -> SentenceSplitter:
    """Return the rules that divided the corpus into sentences; empty if it was tokenised."""
    source = source_of(settings.source)
    if source.tokenised:
        return SentenceSplitter.nothing()
    if not source.skips_sentences:
        return records.read(SentenceSplitter, directory.sentence_splitter)
    from online_rnnlm.corpora.tokenisation import train_splitter  # noqa: PLC0415

    return train_splitter(settings, *source.text_files(downloads)["train"])


def _statistics(
    settings: CorpusSettings,
    directory: CorpusDirectory,
    vocabulary: Vocabulary,
    splits: dict[str, SplitStatistics],
    dropped: Counter[str],
) -> Statistics:
    source = source_of(settings.source)
    articles = sentences = Counts(read=0, dropped={})
    if not source.skips_sentences:
        articles = records.read(Counts, directory.counts("articles"))
        sentences = records.read(Counts, directory.counts("sentences"))
    in_splits = sum(splits[split].sentences for split in SPLITS)
    sizes = np.diff(vocabulary.class_offsets)
    others = splits.keys() - set(SPLITS)
    files = {file.name: sha256_of(file) for file in directory.encoded_files(sorted(others))}
    return Statistics(
        corpus=directory.path.name,
        source=source.describe(),
        preparation=preparation_of(settings),
        articles=articles.kept if source.counts_articles() else None,
        empty_articles=articles.read - articles.kept,
        sentences_read=sentences.read or in_splits + dropped.total(),
        dropped=sentences.dropped | +dropped,
        splits=splits,
        vocabulary_size=len(vocabulary.words),
        classes=len(sizes),
        class_rule=settings.classes.rule,
        class_sizes=tuple(sizes.tolist()),
        files=files,
        digest=digest_of_files({file.name: files[file.name] for file in directory.model_files()}),
    )


def preparation_of(settings: CorpusSettings) -> TextPreparation:
    """Return the steps by which a corpus's text becomes sentences of words."""
    same = {"language", "nfc", "lowercase", "max_tokens", "too_long"}
    tokenised = source_of(settings.source).tokenised
    return TextPreparation(tokenised=tokenised, **settings.model_dump(include=same))


def _sentences_in_train(texts: dict[str, Split]) -> dict[str, int]:
    """Return how many sentences of each split but `train` are also in `train`, by split."""
    held_out = {s: Counter(_sentences(text)) for s, text in texts.items() if s != "train"}
    found = set().union(*held_out.values()).intersection(_sentences(texts["train"]))
    return {split: sum(map(counts.__getitem__, found)) for split, counts in held_out.items()}


def _sentences(text: Split) -> Iterator[bytes]:
    """Yield each sentence's word numbers, as bytes to compare."""
    for start, end in pairwise(text.offsets.tolist()):
        yield text.stream[start + 1 : end + 1].tobytes()


def _write_split(directory: CorpusDirectory, split: str, encoded: Split, words: list[str]) -> None:
    """Write one split's text with `<unk>`, and its arrays."""
    _write_text(directory.text(split), encoded, words)
    for path, array in (
        (directory.stream(split), encoded.stream),
        (directory.offsets(split), encoded.offsets),
        (directory.split_articles(split), encoded.articles),
    ):
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, array)


def _write_text(out: Path, text: Split, words: list[str]) -> None:
    """Write sentences, one per line, by the numbers of their words."""
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        for start, end in pairwise(text.offsets.tolist()):
            file.write(" ".join([words[n] for n in text.stream[start + 1 : end].tolist()]) + "\n")


def _split_statistics(
    text: Split, encoded: Split, vocabulary: Vocabulary, in_train: int
) -> SplitStatistics:
    """Count one split's targets; `</s>` counts as a token, but not as a word."""
    targets = encoded.stream[1:]
    unknown = int(np.count_nonzero(targets == vocabulary.words.index(UNKNOWN)))
    words = encoded.tokens - encoded.sentences
    return SplitStatistics(
        sentences=encoded.sentences,
        documents=encoded.documents,
        tokens=encoded.tokens,
        words=words,
        types=len(np.unique(text.stream)) - 1,
        unk_tokens=unknown,
        oov_rate=unknown / words,
        in_train=in_train,
        mean_class_size=vocabulary.mean_class_size(encoded),
    )
