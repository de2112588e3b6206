import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.analysis.figures.tokens import (
    POSITIONS,
    Groups,
    by_distance,
    by_frequency,
    by_position,
    group_means,
)
from online_rnnlm.analysis.figures.vector_map import likeness, most_frequent, principal_plane
from online_rnnlm.analysis.pieces import Pieces
from online_rnnlm.corpora.corpus import Split, Vocabulary


def _split(lengths: list[int], words: list[int] | None = None) -> Split:
    """Return a split with sentences of these lengths; `words` are their targets."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    targets = words if words is not None else [0] * int(offsets[-1])
    return Split(np.array([0, *targets], np.int32), offsets)


def _sentences(count: int) -> Pieces:
    return Pieces("sentence", np.arange(count))


def test_tokens_are_drawn_with_their_articles() -> None:
    pieces = Pieces("article", np.array([0, 1, 0]))
    assert list(by_position(_split([2, 1, 2]), pieces).piece) == [0, 0, 1, 0, 0]


def test_positions_are_counted_from_the_sentences_start() -> None:
    groups = by_position(_split([3, 40, 1]), _sentences(3))
    names = [groups.names[number] for number in groups.group]
    long = ["1", "2", *["3–4"] * 2, *["5–8"] * 4, *["9–16"] * 8, *["17–32"] * 16, *["33 +"] * 8]
    assert names == ["1", "2", "3–4", *long, "1"]
    assert list(groups.piece) == [*[0] * 3, *[1] * 40, 2]
    assert groups.shares[0] == 3 / 44
    assert groups.shares.sum() == pytest.approx(1)
    assert len(groups.names) == len(POSITIONS)


def test_distances_are_counted_from_the_articles_start() -> None:
    """The sentences of an article may be apart."""
    split = replace(_split([1, 2, 1, 1, 1]), articles=np.array([5, 5, 2, 5, 2], np.int32))
    groups = by_distance(split, Pieces("article", np.array([0, 0, 1, 0, 1])))
    names = [groups.names[number] for number in groups.group]
    assert names == ["1", "2", "2", "1", "3–4", "2"]
    assert list(groups.piece) == [0, 0, 0, 1, 0, 1]


def test_bands_are_of_words_by_their_count_in_train() -> None:
    # Ids are sorted by class, not by count: here the most frequent word has the last id.
    words = ["</s>", "a", "<unk>", *(f"w{i}" for i in range(1200)), "top"]
    counts = np.array([10**6, 1, 10**6, *range(3000, 1800, -1), 9999], dtype=np.int64)
    vocabulary = Vocabulary(words, counts, np.array([0, len(words)]))
    ids = {word: number for number, word in enumerate(words)}
    #        1st    2nd   10th  11th  110th   111th   1110th   1111th   1202nd
    shown = ["top", "w0", "w8", "w9", "w108", "w109", "w1108", "w1109", "a", "<unk>", "</s>"]
    groups = by_frequency(_split([11], [ids[word] for word in shown]), vocabulary, _sentences(1))
    assert [groups.names[number] for number in groups.group] == [
        *["10 most frequent"] * 3,
        *["next 100"] * 2,
        *["next 1,000"] * 2,
        *["the rest"] * 2,
        "<unk>",
        "</s>",
    ]


def test_a_groups_mean_is_over_its_tokens() -> None:
    groups = Groups(["a", "empty", "b"], np.array([0, 2, 0, 0, 2]), np.array([0, 0, 1, 1, 1]))
    values = np.array([1.0, 5.0, 2.0, 6.0, 5.0])
    assert groups.sums(values).tolist() == [[1, 0, 5], [8, 0, 5]]
    means = group_means(groups, values)
    assert list(means.present) == [0, 2]
    assert list(means.mean) == [3, 5]
    # The mean of "a" is 1 for sentence 0 and 4 for sentence 1; the mean of "b" is 5 for both.
    assert list(means.low) == [1, 5]
    assert list(means.high) == [4, 5]


def test_a_group_in_a_single_sentence_has_no_interval() -> None:
    groups = Groups(["a"], np.array([0, 0]), np.array([3, 3]))
    means = group_means(groups, np.array([1.0, 2.0]))
    assert (means.mean[0], means.low[0], means.high[0]) == (1.5, 1.5, 1.5)


def test_perplexity_turns_the_interval_round() -> None:
    groups = Groups(["a"], np.zeros(20, int), np.arange(20))
    logs = -np.linspace(1, 3, 20)
    log, found = group_means(groups, logs), group_means(groups, logs).perplexity()
    assert found.mean[0] == pytest.approx(math.exp(2))
    assert found.low[0] == pytest.approx(math.exp(-log.high[0]))
    assert found.low[0] < found.mean[0] < found.high[0]


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    groups = Groups(["a"], np.zeros(200, int), np.repeat(np.arange(50), 4))
    hits = 0
    for _ in range(100):
        # All tokens of a sentence are alike, so that intervals over tokens would be too narrow.
        values = np.repeat(random.normal(0, 1, 50), 4) + random.normal(0, 0.1, 200)
        found = group_means(groups, values)
        hits += bool(found.low[0] <= 0 <= found.high[0])
    assert 87 <= hits <= 99


def test_the_plane_holds_the_two_directions_of_most_variance() -> None:
    random = np.random.default_rng(1)
    turned, _ = np.linalg.qr(random.normal(size=(5, 5)))
    scales = np.array([4.0, 2.0, 0.5, 0.3, 0.1])
    vectors = random.normal(size=(4000, 5)) * scales @ turned + 7
    plane = principal_plane(vectors)
    variances = np.linalg.eigvalsh(np.cov(vectors.T))[::-1]
    assert plane.points.var(axis=0, ddof=1) == pytest.approx(variances[:2])
    assert plane.points.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert plane.shares == pytest.approx(variances[:2] / variances.sum())
    assert np.corrcoef(plane.points.T)[0, 1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_an_axis_of_the_plane_points_where_its_largest_weight_is_positive(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(30, 4))
    weights = (vectors - vectors.mean(axis=0)).T @ principal_plane(vectors).points
    assert all(column[np.abs(column).argmax()] > 0 for column in weights.T)


@pytest.mark.parametrize("vectors", [np.ones((3, 4)), np.array([[1.0], [-1.0], [1.0]])])
def test_a_plane_of_less_than_two_dimensions(vectors: np.ndarray) -> None:
    plane = principal_plane(vectors)
    assert plane.points.shape == (3, 2)
    assert np.isfinite(plane.points).all()
    assert plane.points[:, 1] == pytest.approx(0)
    assert sum(plane.shares) == pytest.approx(float(vectors.std() > 0))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 99)), min_size=2, max_size=12))
def test_likeness_is_over_pairs_of_different_articles(sentences: list[tuple[int, int]]) -> None:
    of_article = ["x", "y", "x", "", "y"]
    articles = np.array([article for article, _ in sentences], np.int32)
    topics = [of_article[article] for article in articles]
    vectors = np.array([np.random.default_rng(seed).normal(size=3) for _, seed in sentences])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    within, between = [], []
    for i, j in itertools.combinations(range(len(sentences)), 2):
        if topics[i] and topics[j] and articles[i] != articles[j]:
            (within if topics[i] == topics[j] else between).append(vectors[i] @ vectors[j])
    found = likeness(vectors, topics, articles)
    for value, pairs in ((found.within, within), (found.between, between)):
        wanted = float(np.mean(pairs)) if pairs else math.nan
        assert value == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def test_the_most_frequent_topics_have_the_colours() -> None:
    topics = [*"aabbbcdefgh", "", "", "", ""]
    assert most_frequent(topics) == ["b", "a", "c", "d", "e", "f"]
