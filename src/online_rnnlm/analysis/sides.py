"""The comparison of two sides on the test text: the change, its interval, and its p-value."""

from __future__ import annotations

import math

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


def compare_sides(results: Results, ours: Side, theirs: Side) -> Comparison:
    """Compare two sides of one corpus on its test text.

    Raises UserError if they were tested on different sentences, or on a single one.
    """
    pieces = results.pieces(ours.corpus, longest([ours.kept_for, theirs.kept_for]))
    logs, logs_against, tokens = scores_of(results, pieces, ours, theirs)
    gain = gain_over_text_and_seeds(logs, logs_against, tokens)
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
        tokens=int(tokens.sum()),
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
    results: Results, pieces: Pieces, ours: Side, theirs: Side, text: str = "test"
) -> tuple[Floats, Floats, Ints]:
    """Read the scores of two sides by piece of the test text, or of another text.

    Returns the natural log P of ours (seeds, pieces) and of theirs, and the number of tokens
    (pieces,). Raises UserError if they were tested on different sentences, or on a single one.
    """
    where = f"{results.directory.path}: corpus `{ours.corpus}`"
    if pieces.count < 2:
        raise UserError(f"{where}: to compare two models, `{text}` needs two sentences or more")
    logs = []
    lengths = []
    for side in (ours, theirs):
        frames = [results.sentence_scores(run.name, side.evaluation, text) for run in side.row.runs]
        lengths.append(frames[0]["tokens"].to_numpy())
        sums = [pieces.sums(frame["log_probability"].to_numpy()) for frame in frames]
        logs.append(np.array(sums))
    if not np.array_equal(lengths[0], lengths[1]):
        names = f"`{ours.row.first.name}` and `{theirs.row.first.name}`"
        raise UserError(f"{where}: {names} were tested on different sentences")
    return logs[0], logs[1], pieces.sums(lengths[0]).astype(np.int64)
