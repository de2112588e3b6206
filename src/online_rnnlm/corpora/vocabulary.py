"""The words that a model knows, and the word classes that its output layer is divided into."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from online_rnnlm.config.corpora import ClassSettings, CorpusSettings, VocabularySettings
from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN, VOCABULARY_HEADER
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing


def write_vocabulary(settings: CorpusSettings, train: Path, out: Path) -> None:
    """Count the words of `train` and write `vocabulary.tsv`: word, count, class by id.

    Raises UserError if there are fewer words than classes, and each class must have a word.
    """
    counted = select_words(*count_words(read_lines(train)), settings.vocabulary)
    if settings.classes.rule == "exchange":
        counted, classes = _exchange(counted, settings.classes.count, train)
    else:
        classes = assign_classes([count for _, count in counted], settings.classes)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(VOCABULARY_HEADER + "\n")
        for (word, count), label in zip(counted, classes, strict=True):
            file.write(f"{word}\t{count}\t{label}\n")


def count_words(sentences: Iterable[str]) -> tuple[Counter[str], int]:
    """Count each word's occurrences, and the sentences."""
    counts: Counter[str] = Counter()
    number = 0
    for sentence in sentences:
        counts.update(sentence.split(" "))
        number += 1
    return counts, number


def select_words(
    counts: Counter[str], sentences: int, settings: VocabularySettings
) -> list[tuple[str, int]]:
    """The vocabulary with its counts, in the order of the ids.

    `</s>` comes first, counted once per sentence; the others are ordered by falling count, and by
    code point if the counts are equal. `<unk>` stands for all words left out and for every `<unk>`
    of the text. It is always in the vocabulary, even if it never occurs, so that every text has a
    probability.
    """
    ordered = sorted(
        ((word, count) for word, count in counts.items() if word != UNKNOWN),
        key=lambda item: (-item[1], item[0]),
    )
    kept = [item for item in ordered if item[1] >= settings.min_count]
    if settings.max_size is not None:
        kept = kept[: settings.max_size - 2]
    unknown = counts.total() - sum(count for _, count in kept)
    known = sorted([*kept, (UNKNOWN, unknown)], key=lambda item: (-item[1], item[0]))
    return [(SENTENCE_END, sentences), *known]


def _exchange(
    counted: list[tuple[str, int]], classes: int, train: Path
) -> tuple[list[tuple[str, int]], list[int]]:
    """Make classes by the exchange algorithm; return the words in their order, and the classes."""
    from online_rnnlm.corpora import exchange  # noqa: PLC0415  # other rules need no compiler

    if classes > len(counted):
        raise UserError(
            f"`classes.count`: {classes} is more than the {len(counted)} words of {train}, with "
            f"`{SENTENCE_END}` and `{UNKNOWN}`: lower it, or the vocabulary's `min_count`"
        )
    ids = {word: number for number, (word, _) in enumerate(counted)}
    bigrams = exchange.count_bigrams(read_lines(train), ids, ids[UNKNOWN])
    order, labels = by_class(exchange.exchange_classes(bigrams, classes).tolist())
    return [counted[word] for word in order], labels


def by_class(labels: Sequence[int]) -> tuple[list[int], list[int]]:
    """Order words by class, and those of a class as they were; return them and their new classes.

    Classes are numbered in the order of their first words, so the first word stays the first.
    """
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    order = sorted(range(len(labels)), key=lambda word: numbers[labels[word]])
    return order, [numbers[labels[word]] for word in order]


def assign_classes(counts: Sequence[int], settings: ClassSettings) -> list[int]:
    """Every word's class by a rule that needs only counts, in the order of the ids: 0, 1, …"""
    if settings.rule == "equal_size":
        return _equal_classes(len(counts), settings.count)
    if settings.rule == "frequency":
        return _classes_by_mass([float(count) for count in counts], settings.count)
    return _classes_by_mass([math.sqrt(count) for count in counts], settings.count)


def _classes_by_mass(masses: Sequence[float], classes: int) -> list[int]:
    """Assign classes by the RNNLM Toolkit's rule: the next class begins when the share is used up.

    The word that crosses a class's bound still belongs to that class, and a word crosses at most
    one bound. So no class before the last one used is empty.
    """
    total = math.fsum(masses)
    labels: list[int] = []
    label, mass = 0, 0.0
    for own in masses:
        mass += own
        labels.append(label)
        if mass * classes > (label + 1) * total and label < classes - 1:
            label += 1
    return labels


def _equal_classes(words: int, classes: int) -> list[int]:
    """Assign classes whose sizes differ by at most one, the larger ones first."""
    used = min(words, classes)
    size, larger = divmod(words, used)
    return [label for label in range(used) for _ in range(size + (label < larger))]
