"""The comparison of two sides; a side is a row in one of its evaluations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric, Row
from online_rnnlm.analysis.scores import sentence_scores
from online_rnnlm.analysis.significance import Comparison, compare
from online_rnnlm.errors import UserError


class Side(NamedTuple):
    """A row in one of its evaluations."""

    row: Row
    evaluation: str

    def perplexity(self, split: str = "test") -> Metric:
        """The side's perplexity on a split, one value for each seed."""
        return self.row.perplexity(split, self.evaluation)


def final_side(row: Row) -> Side:
    """The row in its main evaluation: its vector, if it has one, learns as in training."""
    return Side(row, row.final)


def compare_sides(results: Results, ours: Side, theirs: Side, null: float = 0.0) -> Comparison:
    """Compare two sides on the test sentences, averaged over each side's seeds.

    Raises UserError if they were tested on different sentences.
    """
    mine, others = _pooled(results, ours), _pooled(results, theirs)
    if not mine["tokens"].equals(others["tokens"]):
        names = " and ".join(f"`{side.row.first.name}`" for side in (ours, theirs))
        raise UserError(f"{results.directory.path}: {names} were tested on different sentences")
    return compare(
        mine["log_probability"].to_numpy(),
        others["log_probability"].to_numpy(),
        mine["tokens"].to_numpy(),
        null,
    )


def _pooled(results: Results, side: Side) -> pd.DataFrame:
    """Per-sentence test scores of a side, averaged over its seeds."""
    frames = [
        sentence_scores(results.directory, run.name, side.evaluation) for run in side.row.runs
    ]
    pooled = frames[0][["tokens"]].copy()
    pooled["log_probability"] = np.mean([f["log_probability"].to_numpy() for f in frames], axis=0)
    return pooled


def seed_differences(ours: Side, theirs: Side) -> list[float]:
    """Their test entropy minus ours in nats per token, one value for each seed that both have."""
    mine, others = _entropies(ours), _entropies(theirs)
    return [others[seed] - mine[seed] for seed in mine if seed in others]


def _entropies(side: Side) -> dict[int, float]:
    """Test entropy in nats per token, by seed."""
    values = side.perplexity().values
    return {run.seed: math.log(value) for run, value in zip(side.row.runs, values, strict=True)}


def percent_of_gain(gain: float) -> float:
    """The change of perplexity in per cent that a gain in nats per token makes."""
    return 100 * math.expm1(-gain)
