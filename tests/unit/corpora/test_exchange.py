"""Tests of the exchange algorithm against its definition, computed word by word."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.corpora import exchange
from online_rnnlm.corpora.corpus import Vocabulary
from online_rnnlm.corpora.exchange import UNIT, Bigrams
from online_rnnlm.corpora.splitting import read_text
from online_rnnlm.corpora.vocabulary import by_class, choose_vocabulary
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


def likelihood(classes: exchange.Classes) -> int:
    """The part of the log-likelihood that depends on the classes, by their counts, times `UNIT`."""
    pairs, counts = (sum(map(term, found.ravel().tolist())) for found in classes[3:1:-1])
    return pairs - 2 * counts


def brute_force(sentences: list[list[int]], of_word: np.ndarray) -> int:
    """The likelihood by its definition, times `UNIT`: each sentence by itself, pair after pair."""
    pairs: Counter[tuple[int, int]] = Counter()
    counts: Counter[int] = Counter()
    for sentence in sentences:
        labels = [int(of_word[word]) for word in [0, *sentence, 0]]
        pairs.update(itertools.pairwise(labels))
        counts.update(labels[1:])
    return sum(map(term, pairs.values())) - 2 * sum(map(term, counts.values()))


@settings(max_examples=40)
@given(sentences=sentences, number=numbers)
def test_the_likelihood_is_that_of_a_fresh_computation_after_every_sweep(sentences, number):
    bigrams, words = bigrams_of(sentences), np.arange(10)
    classes = exchange.divide(bigrams, words % number)
    before = likelihood(classes)
    assert before == brute_force(sentences, classes.of_word)
    for _ in range(4):
        moved, gain = exchange.exchange_words(words, bigrams, classes, TERMS)
        after = likelihood(classes)
        assert after == before + gain == brute_force(sentences, classes.of_word)
        assert (gain > 0) == (moved > 0)
        assert {*classes.of_word.tolist()} == {*range(number)}  # no class is empty
        for kept, counted in zip(classes, exchange.divide(bigrams, classes.of_word), strict=True):
            assert (kept == counted).all()
        before = after


@settings(max_examples=40)
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


def test_words_are_ordered_by_class_and_within_a_class_as_before():
    assert by_class([2, 0, 2, 1, 0]) == ([0, 2, 1, 4, 3], [0, 0, 1, 1, 2])


def vocabulary_of(settings_of, count: int, text: str) -> Vocabulary:
    settings = settings_of({"file": "unused"}, classes={"rule": "exchange", "count": count})
    numbers: dict[str, int] = {}
    train = read_text(((line, 0) for line in text.splitlines()), numbers)
    return choose_vocabulary(settings, train, numbers)


def test_the_vocabulary_has_classes_one_after_another(settings_of):
    text = "the cat sees a dog\na dog sees the cat\nthe dog hears a cat\na cat hears the dog\n" * 3
    vocabulary = vocabulary_of(settings_of, 4, text)
    ranges = list(itertools.pairwise(vocabulary.class_offsets))
    classes = [{*vocabulary.words[begin:end]} - {"<unk>"} for begin, end in ranges]
    assert vocabulary.words[0] == "</s>" and len(classes) == 4
    assert {"the", "a"} in classes and {"cat", "dog"} in classes
    for begin, end in ranges:
        assert (np.diff(vocabulary.counts[max(begin, 1) : end]) <= 0).all()


def test_more_classes_than_words_are_refused(settings_of):
    with pytest.raises(UserError, match=r"`classes\.count`: 5 is more than the 4 words of"):
        vocabulary_of(settings_of, 5, "a b\n")
    assert vocabulary_of(settings_of, 4, "a b\n").class_offsets.tolist() == [0, 1, 2, 3, 4]
