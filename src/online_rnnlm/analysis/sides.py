"""The comparison of two sides on the test text, by pieces that do not depend on each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import FinishedRow, Side, longest
from online_rnnlm.analysis.significance import (
    LEVEL,
    Pieces,
    change_of,
    equivalence_p_value,
    percents_of_gains,
    seed_interval,
    sign_flip_p_value,
)
from online_rnnlm.core.way import DOCUMENT_VECTOR, NONE
from online_rnnlm.errors import UserError
from online_rnnlm.storage.claims import Effect, Equivalence, SeedDifference
from online_rnnlm.storage.evaluations import Timing

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class PieceScores(NamedTuple):
    """A side's scores of a text, by piece."""

    perplexities: Mapping[int, float]
    """Perplexity by seed."""
    log_probabilities: Floats
    """(pieces,): natural log P, averaged over the seeds."""
    tokens: Ints
    """(pieces,): number of tokens."""

    @property
    def perplexity(self) -> float:
        """Perplexity, mean over the seeds."""
        return float(np.mean([*self.perplexities.values()]))

    def within(self, chosen: npt.NDArray[np.bool_]) -> PieceScores:
        """Return the scores of some pieces; the perplexity is of the mean log-probabilities."""
        logs = self.log_probabilities[chosen]
        tokens = self.tokens[chosen]
        return PieceScores({0: math.exp(-logs.sum() / tokens.sum())}, logs, tokens)


class ComparedSides(NamedTuple):
    """The two sides of a claim, compared on the test text."""

    number: int
    """Number of the claim."""
    row: FinishedRow
    """The row that the claim is about."""
    ours: Side
    """The side that the claim calls the better one."""
    theirs: Side
    """The side that it is compared with."""
    which: str
    """Words that follow the name of their side, such as `best rival at any cost`; may be empty."""
    case: str
    """The case, if the claim has several."""
    effect: Effect
    seeds: SeedDifference | None
    p_value: float
    """The p-value before correction."""


def compare_sides(
    results: Results,
    number: int,
    ours: Side,
    theirs: Side,
    *,
    row: FinishedRow | None = None,
    which: str = "",
    case: str = "",
    margin_percent: float | None = None,
) -> ComparedSides:
    """Compare two sides for a claim: ours is the better one or, with a margin, at least as good.

    The claim is about `row`, by default our side's.
    """
    row = row or ours.row
    pieces = pieces_for(results, ours, theirs)
    our_scores, their_scores = scores_of(results, pieces, ours, theirs)
    effect = effect_of(our_scores, their_scores, margin_percent)
    drawn = {
        "drawn": pieces.name,
        "sentences": results.corpora[row.corpus].splits["test"].sentences,
    }
    costs = _costs(results, ours) | {
        f"{name}_against": cost for name, cost in _costs(results, theirs).items()
    }
    return ComparedSides(
        number=number,
        row=row,
        ours=ours,
        theirs=theirs,
        which=which,
        case=case,
        effect=effect.model_copy(update=drawn | costs),
        seeds=difference_over_seeds(our_scores, their_scores, margin_percent),
        p_value=p_value_of(our_scores, their_scores, margin_percent),
    )


def _costs(results: Results, side: Side) -> dict[str, Any]:
    """The costs of a side, by their names in an `Effect`; kept evidence lacks some of them."""
    costs = {
        "parameters": results.parameters_of(*side),
        "multiply_adds_per_word": side.multiply_adds,
        "parameters_touched_per_word": side.by_seed[0].costs.parameters_touched_per_word,
        "seconds_per_word": side.seconds,
    }
    return {name: cost for name, cost in costs.items() if math.isfinite(cost)}


def pieces_for(results: Results, *sides: Side) -> Pieces:
    """The pieces of the test text that a comparison of these sides draws; all on one corpus."""
    kept_for = longest(side.kept_for for side in sides)
    return results.pieces(sides[0].row.corpus, kept_for)


def scores_of(
    results: Results, pieces: Pieces, *sides: Side, text: str = "test"
) -> list[PieceScores]:
    """Read the scores of sides by piece of the test text, or of another text.

    Raises UserError if they were tested on different sentences, or on a single one.
    """
    where = f"{results.directory.path}: corpus `{sides[0].row.corpus}`"
    if pieces.count < 2:
        raise UserError(f"{where}: to compare two models, `{text}` needs two sentences or more")
    scores = []
    lengths = []
    for side in sides:
        frames = [results.sentence_scores(run.name, side.evaluation, text) for run in side.row.runs]
        by_seed = zip(side.row.runs, side.perplexity(text).values, strict=True)
        lengths.append(frames[0]["tokens"].to_numpy())
        logs = np.mean([frame["log_probability"].to_numpy() for frame in frames], axis=0)
        scores.append(
            PieceScores(
                perplexities={run.seed: perplexity for run, perplexity in by_seed},
                log_probabilities=pieces.sums(logs),
                tokens=pieces.sums(lengths[-1]).astype(np.int64),
            )
        )
    if not all(np.array_equal(tokens, lengths[0]) for tokens in lengths):
        names = " and ".join(f"`{side.row.first.name}`" for side in sides)
        raise UserError(f"{where}: {names} were tested on different sentences")
    return scores


def effect_of(
    ours: PieceScores, theirs: PieceScores, margin_percent: float | None = None
) -> Effect:
    """The change of perplexity from their side to ours, with its interval over the pieces.

    Both are of geometric means over the seeds. With a margin of perplexity it is also tested
    whether the sides differ by less than it in either direction.
    """
    tokens = ours.tokens
    gains = ours.log_probabilities - theirs.log_probabilities
    equivalence = None
    if margin_percent is not None:
        p_value = equivalence_p_value(gains, tokens, -null_of(margin_percent))
        equivalence = Equivalence(
            margin_percent=margin_percent, p_value=p_value, shown=p_value < LEVEL
        )
    return Effect(
        test_perplexity=ours.perplexity,
        test_perplexity_against=theirs.perplexity,
        **change_of(gains, tokens)._asdict(),
        pieces=len(gains),
        tokens=int(tokens.sum()),
        margin_percent=margin_percent,
        equivalence=equivalence,
    )


def p_value_of(
    ours: PieceScores, theirs: PieceScores, margin_percent: float | None = None
) -> float:
    """P-value, over the pieces, of the hypothesis that the sides are equal.

    With a margin, it is that of the hypothesis that the first side is worse by the margin.
    """
    gains = ours.log_probabilities - theirs.log_probabilities
    return sign_flip_p_value(gains - null_of(margin_percent) * ours.tokens)


def difference_over_seeds(
    ours: PieceScores, theirs: PieceScores, margin_percent: float | None = None
) -> SeedDifference | None:
    """Their test entropy minus ours, over the seeds that both have; None with one seed."""
    gains = [
        math.log(theirs.perplexities[seed]) - math.log(ours.perplexities[seed])
        for seed in ours.perplexities
        if seed in theirs.perplexities
    ]
    return seed_interval(gains, null_of(margin_percent))


def compare_times(
    timings: Iterable[Timing], corpus: str, network: str, network_against: str
) -> dict[str, Any]:
    """Return an `Effect`'s values of how long two networks take in testing; none if untimed.

    The interval is Student's paired t, over the rounds, of the ratio's logarithm.
    """
    seconds = {
        timing.network: timing.seconds_per_word
        for timing in timings
        if timing.corpus == corpus and timing.evaluation in (NONE, DOCUMENT_VECTOR)
    }
    if not {network, network_against} <= seconds.keys():
        return {}
    ours = seconds[network]
    theirs = seconds[network_against]
    gains = [math.log(b / a) for a, b in zip(ours, theirs, strict=True)]
    rounds = seed_interval(gains)
    assert rounds is not None
    return {
        "seconds_per_word": float(np.median(ours)),
        "seconds_per_word_against": float(np.median(theirs)),
        "seconds_change_percent": percents_of_gains(rounds.interval_nats_per_token),
    }


def null_of(margin_percent: float | None) -> float:
    """The difference, in nats per token, that a first model must exceed to be as good."""
    return -math.log1p((margin_percent or 0.0) / 100)
