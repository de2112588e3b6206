"""Tests of the exchange algorithm against its definition, computed word by word."""

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora import exchange
from online_rnnlm.corpora.corpus import read_vocabulary
from online_rnnlm.corpora.exchange import UNIT, Bigrams
from online_rnnlm.corpora.vocabulary import by_class, write_vocabulary
from online_rnnlm.errors import UserError

TERMS = exchange.first_terms(50)
"""Fewer than the counts below, so that terms that are not kept are tested, too."""
sentences = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), min_size=1, max_size=25)
numbers = st.integers(1, 10)


def stream_of(sentences: list[list[int]]) -> np.ndarray:
    return np.array([0, *(word for sentence in sentences for word in [*sentence, 0])], np.int32)


def bigrams_of(sentences: list[list[int]]) -> Bigrams:
    """The bigrams over the words 0 to 9, `</s>` and those that never occur among them."""
    return exchange.bigrams_of(stream_of(sentences), 10)


def term(n: int) -> int:
    return round(n * math.log(n) * UNIT) if n else 0


def brute_force(sentences: list[list[int]], of_word: np.ndarray) -> int:
    """The likelihood by its definition, times `UNIT`: each sentence by itself, pair after pair."""
    pairs: Counter[tuple[int, int]] = Counter()
    counts: Counter[int] = Counter()
    for sentence in sentences:
        labels = [int(of_word[word]) for word in [0, *sentence, 0]]
        pairs.update(itertools.pairwise(labels))
        counts.update(labels[1:])
    return sum(map(term, pairs.values())) - 2 * sum(map(term, counts.values()))


@given(sentences=sentences, number=numbers)
def test_the_likelihood_is_that_of_a_fresh_computation_after_every_sweep(sentences, number):
    bigrams, words = bigrams_of(sentences), np.arange(10)
    classes = exchange.divide(bigrams, words % number)
    before = exchange.likelihood(classes, TERMS)
    assert before == brute_force(sentences, classes.of_word)
    for _ in range(4):
        moved, gain = exchange.exchange_words(words, bigrams, classes, TERMS)
        after = exchange.likelihood(classes, TERMS)
        assert after == before + gain == brute_force(sentences, classes.of_word)
        assert (gain > 0) == (moved > 0)
        for kept, counted in zip(classes, exchange.divide(bigrams, classes.of_word), strict=True):
            assert (kept == counted).all()
        before = after


@given(sentences=sentences, number=numbers)
def test_a_word_moves_to_the_first_best_class_if_that_is_better_than_its_own(sentences, number):
    bigrams = bigrams_of(sentences)
    classes = exchange.divide(bigrams, np.arange(10) % number)
    for word in range(10):
        own, sizes = classes.of_word[word], classes.sizes.copy()
        reached = []
        for label in range(number):
            changed = classes.of_word.copy()
            changed[word] = label
            reached.append(brute_force(sentences, changed))
        exchange.exchange_words(np.array([word]), bigrams, classes, TERMS)
        best = reached.index(max(reached))
        stays = sizes[own] == 1 or reached[own] == reached[best]
        assert classes.of_word[word] == (own if stays else best)


@given(sentences=sentences, number=numbers)
def test_no_class_is_empty_and_two_runs_are_equal(sentences, number):
    bigrams = bigrams_of(sentences)
    labels = exchange.exchange_classes(bigrams, number)
    assert sorted(set(labels.tolist())) == list(range(number))
    assert (labels == exchange.exchange_classes(bigrams, number)).all()


def test_the_likelihood_is_that_of_the_class_bigram_model():
    """Σ ln P(w | v), without the words' own Σ N(w) ln N(w), which no division changes."""
    sentences = [[1, 2, 3], [2, 2, 1], [3, 1]]
    of_word, stream = np.arange(10) % 3, stream_of(sentences)
    pairs, words = Counter(), Counter(stream[1:].tolist())
    histories = Counter(of_word[stream[:-1]].tolist())
    for history, word in zip(of_word[stream[:-1]], of_word[stream[1:]], strict=True):
        pairs[history, word] += 1
    expected = sum(
        math.log(pairs[of_word[v], of_word[w]] / histories[of_word[v]])
        + math.log(words[w] / histories[of_word[w]])
        for v, w in zip(stream[:-1].tolist(), stream[1:].tolist(), strict=True)
    )
    own = sum(n * math.log(n) for n in words.values())
    found = exchange.likelihood(exchange.divide(bigrams_of(sentences), of_word), TERMS) / UNIT
    assert found + own == pytest.approx(expected, abs=1e-5)


def test_two_obvious_classes_are_found():
    """Sentences alternate between odd and even words, which a frequency does not tell apart."""
    random = np.random.default_rng(1)
    sentences = [
        [int(2 * random.integers(0, 4) + 1 + place % 2) for place in range(2 * length)]
        for length in random.integers(2, 6, 200)
    ]
    labels = exchange.exchange_classes(bigrams_of(sentences), 3)
    odd, even = {*labels[[1, 3, 5, 7]]}, {*labels[[2, 4, 6, 8]]}
    assert len(odd) == len(even) == 1
    assert len({labels[0], *odd, *even}) == 3


def test_words_are_ordered_by_class_and_within_a_class_as_before():
    assert by_class([2, 0, 2, 1, 0]) == ([0, 2, 1, 4, 3], [0, 0, 1, 1, 2])


def with_exchange(settings: CorpusSettings, count: int) -> CorpusSettings:
    values = settings.model_dump()
    return CorpusSettings.model_validate(
        {**values, "classes": {"rule": "exchange", "count": count}}
    )


def write(settings: CorpusSettings, folder: Path, text: str) -> Path:
    train, out = folder / "train.tokens.txt", folder / "vocabulary.tsv"
    train.write_text(text, encoding="utf-8")
    write_vocabulary(settings, train, out)
    return out


def test_the_file_has_classes_one_after_another(tmp_path: Path, settings: CorpusSettings) -> None:
    text = "the cat sees a dog\na dog sees the cat\nthe dog hears a cat\na cat hears the dog\n" * 3
    vocabulary = read_vocabulary(write(with_exchange(settings, 4), tmp_path, text))
    ranges = list(itertools.pairwise(vocabulary.class_offsets))
    classes = [set(vocabulary.words[begin:end]) for begin, end in ranges]
    assert vocabulary.words[0] == "</s>"
    assert {"the", "a"} in classes
    assert {"cat", "dog"} in [found - {"<unk>"} for found in classes]
    assert len(classes) == 4
    for begin, end in ranges:
        assert (np.diff(vocabulary.counts[max(begin, 1) : end]) <= 0).all()


def test_more_classes_than_words_are_refused(tmp_path: Path, settings: CorpusSettings) -> None:
    with pytest.raises(UserError, match=r"`classes\.count`: 5 is more than the 4 words of"):
        write(with_exchange(settings, 5), tmp_path, "a b\n")
    vocabulary = read_vocabulary(write(with_exchange(settings, 4), tmp_path, "a b\n"))
    assert vocabulary.class_offsets.tolist() == [0, 1, 2, 3, 4]
