"""The figure `perplexity_by_position`: the vector's help from a sentence's start to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from online_rnnlm.analysis.comparison import Side, final_side, pieces_for
from online_rnnlm.analysis.figures.captions import only_first, pooled
from online_rnnlm.analysis.figures.colours import MUTED, ONLINE, STATIC, SURFACE
from online_rnnlm.analysis.figures.drawing import Picture, legend_above, log_scale, panels
from online_rnnlm.analysis.figures.tokens import (
    Floats,
    Groups,
    Means,
    by_position,
    group_means,
    pooled_scores,
)
from online_rnnlm.analysis.pieces import PieceName
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import NONE
from online_rnnlm.corpora.corpus import load_split

_HEIGHT = 6.2
_Look = Mapping[str, Any]
_LEARNING: _Look = {"marker": "D", "color": ONLINE, "ls": "-", "mfc": ONLINE}
_STILL: _Look = {"marker": "D", "color": ONLINE, "ls": ":", "mfc": SURFACE}
_OPPONENTS: Sequence[_Look] = (
    {"marker": "o", "color": STATIC, "ls": "--", "mfc": STATIC},
    {"marker": "s", "color": STATIC, "ls": "-.", "mfc": SURFACE},
)


class _Line(NamedTuple):
    """A model's name, its look, and (tokens,) natural log P of every test token."""

    name: str
    look: _Look
    scores: Floats


def draw(results: Results) -> Picture:
    """Draw the best row, with its vector learning and held still, beside static rows.

    A second panel shows the ratio of the learning vector's perplexity to the others'.
    """
    vector = results.best_with_vector()
    split = load_split(results.directory.corpus(vector.corpus), "test")
    pieces = pieces_for(results, *map(final_side, [vector, *results.opponents(vector).shown]))
    groups = by_position(split, pieces)
    learning, still, *static = _lines(results, vector, split.tokens)
    figure, (above, below) = panels(2, _HEIGHT, ratios=(3, 2))
    _draw_all(above, groups, [learning, still, *static])
    ratio = _draw_ratios(below, groups, learning, [still, *static])
    return Picture(figure, _caption(results, vector.label, groups, ratio, pieces.name))


def _lines(results: Results, vector: Row, tokens: int) -> list[_Line]:
    """The vector row learning, the same held still, and its static opponents, in this order."""
    opponents = results.opponents(vector).shown
    sides = [
        (f"{vector.label}, vector learns", _LEARNING, final_side(vector)),
        (f"{vector.label}, vector held still", _STILL, Side(vector, NONE)),
        *(
            (f"{static.label}, static", look, final_side(static))
            for static, look in zip(opponents, _OPPONENTS, strict=False)
        ),
    ]
    return [_Line(name, look, pooled_scores(results, side, tokens)) for name, look, side in sides]


def _draw_all(axis: Axes, groups: Groups, lines: Sequence[_Line]) -> None:
    means = [group_means(groups, line.scores).perplexity() for line in lines]
    for line, found in zip(lines, means, strict=True):
        _draw(axis, found, line.name, line.look)
    log_scale(axis, min(found.low.min() for found in means), max(m.high.max() for m in means))
    axis.set_ylabel("Test perplexity")
    _finish(axis, groups)


def _draw_ratios(axis: Axes, groups: Groups, learning: _Line, others: Sequence[_Line]) -> Means:
    """Draw the learning vector's perplexity as a share of the others'; return the first ratio."""
    axis.axhline(1, color=MUTED, lw=1)
    ratios = [group_means(groups, learning.scores - o.scores).perplexity() for o in others]
    for other, ratio in zip(others, ratios, strict=True):
        _draw(axis, ratio, None, other.look)
    axis.set_ylabel("Ratio, learning to other")
    axis.set_xlabel("Position in the sentence")
    _finish(axis, groups)
    return ratios[0]


def _draw(axis: Axes, found: Means, name: str | None, look: _Look) -> None:
    axis.fill_between(found.present, found.low, found.high, color=look["color"], alpha=0.15, lw=0)
    axis.plot(found.present, found.mean, label=name, lw=1.4, ms=4.5, **look)


def _finish(axis: Axes, groups: Groups) -> None:
    axis.grid(axis="y", linewidth=0.6)
    axis.set_xticks(range(len(groups.names)), groups.names)
    axis.set_xlim(-0.3, len(groups.names) - 0.7)
    if axis.get_legend_handles_labels()[1]:
        legend_above(axis)


def _caption(results: Results, model: str, groups: Groups, ratio: Means, drawn: PieceName) -> str:
    at = [f"{value:.2f}" for value in ratio.mean]
    first, last = (groups.names[ratio.present[place]] for place in (0, -1))
    lowest = groups.names[ratio.present[int(np.argmin(ratio.mean))]]
    return (
        "Test perplexity by the predicted token's position in its sentence, </s> and <unk> "
        f"counted{pooled(results)}; below, the perplexity of {model} with its vector learning as a "
        f"share of the others'. Shaded: 95 % bootstrap intervals over {drawn}s. Against the same "
        f"weights with the vector held still the ratio goes from {at[0]} at position {first} to "
        f"{at[-1]} at position {last}; it is lowest at {lowest}, with {min(at)}."
        f"{only_first(results)}"
    )
