"""The figure `gain_by_frequency`: the vector's gain for frequent and for rare words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from online_rnnlm.analysis.comparison import final_side, pieces_for
from online_rnnlm.analysis.figures.captions import only_first, pooled
from online_rnnlm.analysis.figures.colours import INK, ONLINE, SURFACE
from online_rnnlm.analysis.figures.drawing import Picture, legend_above, panels
from online_rnnlm.analysis.figures.tokens import (
    Floats,
    Groups,
    Means,
    by_frequency,
    group_means,
    pooled_scores,
)
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.pieces import PieceName
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.wording import signed
from online_rnnlm.corpora.corpus import load_split, read_vocabulary

_HEIGHT = 4.4
_LOOKS: Sequence[Mapping[str, Any]] = (
    {"facecolor": ONLINE},
    {"facecolor": SURFACE, "hatch": "////"},
)


class _Bars(NamedTuple):
    """The change of perplexity against one static row, in per cent: a bar for each group."""

    against: str
    change: Means


def draw(results: Results) -> Picture:
    """Draw the best row against static rows, with a bar for each band of words."""
    vector = results.best_with_vector()
    corpus = results.directory.corpus(vector.corpus)
    split = load_split(corpus, "test")
    vocabulary = read_vocabulary(corpus.vocabulary)
    split.check(len(vocabulary.words), corpus.stream("test"))
    opponents = results.opponents(vector).shown
    if not opponents:
        raise NothingToShowError("No static row has finished.")
    pieces = pieces_for(results, *map(final_side, [vector, *opponents]))
    groups = by_frequency(split, vocabulary, pieces)
    ours = pooled_scores(results, final_side(vector), split.tokens)
    bars = [
        _Bars(
            static.label,
            _change(groups, ours - pooled_scores(results, final_side(static), split.tokens)),
        )
        for static in opponents
    ]
    figure, (axis,) = panels(1, _HEIGHT)
    _draw(axis, groups, bars)
    return Picture(figure, _caption(results, vector.label, groups, bars, pieces.name))


def _change(groups: Groups, gains: Floats) -> Means:
    """The change of perplexity in per cent, from gains (tokens,) in nats; below 0 it is better."""
    ratio = group_means(groups, gains).perplexity()
    return Means(ratio.present, *(100 * (r - 1) for r in (ratio.mean, ratio.low, ratio.high)))


def _draw(axis: Axes, groups: Groups, bars: Sequence[_Bars]) -> None:
    height = 0.8 / len(bars)
    axis.use_sticky_edges = False  # The line at 0 must not be the edge.
    axis.grid(axis="x", linewidth=0.6)
    for number, ((against, change), look) in enumerate(zip(bars, _LOOKS, strict=False)):
        places = change.present + (number - (len(bars) - 1) / 2) * height
        errors = [change.mean - change.low, change.high - change.mean]
        axis.barh(
            places, change.mean, height, xerr=errors, label=f"against {against}",
            edgecolor=ONLINE, error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2}, **look,
        )  # fmt: skip
    axis.axvline(0, color=INK, lw=1)
    labels = [
        f"{name}\n{100 * share:.1f} % of tokens"
        for name, share in zip(groups.names, groups.shares, strict=True)
    ]
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.45, -0.55)
    axis.set_xlabel("Change of test perplexity (%)")
    legend_above(axis)


def _caption(
    results: Results, model: str, groups: Groups, bars: Sequence[_Bars], drawn: PieceName
) -> str:
    against, change = bars[0]
    order = np.argsort(change.mean, kind="stable")
    most, least = (
        f"{groups.names[change.present[place]]} ({signed(float(change.mean[place]))} %)"
        for place in (order[0], order[-1])
    )
    return (
        f"Change of test perplexity from static rows to {model} with its vector learning, by how "
        f"frequent the predicted word is in the training text{pooled(results)}: below 0, the "
        f"vector helps. Lines: 95 % bootstrap intervals over {drawn}s. Against the static "
        f"{against} the change is lowest for {most} and highest for {least}."
        f"{only_first(results)}"
    )
