import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.analysis.pieces import PieceName, Pieces, pieces_of
from online_rnnlm.analysis.significance import bootstrap_interval, sign_flip_p_value
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.testing import UnitOfText

ARTICLES = np.array([7, 7, 3, 3, 3, 9], dtype=np.int32)
VITAL = {"kind": "wikipedia-vital"}
READY = {"kind": "text", "train": "a", "valid": "b", "test": "c", "tokenised": True}


def _corpus(source: dict[str, object], divide_by: str = "sentence") -> CorpusSettings:
    return CorpusSettings.model_validate({"source": source, "divide_by": divide_by})


@pytest.mark.parametrize(
    ("source", "divide_by", "kept_for", "expected"),
    [
        (VITAL, "sentence", "sentence", "sentence"),
        (VITAL, "sentence", "document", "article"),
        (VITAL, "sentence", "stream", "block"),
        (VITAL, "article", "sentence", "article"),
        (VITAL, "article", "stream", "article"),
        (READY, "sentence", "sentence", "article"),
        (
            {"kind": "penn-treebank", "train": "a", "valid": "b", "test": "c"},
            "sentence",
            "sentence",
            "article",
        ),
    ],
)
def test_pieces_are_the_smallest_that_do_not_depend_on_each_other(
    source: dict[str, object], divide_by: str, kept_for: UnitOfText, expected: PieceName
) -> None:
    assert pieces_of(_corpus(source, divide_by), ARTICLES, kept_for).name == expected


@pytest.mark.parametrize("articles", [np.zeros(1000, np.int32), np.arange(1000, dtype=np.int32)])
def test_text_in_order_without_articles_is_drawn_by_blocks(
    articles: npt.NDArray[np.int32],
) -> None:
    pieces = pieces_of(_corpus(READY), articles, "sentence")
    assert (pieces.name, pieces.count) == ("block", 100)
    assert list(pieces.number[:21]) == [0] * 10 + [1] * 10 + [2]


@given(st.integers(2, 3000))
def test_two_sentences_or_more_give_two_pieces_or_more(sentences: int) -> None:
    pieces = pieces_of(_corpus(READY), np.zeros(sentences, np.int32), "sentence")
    assert pieces.count >= 2
    assert len(pieces.number) == sentences


def test_sums_are_over_the_sentences_of_a_piece() -> None:
    pieces = pieces_of(_corpus(VITAL, "article"), ARTICLES, "sentence")
    assert pieces.sums(np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])).tolist() == [28, 3, 32]


def _text(
    random: np.random.Generator, articles: int = 60
) -> tuple[Pieces, npt.NDArray[np.float64]]:
    """Draw sentences' gains, mean 0: half of a gain's variance is its article's."""
    lengths = random.integers(1, 30, articles)
    number = np.repeat(np.arange(articles), lengths)
    return Pieces("article", number), random.normal(size=articles)[number] + random.normal(
        size=len(number)
    )


def test_over_articles_95_percent_of_intervals_hold_the_truth_and_over_sentences_far_fewer() -> (
    None
):
    random = np.random.default_rng(21)
    held = {"article": 0, "sentence": 0}
    for seed in range(300):
        pieces, gains = _text(random)
        ones = np.ones(len(gains))
        for name, found, tokens in (
            ("article", pieces.sums(gains), pieces.sums(ones).astype(np.int64)),
            ("sentence", gains, ones.astype(np.int64)),
        ):
            low, high = bootstrap_interval(found, tokens, seed, 200)
            held[name] += low <= 0 <= high
    assert 0.90 <= held["article"] / 300 <= 0.98
    assert held["sentence"] / 300 < 0.6


def test_over_articles_chance_is_called_a_difference_as_often_as_it_should_be() -> None:
    random = np.random.default_rng(22)
    called = {"article": 0, "sentence": 0}
    for _ in range(400):
        pieces, gains = _text(random)
        called["article"] += sign_flip_p_value(pieces.sums(gains), 1, 199) <= 0.05
        called["sentence"] += sign_flip_p_value(gains, 1, 199) <= 0.05
    assert 0.02 <= called["article"] / 400 <= 0.08
    assert called["sentence"] / 400 > 0.3
