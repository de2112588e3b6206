"""The comparison of two sides on the test text, by pieces that do not depend on each other.

A bootstrap and a permutation assume independent pieces. Sentences that were shuffled before the
text was divided are independent, unless a model keeps something from one to the next. Sentences of
an article are not: they share its subject, so a model that does well on one tends to do well on the
next, and whatever is learnt from one helps with the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Side, longest
from online_rnnlm.analysis.significance import (
    LEVEL,
    bootstrap_interval,
    equivalence_p_value,
    seed_interval,
    sign_flip_p_value,
)
from online_rnnlm.core.way import DOCUMENT_VECTOR, NONE, UnitOfText
from online_rnnlm.errors import UserError
from online_rnnlm.storage.claims import Equivalence, PieceName, SeedDifference
from online_rnnlm.storage.evaluations import Timing, sentence_scores

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """A text's pieces; `number` (sentences,) is the number of each sentence's piece, from 0."""

    name: PieceName
    number: Ints

    @property
    def count(self) -> int:
        """Number of pieces."""
        return int(self.number.max()) + 1

    def sums(self, values: npt.NDArray[np.floating | np.integer]) -> Floats:
        """(pieces,): the sum of the sentences' values (sentences,) in each piece."""
        sums = np.bincount(self.number, values.astype(np.float64), self.count)
        return np.asarray(sums, dtype=np.float64)


def blocks(sentences: int) -> Pieces:
    """Blocks of N^(1/3) consecutive sentences of N."""
    length = max(1, round(sentences ** (1 / 3)))
    return Pieces("block", np.arange(sentences) // length)


def are_known(articles: npt.NDArray[np.int32]) -> bool:
    """True if sentences (S,) have several articles, and some article several sentences."""
    return 1 < len(np.unique(articles)) < len(articles)


def pieces_of(articles: npt.NDArray[np.int32], kept_for: UnitOfText, *, in_order: bool) -> Pieces:
    """The pieces of a test text; `articles` (sentences,) is each sentence's article.

    `in_order` says that the text is not shuffled, and `kept_for` is the unit of text for which the
    compared models keep their states, vectors, weights or caches.

    - Text in its own order is drawn by articles. Where these are not known, it is drawn by blocks
      of N^(1/3) consecutive sentences (the rate of Hall, Horowitz and Jing 1995, with factor 1).
    - Shuffled text is drawn by sentences if everything is forgotten at a sentence's end, and by
      blocks if something never is.
    """
    if in_order and are_known(articles):
        number = np.unique(articles, return_inverse=True)[1]
        return Pieces("article", number.astype(np.int64))
    if in_order or kept_for == "stream":
        return blocks(len(articles))
    return Pieces("sentence", np.arange(len(articles)))


def pieces_of_test(
    results: Results, corpus: str, kept_for: UnitOfText, text: str = "test"
) -> Pieces:
    """The pieces of `test`, or of another text, for models that keep things for a unit of text."""
    articles = np.load(results.directory.corpus(corpus).split_articles(text))
    experiment = results.experiment
    in_order = experiment.corpora[corpus].keeps_order or text in experiment.testing.other_texts
    return pieces_of(articles, kept_for, in_order=in_order)


def pieces_for(results: Results, *sides: Side) -> Pieces:
    """The pieces of the test text that a comparison of these sides draws; all on one corpus."""
    kept_for = longest(side.kept_for for side in sides)
    return pieces_of_test(results, sides[0].row.corpus, kept_for)


class Scores(NamedTuple):
    """A side's scores of the test text, by piece.

    log_probabilities: (pieces,), averaged over the seeds; tokens: (pieces,).
    """

    perplexities: Mapping[str, float]
    """Test perplexity by seed."""
    log_probabilities: Floats
    tokens: Ints

    @property
    def perplexity(self) -> float:
        """Test perplexity, mean over the seeds."""
        return float(np.mean([*self.perplexities.values()]))

    def within(self, chosen: npt.NDArray[np.bool_]) -> Scores:
        """Return the scores of some pieces; the perplexity is of the mean log-probabilities."""
        logs, tokens = self.log_probabilities[chosen], self.tokens[chosen]
        return Scores({"": math.exp(-logs.sum() / tokens.sum())}, logs, tokens)


class Compared(NamedTuple):
    """All that a claim's record has from the scores of its two sides."""

    effect: dict[str, Any]
    """Values of an `Effect`; the change and its interval are of geometric means over the seeds."""
    seeds: SeedDifference | None
    """Their test entropy minus ours, over the seeds that both have; None with one seed."""
    p_value: float


def compare_times(
    timings: Iterable[Timing], corpus: str, network: str, network_against: str
) -> dict[str, Any]:
    """Return an `Effect`'s values of how long two networks take in testing; none if untimed.

    The interval is Student's paired t, over the rounds, of the ratio's logarithm.
    """
    main = [one for one in timings if one.evaluation in (NONE, DOCUMENT_VECTOR)]
    found = {one.network: one.seconds_per_word for one in main if one.corpus == corpus}
    if not {network, network_against} <= found.keys():
        return {}
    ours, theirs = found[network], found[network_against]
    gains = [math.log(b / a) for a, b in zip(ours, theirs, strict=True)]
    rounds = seed_interval(gains)
    assert rounds is not None
    return {
        "seconds_per_word": float(np.median(ours)),
        "seconds_per_word_against": float(np.median(theirs)),
        "seconds_change_percent": percents_of_gains(rounds.interval_nats_per_token),
    }


def compare_sides(
    results: Results, ours: Side, theirs: Side, margin_percent: float | None = None
) -> Compared:
    """Compare two rows in their evaluations, on the pieces that do not depend on each other.

    Raises UserError if they were tested on different sentences, or on a single one.
    """
    pieces = pieces_for(results, ours, theirs)
    first, second = scores_of(results, pieces, ours, theirs)
    found = compared(first, second, margin_percent)
    drawn = {"drawn": pieces.name, "sentences": len(pieces.number)}
    return found._replace(effect=found.effect | drawn)


def scores_of(results: Results, pieces: Pieces, *sides: Side, text: str = "test") -> list[Scores]:
    """Read the scores of sides by piece of the test text, or of another text.

    Raises UserError if they were tested on different sentences, or on a single one.
    """
    where = f"{results.directory.path}: corpus `{sides[0].row.corpus}`"
    if pieces.count < 2:
        raise UserError(f"{where}: to compare two models, `{text}` needs two sentences or more")
    scores, tokens = [], []
    for one in sides:
        frames = [
            sentence_scores(results.directory, run.name, one.evaluation, text)
            for run in one.row.runs
        ]
        logs = np.mean([frame["log_probability"].to_numpy() for frame in frames], axis=0)
        tokens.append(frames[0]["tokens"])
        reached = zip(one.row.runs, one.perplexity(text).values, strict=True)
        perplexities = {str(run.seed): value for run, value in reached}
        counts = pieces.sums(tokens[-1].to_numpy()).astype(np.int64)
        scores.append(Scores(perplexities, pieces.sums(logs), counts))
    if not all(one.equals(tokens[0]) for one in tokens):
        names = " and ".join(f"`{side.row.first.name}`" for side in sides)
        raise UserError(f"{where}: {names} were tested on different sentences")
    return scores


def compared(ours: Scores, theirs: Scores, margin_percent: float | None = None) -> Compared:
    """Compare two sides on the pieces of the text; `margin_percent` is a margin of perplexity.

    The hypothesis of the p-value is that the sides are equal or, with a margin, that the first is
    worse by it; then it is also tested whether they differ by less than it on either side.
    """
    null, tokens = null_of(margin_percent), ours.tokens
    gains = ours.log_probabilities - theirs.log_probabilities
    difference = float(gains.sum() / tokens.sum())
    interval = bootstrap_interval(gains, tokens)
    effect: dict[str, Any] = {
        "test_perplexity": ours.perplexity,
        "test_perplexity_against": theirs.perplexity,
        "change_percent": percent_of_gain(difference),
        "interval_percent": percents_of_gains(interval),
        "nats_per_token": difference,
        "interval_nats_per_token": interval,
        "pieces": len(gains),
        "tokens": int(tokens.sum()),
    }
    if margin_percent is not None:
        p_value = equivalence_p_value(gains, tokens, -null)
        effect["equivalence"] = Equivalence(
            margin_percent=margin_percent, p_value=p_value, shown=p_value < LEVEL
        )
    mine, others = ours.perplexities, theirs.perplexities
    differences = [math.log(others[s]) - math.log(mine[s]) for s in mine if s in others]
    over_seeds = seed_interval(differences, null)
    return Compared(effect, over_seeds, sign_flip_p_value(gains - null * tokens))


def null_of(margin_percent: float | None) -> float:
    """The difference, in nats per token, that a first model must exceed to be as good."""
    return -math.log1p((margin_percent or 0.0) / 100)


def percent_of_gain(gain: float) -> float:
    """The change of perplexity in per cent that a gain in nats per token makes."""
    return 100 * math.expm1(-gain)


def percents_of_gains(interval: tuple[float, float]) -> tuple[float, float]:
    """The interval of changes of perplexity in per cent that an interval of gains makes."""
    low, high = interval
    return percent_of_gain(high), percent_of_gain(low)
