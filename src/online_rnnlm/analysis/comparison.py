"""Two sides of a comparison, each a row's runs in one evaluation, and how they compare."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import Results, sentence_scores
from online_rnnlm.analysis.significance import Comparison, compare
from online_rnnlm.errors import UserError


class Side(NamedTuple):
    """A row's runs, a seed each, in one of their evaluations."""

    runs: pd.DataFrame
    evaluation: str

    @property
    def model(self) -> str:
        """What tables call the row."""
        return str(self.runs.iloc[0]["model"])


def mean_perplexity(results: Results, side: Side, split: str = "test") -> float:
    """A side's perplexity, its arithmetic mean over the seeds, as in the tables."""
    found = [results.perplexity(name, split, side.evaluation) for name in side.runs["name"]]
    return float(np.mean(found))


def compare_sides(results: Results, ours: Side, theirs: Side, null: float = 0.0) -> Comparison:
    """Compare two sides on the test sentences, their seeds pooled.

    Raises UserError if they were tested on different sentences.
    """
    mine, others = _pooled(results, ours), _pooled(results, theirs)
    if not mine["tokens"].equals(others["tokens"]):
        names = " and ".join(f"`{side.runs.iloc[0]['name']}`" for side in (ours, theirs))
        raise UserError(f"{results.directory.path}: {names} were tested on different sentences")
    return compare(
        mine["log_probability"].to_numpy(),
        others["log_probability"].to_numpy(),
        mine["tokens"].to_numpy(),
        null,
    )


def _pooled(results: Results, side: Side) -> pd.DataFrame:
    """Per-sentence test scores, averaged over the runs' seeds."""
    frames = [
        sentence_scores(results.directory, name, side.evaluation) for name in side.runs["name"]
    ]
    pooled = frames[0][["tokens"]].copy()
    pooled["log_probability"] = np.mean([f["log_probability"].to_numpy() for f in frames], axis=0)
    return pooled


def seed_differences(results: Results, ours: Side, theirs: Side) -> list[float]:
    """Seed by seed: how much lower our test entropy is than theirs, in nats a token."""
    mine, others = _entropies(results, ours), _entropies(results, theirs)
    return [others[seed] - mine[seed] for seed in mine if seed in others]


def _entropies(results: Results, side: Side) -> dict[int, float]:
    """Test entropy in nats a token, by seed."""
    return {
        int(seed): math.log(results.perplexity(name, "test", side.evaluation))
        for seed, name in zip(side.runs["seed"], side.runs["name"], strict=True)
    }


def perplexity_effect(
    results: Results, ours: Side, theirs: Side, comparison: Comparison
) -> dict[str, Any]:
    """The difference in figures: perplexities, its change in per cent, nats; with intervals.

    The change is that of the geometric means over the seeds, as the interval's is.
    """
    return {
        **against("test_perplexity", *(mean_perplexity(results, s) for s in (ours, theirs))),
        "change_percent": percent(comparison.difference),
        "interval_percent": [percent(comparison.high), percent(comparison.low)],
        "nats_per_token": comparison.difference,
        "interval_nats_per_token": [comparison.low, comparison.high],
        "sentences": comparison.sentences,
        "tokens": comparison.tokens,
    }


def figure(side: Side, key: str) -> float:
    """One of a side's figures that are the same for every seed."""
    value: float = side.runs[key].iloc[0].item()
    return value


def against(key: str, ours: float, theirs: float) -> dict[str, float]:
    """A figure of both sides."""
    return {key: ours, f"{key}_against": theirs}


def percent(gain: float) -> float:
    """The change of perplexity, in per cent, that a gain of so many nats a token makes."""
    return 100 * math.expm1(-gain)
