"""Lines of perplexity by groups of tokens, and of the learning vector's ratio to other models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from online_rnnlm.analysis.comparison import Side, final_side
from online_rnnlm.analysis.figures.colours import MUTED, ONLINE, STATIC, SURFACE
from online_rnnlm.analysis.figures.drawing import legend_above, log_scale, panels
from online_rnnlm.analysis.figures.tokens import (
    Floats,
    Groups,
    Means,
    group_means,
    pooled_scores,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import NONE

_HEIGHT = 6.2
_Look = Mapping[str, Any]
_LEARNING: _Look = {"marker": "D", "color": ONLINE, "ls": "-", "mfc": ONLINE}
_STILL: _Look = {"marker": "D", "color": ONLINE, "ls": ":", "mfc": SURFACE}
_OPPONENTS: Sequence[_Look] = (
    {"marker": "o", "color": STATIC, "ls": "--", "mfc": STATIC},
    {"marker": "s", "color": STATIC, "ls": "-.", "mfc": SURFACE},
)


class Line(NamedTuple):
    """A model's name, its look, and (tokens,) natural log P of every test token."""

    name: str
    look: _Look
    scores: Floats


def lines_of(results: Results, vector: Row, learning: Side, tokens: int) -> list[Line]:
    """The vector row learning, the same held still, and its static opponents, in this order."""
    opponents = results.opponents(vector).shown
    sides = [
        (f"{vector.label}, vector learns", _LEARNING, learning),
        (f"{vector.label}, vector held still", _STILL, Side(vector, NONE)),
        *(
            (f"{static.label}, static", look, final_side(static))
            for static, look in zip(opponents, _OPPONENTS, strict=False)
        ),
    ]
    return [Line(name, look, pooled_scores(results, side, tokens)) for name, look, side in sides]


def draw_lines(groups: Groups, lines: Sequence[Line], label: str) -> tuple[Figure, list[Means]]:
    """Draw perplexities and, below, the first line's ratios to the others; return these, too."""
    figure, (above, below) = panels(2, _HEIGHT, ratios=(3, 2))
    means = [group_means(groups, line.scores).perplexity() for line in lines]
    for line, found in zip(lines, means, strict=True):
        _draw(above, found, line.name, line.look)
    log_scale(above, min(found.low.min() for found in means), max(m.high.max() for m in means))
    above.set_ylabel("Test perplexity")
    _finish(above, groups)
    below.axhline(1, color=MUTED, lw=1)
    first, *others = lines
    ratios = [group_means(groups, first.scores - o.scores).perplexity() for o in others]
    for other, ratio in zip(others, ratios, strict=True):
        _draw(below, ratio, None, other.look)
    below.set_ylabel("Ratio, learning to other")
    below.set_xlabel(label)
    _finish(below, groups)
    return figure, ratios


def _draw(axis: Axes, found: Means, name: str | None, look: _Look) -> None:
    axis.fill_between(found.present, found.low, found.high, color=look["color"], alpha=0.15, lw=0)
    axis.plot(found.present, found.mean, label=name, lw=1.4, ms=4.5, **look)


def _finish(axis: Axes, groups: Groups) -> None:
    axis.grid(axis="y", linewidth=0.6)
    axis.set_xticks(range(len(groups.names)), groups.names)
    axis.set_xlim(-0.3, len(groups.names) - 0.7)
    if axis.get_legend_handles_labels()[1]:
        legend_above(axis)
