"""The test of one claim: its two sides, their comparison, and the values that it is about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

from online_rnnlm.analysis.comparison import (
    Side,
    SidesCompared,
    compare_sides,
    percent_of_gain,
    seed_differences,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.significance import LEVEL, Comparison, SeedInterval, seed_interval
from online_rnnlm.storage.records import Effect, Equivalence
from online_rnnlm.storage.records.claims import PerplexityChange

AnyChange = TypeVar("AnyChange", bound=PerplexityChange)


@dataclass(frozen=True)
class Tested:
    """The test of a claim, which says that `ours` is the better side."""

    number: int
    ours: Side
    theirs: Side
    label: str
    """The name of the other side."""
    comparison: Comparison
    seeds: SeedInterval | None
    effect: Effect
    model: str
    """The name of our side."""
    train_tokens: int
    """Number of training tokens of the corpus."""
    row: Row
    """The row that the claim is about, whose own name or better one our side has."""


@dataclass(frozen=True)
class Untested:
    """A claim that this experiment cannot test, and the reason."""

    number: int
    row: Row
    reason: str


def compare_for_claim(
    results: Results,
    number: int,
    ours: Side,
    theirs: Side,
    label: str,
    *,
    margin_percent: float | None = None,
    **effect: Any,
) -> Tested:
    """Test that our side is the better one; with a margin, that it is at least as good.

    `effect` holds further values for the record's `effect`.
    """
    margin = None if margin_percent is None else math.log1p(margin_percent / 100)
    null = -(margin or 0.0)
    compared = compare_sides(results, ours, theirs, null, margin)
    seeds = seed_interval(seed_differences(ours, theirs), null)
    equivalence = _equivalence(compared.found.equivalence_p_value, margin_percent)
    more = {"margin_percent": margin_percent, "equivalence": equivalence, **effect}
    change = change_between(Effect, ours, theirs, compared, **more)
    return Tested(
        number,
        ours,
        theirs,
        label,
        compared.found,
        seeds,
        change,
        ours.row.label,
        results.corpora[ours.row.corpus].splits["train"].tokens,
        ours.row,
    )


def _equivalence(p_value: float | None, margin_percent: float | None) -> Equivalence | None:
    if p_value is None or margin_percent is None:
        return None
    return Equivalence(margin_percent=margin_percent, p_value=p_value, shown=p_value < LEVEL)


def change_between(
    kind: type[AnyChange], ours: Side, theirs: Side, compared: SidesCompared, **more: Any
) -> AnyChange:
    """The change of perplexity: both perplexities, and the change in per cent and nats.

    The change and its interval are those of the geometric means over the seeds.
    """
    found = compared.found
    return kind(
        test_perplexity=ours.perplexity().mean,
        test_perplexity_against=theirs.perplexity().mean,
        change_percent=percent_of_gain(found.difference),
        interval_percent=(percent_of_gain(found.high), percent_of_gain(found.low)),
        nats_per_token=found.difference,
        interval_nats_per_token=(found.low, found.high),
        drawn=compared.drawn,
        pieces=found.pieces,
        sentences=compared.sentences,
        tokens=found.tokens,
        **more,
    )
