"""Tests of the topic model: its distribution, its topics, and what it knows when."""

import numpy as np
import pytest

from online_rnnlm.config import testing as typed
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import topics
from online_rnnlm.rivals.topics import Topics, find_topics, log_probabilities, word_counts

BY_HAND = Topics(
    words=np.array([[0.75, 0.25], [0.25, 0.75]]),
    prior=0.5,
    frequencies=np.array([0.4, 0.3, 0.3]),
    rank=np.array([-1, 0, 1]),
)
"""Word 0 is of every subject; the words 1 and 2 are of two topics."""


def test_the_probabilities_by_hand():
    found = np.exp(log_probabilities(BY_HAND, np.array([1, 0, 1]), [0.5]))[0]
    # Both topics are as likely: 0.6 (0.5 0.75 + 0.5 0.25); then word 0, from which nothing is
    # learnt; then n = (0.75, 0.25), so θ = (1.25, 0.75) / 2.
    assert found[:2] == pytest.approx([0.3, 0.4])
    assert found[2] == pytest.approx(0.6 * (0.625 * 0.75 + 0.375 * 0.25))


@pytest.mark.parametrize("history", [[], [1], [2, 2, 0, 1]])
def test_the_probabilities_sum_to_one(history):
    texts = [np.array([*history, word]) for word in range(3)]
    last = [log_probabilities(BY_HAND, text, [0.9])[0, -1] for text in texts]
    assert np.exp(last).sum() == pytest.approx(1)


def test_a_word_counts_only_for_those_that_follow():
    text = np.random.default_rng(4).integers(0, 3, 40)
    whole = log_probabilities(BY_HAND, text, [0.9])[0]
    np.testing.assert_array_equal(log_probabilities(BY_HAND, text[:20], [0.9])[0], whole[:20])


def _split(articles: int, seed: int) -> Split:
    """Articles about one of two subjects, of three sentences; word 0 ends each, as everywhere."""
    random = np.random.default_rng(seed)
    sentences = []
    for number in range(articles):
        first = 1 if number % 2 else 11
        sentences += [[*random.integers(first, first + 10, 9), 0] for _ in range(3)]
    stream = np.array([0, *np.concatenate(sentences)], dtype=np.int32)
    offsets = np.arange(0, len(stream), 10, dtype=np.int64)
    return Split(stream, offsets, np.repeat(np.arange(articles, dtype=np.int32), 3))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    splits = {name: _split(40, seed) for seed, name in enumerate(("train", "valid", "test"))}
    words = [f"w{number}" for number in range(21)]
    return Corpus(words, np.ones(21, np.int64), np.array([0, 21]), 20, splits, "digest")


def test_articles_are_counted_or_sentences_where_they_are_not_known(corpus):
    split = corpus.splits["train"]
    counts = word_counts(split, 21)
    assert counts.shape == (40, 21)
    assert counts.sum() == split.tokens
    assert (counts[:, [0]].toarray() == 3).all()
    assert word_counts(Split(split.stream, split.offsets), 21).shape == (120, 21)


def test_subjects_are_found_and_help(corpus, monkeypatch):
    monkeypatch.setattr(topics, "TOPICS", (2,))
    monkeypatch.setattr(topics, "MOST_ARTICLES", 0.6)
    rival = topics.Rival(typed.TestingSettings())
    rival.fit(corpus)
    assert rival.chosen["topics"] == 2
    assert len(rival.curve) == len(topics.DECAYS)
    found = rival.score(corpus.splits["test"])
    # Nine of ten words are one of 20, or one of 10 if the subject is known, as it soon is.
    words = corpus.splits["test"].stream[1:] > 0
    assert 10 / 0.9 < np.exp(-found[words].mean()) < 18 < 20 / 0.9
    assert rival.cost().parameters == 2 * 20 + 21


def test_a_text_whose_words_are_all_everywhere_has_no_subjects():
    counts = word_counts(_split(4, 0), 21)
    with pytest.raises(UserError, match=r"so there are no topics: take `topics` out"):
        find_topics(counts[:, :1], 2)


@pytest.mark.parametrize("articles", [1, 2, 3])
def test_a_few_articles_have_subjects_too(articles):
    """The words of a single article are of a subject; those that no article has are of none."""
    split = _split(articles, 0)
    found = find_topics(word_counts(split, 30), 2)
    rarer = np.flatnonzero(found.rank >= 0)
    assert len(rarer) > 5
    assert rarer.max() < 21
    assert found.words.shape == (2, len(rarer))
    logs = log_probabilities(found, np.arange(30), [0.0])
    assert np.isfinite(logs).all()
