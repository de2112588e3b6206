"""Tests of Kneser-Ney against values computed by hand, KenLM and a plain implementation."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.rivals.kneser_ney import KneserNey, discounts_of
from online_rnnlm.use.network import split_of

END = 0
A = 1
B = 2
MARK = "<s>"
V = 5
SENTENCES = st.lists(st.integers(1, V - 1), max_size=6)
TEXTS = st.lists(SENTENCES, min_size=1, max_size=12)


def split(sentences):
    """Return a split of sentences, given as word ids without `</s>`."""
    return split_of([*sentence, END] for sentence in sentences)


def train(sentences, order, vocabulary_size=V) -> KneserNey:
    return KneserNey.train(split(sentences), vocabulary_size, order)


def distribution(model, sentence):
    """Return P(w | a sentence's words so far) of every word w."""
    texts = [sentence, *([*sentence, word] for word in range(1, model.vocabulary_size))]
    logs = [model.log_probabilities(split([text]))[len(sentence)] for text in texts]
    return np.exp(logs)


class Definition:
    """The model by its definition: n-grams are tuples, and words are scored one at a time."""

    def __init__(self, sentences, order):
        self.order = order
        self.counts = defaultdict(Counter)
        seen = Counter()
        before = defaultdict(set)
        for sentence in sentences:
            words = [MARK, *sentence, END]
            for end in range(2, len(words) + 1):
                for length in range(1, min(order, end) + 1):
                    ngram = tuple(words[end - length : end])
                    seen[ngram] += 1
                    if length < end:
                        before[ngram].add(words[end - length - 1])
        for ngram, occurrences in seen.items():
            raw = len(ngram) == order or ngram[0] == MARK
            count = occurrences if raw else len(before[ngram])
            self.counts[ngram[:-1]][ngram[-1]] = count
        self.discounts = []
        for length in range(order):
            rows = [row for history, row in self.counts.items() if len(history) == length]
            counts = [count for row in rows for count in row.values()]
            self.discounts.append(discounts_of(np.array(counts, np.int64)))

    def probability(self, word, sentence):
        return self._interpolated(word, (MARK, *sentence)[-(self.order - 1) :][: self.order - 1])

    def _interpolated(self, word, history):
        lower = self._interpolated(word, history[1:]) if history else 1 / V
        row = self.counts.get(history)
        if row is None:
            return lower
        discounts = [0, *self.discounts[len(history)]]
        total = sum(row.values())
        weight = sum(discounts[min(count, 3)] for count in row.values()) / total
        return (row[word] - discounts[min(row[word], 3)]) / total + weight * lower


@settings(max_examples=40)
@given(TEXTS, st.lists(SENTENCES, max_size=3), st.integers(1, 4))
def test_every_distribution_is_that_of_the_definition_sums_to_one_and_is_positive(
    sentences, unseen, order
):
    model = train(sentences, order)
    definition = Definition(sentences, order)
    for sentence in [*sentences, *unseen]:
        for length in range(len(sentence) + 1):
            probabilities = distribution(model, sentence[:length])
            expected = [definition.probability(word, sentence[:length]) for word in range(V)]
            np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
            assert probabilities.sum() == pytest.approx(1, abs=1e-12)
            assert (probabilities > 0).all()


def test_the_stored_parameters_are_counted():
    # 3 words and 4 bigrams; the histories are empty, <s>, a and b.
    assert train([[A, B], [A]], order=2, vocabulary_size=4).parameters == 3 + 4 + 4


@pytest.mark.parametrize(
    ("counts", "discounts"),
    [
        # n1 = 4, n2 = 2, n3 = 1, n4 = 1, Y = 1/2.
        ((1, 1, 1, 1, 2, 2, 3, 4), (0.5, 1.25, 1.0)),
        # n1 = 0: the formulas give no discounts.
        ((2, 2), (0.5, 0.5, 0.5)),
        # n1 = 1, n2 = 0: Y = 1, while D2 and D3+ are undefined.
        ((1, 7, 9), (1.0, 1.0, 1.0)),
        # D2 = 2 - 3/2 · 3/1 is negative; D3+ = 3 - 2 · 2/3.
        ((1, 1, 2, 3, 3, 3, 4, 4), (0.5, 0.5, 3 - 4 / 3)),
        # D3+ = 3 - 2 · 3/2 is 0, which would leave unseen words without probability.
        ((1, 1, 2, 3, 3, 4, 4, 4), (0.5, 0.5, 0.5)),
    ],
)
def test_discounts_from_counts_of_counts(counts, discounts):
    assert discounts_of(np.array(counts)) == pytest.approx(discounts)


def test_agrees_with_kenlm():
    """The log10 probabilities are from KenLM's lmplz, order 3, for a text of letters as words."""
    text = (
        "cntbk baajja ffa asajcd ieedb aeeashb aaabkc bkaaajbb bcn asaa cck lja abb rdaajasb "
        "taccckrm gdd mlbkaaab aaabk eabkajca aacnta cckm hdaajjja abasrfa obka cdaaab cnb ccnbbk "
        "caajcjja rma oaa aajc dajasiga paa aaabkt daj ajjjmlc"
    )
    ids = {letter: i for i, letter in enumerate(sorted(set(text) - {" "}), 1)}
    # KenLM counts its own <unk> as a further word; `</s>` is a word, `<s>` is not.
    words = [[ids[letter] for letter in word] for word in text.split()]
    model = train(words, 3, len(ids) + 2)
    discounts = [(0.285714, 1.48571, 1.85714), (0.614458, 1.19352, 1.94664)]
    discounts.append((0.772727, 0.918182, 1.23377))
    np.testing.assert_allclose(Definition(words, 3).discounts, discounts, rtol=1e-5)
    scored = [[ids[letter] for letter in word] for word in ("aaffasa", "bklb", "erte")]
    expected = [
        *(-0.49041083, -0.33626363, -2.5308728, -0.83380324, -0.28775385, -1.4738069, -0.5188241),
        *(-0.7583167, -1.0899656, -0.5897747, -2.2124865, -0.6871978, -0.68335134),
        *(-1.550812, -1.8558272, -1.7400296, -1.5950739, -1.2152764),
    ]
    log10 = model.log_probabilities(split(scored)) / np.log(10)
    np.testing.assert_allclose(log10, expected, atol=1e-6)


def test_a_split_without_tokens_scores_nothing():
    assert train([[A]], 3).log_probabilities(split([])).shape == (0,)
