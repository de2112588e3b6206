"""The comparison of two sides on the test text: the change, its interval, and its p-value."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Side, longest
from online_rnnlm.analysis.significance import (
    Pieces,
    gain_over_text_and_seeds,
    percent_of_gain,
    percents_of_gains,
)
from online_rnnlm.errors import UserError
from online_rnnlm.storage.claims import ComparedSide, Comparison

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class PieceScores(NamedTuple):
    """A side's scores of a text, by piece."""

    log_probabilities: Floats
    """(seeds, pieces): natural log P."""
    tokens: Ints
    """(pieces,): number of tokens."""

    @property
    def perplexity(self) -> float:
        """Perplexity, mean over the seeds."""
        return float(np.exp(-self.log_probabilities.sum(axis=1) / self.tokens.sum()).mean())

    def within(self, chosen: npt.NDArray[np.bool_]) -> PieceScores:
        """Return the scores of some pieces."""
        return PieceScores(self.log_probabilities[:, chosen], self.tokens[chosen])


def compare_sides(results: Results, ours: Side, theirs: Side) -> Comparison:
    """Compare two sides of one corpus on its test text.

    Raises UserError if they were tested on different sentences, or on a single one.
    """
    pieces = results.pieces(ours.row.corpus, longest([ours.kept_for, theirs.kept_for]))
    scores, against = scores_of(results, pieces, ours, theirs)
    gain = gain_over_text_and_seeds(
        scores.log_probabilities, against.log_probabilities, scores.tokens
    )
    return Comparison(
        ours=described(ours),
        theirs=described(theirs),
        change_percent=percent_of_gain(gain.nats_per_token),
        interval_percent=percents_of_gains(gain.interval),
        nats_per_token=gain.nats_per_token,
        interval_nats_per_token=gain.interval,
        p_value=gain.p_value,
        seeds=len(ours.row.runs),
        drawn=pieces.name,
        pieces=pieces.count,
        tokens=int(scores.tokens.sum()),
        seconds_change_percent=ours.change_of_time(theirs),
    )


def described(side: Side) -> ComparedSide:
    """The record of a side: its names, its test perplexity and its costs."""
    seconds = side.seconds_per_word
    return ComparedSide(
        network=side.row.label,
        evaluation=side.evaluation,
        name=side.name,
        test_perplexity=side.perplexity().mean(),
        parameters=side.parameters,
        multiply_adds_per_word=side.multiply_adds,
        seconds_per_word=seconds if math.isfinite(seconds) else None,
    )


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
        lengths.append(frames[0]["tokens"].to_numpy())
        logs = [pieces.sums(frame["log_probability"].to_numpy()) for frame in frames]
        tokens = pieces.sums(lengths[-1]).astype(np.int64)
        scores.append(PieceScores(np.array(logs), tokens))
    if not all(np.array_equal(tokens, lengths[0]) for tokens in lengths):
        names = " and ".join(f"`{side.row.first.name}`" for side in sides)
        raise UserError(f"{where}: {names} were tested on different sentences")
    return scores
