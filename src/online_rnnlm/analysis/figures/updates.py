"""The figure of what is updated in testing: test perplexity against speed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, cycle

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from online_rnnlm.analysis.claims import FORGOTTEN
from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import BLUE, GREEN, INK, ORANGE, PURPLE, Drawing
from online_rnnlm.analysis.opponents import headline_on
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import TestedNetwork
from online_rnnlm.analysis.tables.updates import (
    BOTH,
    DYNAMICALLY,
    NOTHING,
    UNITS,
    VECTOR,
    WEIGHTS,
    Updated,
    blocks_of,
)
from online_rnnlm.core.settings import UnitOfText

_MARKS = dict(zip((NOTHING, VECTOR, *WEIGHTS, DYNAMICALLY, BOTH), "oDsv^XP*", strict=True))
"""The mark of each updated part."""


def draw_updates(results: Results) -> Drawing:
    """Draw test perplexity against words per second: a mark for each updated part, a colour for
    each network whose vector learns and the static one beside it, and a line for the latter.

    Raises NothingToShowError if too few were timed.
    """
    regime = headline_on(results, results.first_corpus).regime
    blocks = [
        block
        for block in blocks_of(results)
        if (block[0].network.corpus, block[0].network.regime) == (results.first_corpus, regime)
    ]
    unit = unit_of(list(chain.from_iterable(blocks)))
    figure, (axis,) = drawing.panels(1, 3.9, drawing.WIDTH_OF_ROW)
    shown = set()
    of_networks = []
    for block, colour in zip(blocks, cycle((BLUE, ORANGE, GREEN, PURPLE)), strict=False):
        marks = {row.part: found for row in block if (found := _tested(row, unit))}
        if len(marks) < 2:
            continue
        shown |= {*marks}
        places = {
            part: (found.words_per_second_in_turn, found.perplexity().mean())
            for part, found in marks.items()
        }
        line = sorted(place for part, place in places.items() if part not in (VECTOR, BOTH))
        axis.plot(*np.array(line).reshape(-1, 2).T, color=colour, lw=1.2, alpha=0.6)
        for part, place in places.items():
            axis.plot(*place, _MARKS[part], color=colour, ms=7)
        names = dict.fromkeys(found.network.network_name for found in marks.values())
        of_networks.append(Line2D([], [], color=colour, label=" and ".join(names)))
    if not shown:
        raise NothingToShowError("No updated part was timed beside another.")
    axis.set_xscale("log")
    axis.margins(0.08)
    drawing.set_ticks(axis.xaxis, LogLocator(subs=(1, 2, 5), numticks=8), unit=1e3)
    axis.set_xlabel("Thousands of words per second in testing")
    axis.set_ylabel("Test perplexity")
    axis.grid(axis="y")
    of_parts = [
        Line2D([], [], color=INK, ls="", marker=mark, ms=6, label=part)
        for part, mark in _MARKS.items()
        if part in shown
    ]
    look = {"frameon": False, "fontsize": drawing.SMALL, "alignment": "left"}
    figure.legend(handles=of_parts, loc="outside right upper", title="Updated:", **look)
    figure.legend(handles=of_networks, loc="outside right lower", title="Networks:", **look)
    caption = (
        f"What is updated after every word is {FORGOTTEN[unit]}; dynamic evaluation never "
        "forgets. Lower is better, further right is faster: all timed in turn on one core. A line "
        "joins what is updated in a static network; a vector below it is better at the same speed."
    )
    return Drawing(figure, caption)


def unit_of(rows: Sequence[Updated]) -> UnitOfText:
    """The unit of text at which most updated parts are forgotten; of several, the article if it is
    among them, or the longest."""

    def order(unit: UnitOfText) -> tuple[int, bool, int]:
        count = sum(unit in row.at for row in rows if row.part != DYNAMICALLY)
        return count, unit == "document", UNITS.index(unit)

    return max(UNITS, key=order)


def _tested(row: Updated, unit: UnitOfText) -> TestedNetwork | None:
    """The network to draw: that of a unit of text, and dynamic evaluation in any case.

    None if it was not tested so, or not timed.
    """
    tested = row.first if row.part == DYNAMICALLY else row.at.get(unit)
    return tested if tested and tested.rounds else None
