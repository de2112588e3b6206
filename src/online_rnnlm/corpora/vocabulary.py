"""The words that a model knows, and the word classes that its output layer is divided into."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from online_rnnlm.config.corpora import ClassSettings, CorpusSettings, VocabularySettings
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Vocabulary
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.splitting import Numbers
from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing

Counted = list[tuple[str, int]]
"""Words, each with its number of occurrences."""


def choose_vocabulary(settings: CorpusSettings, train: Split, numbers: Numbers) -> Vocabulary:
    """Choose the words that the model knows, in the order of their ids, and their classes.

    Raises UserError if no word is frequent enough, or if there are more classes than words.
    """
    found = np.bincount(train.stream[1:], minlength=len(numbers)).tolist()
    counts = {word: found[number] for word, number in numbers.items() if found[number]}
    counted = select_words(counts, settings.vocabulary)
    origin = source_of(settings.source).describe().origin
    if len(counted) == 2:  # `</s>` and `<unk>`
        raise UserError(
            f"{origin}: no word occurs {settings.vocabulary.min_count} times in the training text, "
            "so the vocabulary is empty: lower `vocabulary.min_count`"
        )
    most = max(len(counted), ClassSettings().count)
    if settings.classes.count > most:
        raise UserError(
            f"{origin}: `classes.count` is {settings.classes.count}, but the vocabulary has "
            f"{len(counted)} words: at most {most} classes are allowed"
        )
    classes = assign_classes([count for _, count in counted], settings.classes)
    bounds = np.flatnonzero(np.diff(classes, prepend=-1, append=classes[-1] + 1))
    words, found = map(list, zip(*counted, strict=True))
    return Vocabulary(words, np.array(found, np.int64), bounds.astype(np.int64))


def write_vocabulary(vocabulary: Vocabulary, out: Path) -> None:
    """Write `vocabulary.tsv`: word, count, class by id."""
    classes = vocabulary.word_classes.tolist()
    rows = zip(vocabulary.words, vocabulary.counts.tolist(), classes, strict=True)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("word\tcount\tclass\n")
        file.writelines(f"{word}\t{count}\t{label}\n" for word, count, label in rows)


def encoded(text: Split, numbers: Numbers, words: Sequence[str]) -> Split:
    """Return a text in the ids of a vocabulary, whose words are in the order of their ids.

    All other words are `<unk>`.
    """
    ids = {word: number for number, word in enumerate(words)}
    id_of = np.array([ids.get(word, ids[UNKNOWN]) for word in numbers], np.int32)
    return Split(id_of[text.stream], text.offsets, text.articles)


def select_words(counts: Mapping[str, int], settings: VocabularySettings) -> Counted:
    """The vocabulary with its counts, in the order of the ids.

    `</s>` comes first; the others are ordered by falling count, and by code point if the counts are
    equal. `<unk>` stands for all words left out and for every `<unk>` of the text. It is always in
    the vocabulary, even if it never occurs, so that every text has a probability.
    """
    other = {word: n for word, n in counts.items() if word not in (SENTENCE_END, UNKNOWN)}
    kept = _ordered((word, n) for word, n in other.items() if n >= settings.min_count)
    if settings.max_size is not None:
        kept = kept[: settings.max_size - 2]
    end = (SENTENCE_END, counts[SENTENCE_END])
    unknown = sum(counts.values()) - sum(count for _, count in [end, *kept])
    return [end, *_ordered([*kept, (UNKNOWN, unknown)])]


def _ordered(counted: Iterable[tuple[str, int]]) -> Counted:
    return sorted(counted, key=lambda item: (-item[1], item[0]))


def assign_classes(counts: Sequence[int], settings: ClassSettings) -> list[int]:
    """Every word's class, in the order of the ids: 0, 1, …

    By the RNNLM Toolkit's rule, the next class begins when the share of one is used up. The word
    that crosses a class's bound still belongs to that class, and a word crosses at most one bound.
    So no class before the last one used is empty.
    """
    masses = counts if settings.rule == "frequency" else [math.sqrt(count) for count in counts]
    total = math.fsum(masses)
    labels: list[int] = []
    label = 0
    mass = 0.0
    for own in masses:
        mass += own
        labels.append(label)
        if mass * settings.count > (label + 1) * total and label < settings.count - 1:
            label += 1
    return labels
