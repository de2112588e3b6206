"""The figure of the gain by the size of the training text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.ticker import FixedLocator

from online_rnnlm.analysis.claims import EQUALLY_LARGE
from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import Drawing
from online_rnnlm.analysis.figures.looks import SERIES
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claim, Claims


def by_size(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """The claims on each network and its static opponent, by what both have
    as many of, such as `100/20, units`; each with the least text first.

    What is on texts of a single size is left out.
    """
    lines: dict[str, list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: claim.train_tokens):
        if claim.letter in EQUALLY_LARGE:
            lines[f"{claim.row}, {EQUALLY_LARGE[claim.letter]}"].append(claim)
    return {
        name: line
        for name, line in lines.items()
        if len({claim.train_tokens for claim in line}) > 1
    }


def draw_sizes(results: Results) -> Drawing:
    """Draw the change that a vector makes, against the number of tokens in the training text.

    Raises NothingToShowError if no vector has a static network beside it on texts of two sizes.
    """
    lines = by_size(records.read(Claims, results.directory.claims).claims)
    if not lines:
        raise NothingToShowError("No vector has a static network beside it on texts of two sizes.")
    figure, axis = drawing.panel_of_changes(
        "test perplexity (%)\nagainst a static network of as many …"
    )
    ends = []
    for (name, claims), look in zip(lines.items(), cycle(SERIES), strict=False):
        tokens = [claim.train_tokens for claim in claims]
        percents = [claim.comparison.change_percent for claim in claims]
        intervals = np.array([claim.comparison.interval_percent for claim in claims])
        bars = np.abs(intervals - np.reshape(percents, (-1, 1))).T
        axis.errorbar(tokens, percents, bars, elinewidth=1, capsize=2.5, ms=5, lw=1.4, **look)
        ends.append(drawing.Label(name, (tokens[-1], percents[-1]), look["color"]))
    axis.set_xscale("log")
    sizes = {claim.train_tokens for claims in lines.values() for claim in claims}
    drawing.set_ticks(axis.xaxis, FixedLocator(sorted(sizes)), ".1f", unit=1e6)
    axis.set_xlabel("Tokens in the training text (millions)")
    drawing.label_at_the_right(axis, ends)
    caption = (
        "Change of test perplexity by a document vector that learns, against static networks "
        "of as many units, or of as many parameters, by the size of the training text. Bars: 95 % "
        "intervals; below the line the vector is better."
    )
    return Drawing(figure, caption)
