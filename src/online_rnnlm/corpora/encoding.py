"""Encoding of splits: arrays of word ids, the text with `<unk>`, and the corpus's statistics."""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.corpus import (
    SENTENCE_END_ID,
    UNKNOWN,
    Vocabulary,
    digest_of,
    load_split,
    mean_class_size,
    read_vocabulary,
)
from online_rnnlm.corpora.numbering import digest_of_sentence
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.sources.base import COUNTING_STAGES
from online_rnnlm.corpora.tally import EMPTY
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, CorpusDirectory
from online_rnnlm.storage.records import (
    CorpusSource,
    Counts,
    SplitStatistics,
    Statistics,
    TextPreparation,
)

logger = logging.getLogger(__name__)


def encode(settings: CorpusSettings, corpus_name: str, directory: CorpusDirectory) -> None:
    """Write every split's text with `<unk>` and its arrays, and at last `statistics.json`."""
    vocabulary = read_vocabulary(directory.vocabulary)
    in_train = _sentences_in_train(directory)
    splits = {
        split: _encode_split(directory, split, vocabulary, in_train.get(split, 0))
        for split in SPLITS
    }
    source, counts = source_of(settings.source), _counts(settings, directory)
    files = _files(directory)
    sizes = np.diff(vocabulary.class_offsets)
    statistics = Statistics(
        corpus=corpus_name,
        source=CorpusSource(kind=settings.source.kind, **asdict(source.describe())),
        preparation=preparation_of(settings),
        articles=counts["articles"].kept if source.counts_articles() else None,
        empty_articles=counts["articles"].dropped.get(EMPTY, 0),
        sentences_read=counts["sentences"].read or counts["splits"].read,
        dropped=counts["sentences"].dropped | counts["splits"].dropped,
        splits=splits,
        vocabulary_size=len(vocabulary.words),
        classes=len(sizes),
        class_rule=settings.classes.rule,
        class_sizes=tuple(sizes.tolist()),
        files=files,
        digest=digest_of(files),
    )
    records.write(directory.statistics, statistics)
    for split, number in statistics.unknown_words_never_trained.items():
        logger.warning(
            "%s: %s words of %s are `%s`, which `train` never has: no model learns how probable it "
            "is. Raise `vocabulary.min_count`",
            *(corpus_name, f"{number:,}", split, UNKNOWN),
        )


def preparation_of(settings: CorpusSettings) -> TextPreparation:
    """Return the steps by which a corpus's text becomes sentences of words."""
    source = source_of(settings.source)
    return TextPreparation(
        tokenised=source.ready and source.tokenised,
        language=settings.language,
        nfc=settings.nfc,
        lowercase=settings.lowercase,
        max_tokens=settings.max_tokens,
        too_long=settings.too_long,
    )


def _counts(settings: CorpusSettings, directory: CorpusDirectory) -> dict[str, Counts]:
    """Return what each stage read and dropped; nothing for a stage that the text skips."""
    stages = source_of(settings.source).stages()
    return {
        stage: records.read(Counts, directory.counts(stage))
        if stage in stages
        else Counts(read=0, dropped={})
        for stage in COUNTING_STAGES
    }


def _sentences_in_train(directory: CorpusDirectory) -> dict[str, int]:
    """Return how many sentences of `valid` and `test` are also in `train`, by split."""
    held_out = {
        split: Counter(map(digest_of_sentence, read_lines(directory.split(split))))
        for split in HELD_OUT
    }
    found: set[bytes] = set()
    for sentence in read_lines(directory.split("train")):
        digest = digest_of_sentence(sentence)
        if any(digest in sentences for sentences in held_out.values()):
            found.add(digest)
    return {
        split: sum(sentences[digest] for digest in found) for split, sentences in held_out.items()
    }


def _encode_split(
    directory: CorpusDirectory, split: str, vocabulary: Vocabulary, in_train: int
) -> SplitStatistics:
    """Write one split's text and arrays; return its statistics."""
    ids = {word: number for number, word in enumerate(vocabulary.words)}
    unknown = ids[UNKNOWN]
    stream = array("i", [SENTENCE_END_ID])
    offsets = array("q", [0])
    types: set[str] = set()
    out = directory.text(split)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        for sentence in read_lines(directory.split(split)):
            words = sentence.split(" ")
            numbers = [ids.get(word, unknown) for word in words]
            types.update(words)
            file.write(" ".join([vocabulary.words[number] for number in numbers]) + "\n")
            stream.extend(numbers)
            stream.append(SENTENCE_END_ID)
            offsets.append(len(stream) - 1)
    _save(directory.stream(split), np.frombuffer(stream, dtype=np.int32))
    _save(directory.offsets(split), np.frombuffer(offsets, dtype=np.int64))
    return _statistics(directory, split, vocabulary, len(types), in_train)


def _save(path: Path, values: np.ndarray[Any, Any]) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, values)


def _statistics(
    directory: CorpusDirectory, split: str, vocabulary: Vocabulary, types: int, in_train: int
) -> SplitStatistics:
    """Count one split's targets; `</s>` counts as a token, but not as a word."""
    encoded = load_split(directory, split)
    targets = encoded.stream[1:]
    unknown = int(np.count_nonzero(targets == vocabulary.words.index(UNKNOWN)))
    words = encoded.tokens - encoded.sentences
    return SplitStatistics(
        sentences=encoded.sentences,
        documents=encoded.documents,
        tokens=encoded.tokens,
        words=words,
        types=types,
        unk_tokens=unknown,
        oov_rate=unknown / words,
        in_train=in_train,
        mean_class_size=mean_class_size(vocabulary.class_offsets, targets),
    )


def _files(directory: CorpusDirectory) -> dict[str, str]:
    """The sha256 of every file that a model or another toolkit reads, by file name."""
    paths = [directory.vocabulary]
    for split in SPLITS:
        paths += [directory.text(split), directory.stream(split)]
        paths += [directory.offsets(split), directory.split_articles(split)]
    return {path.name: sha256_of(path) for path in paths}
