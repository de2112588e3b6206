"""The figures of networks: perplexity by system, cost and epoch, and gain by the text's size."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import MUTED, ONLINE, RIVAL, SLOW, STATIC, Drawing, Look
from online_rnnlm.analysis.opponents import headline_on, opponents_of, slow_units_like
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.significance import percent_of_gain
from online_rnnlm.analysis.systems import FinishedNetwork, System, TestedNetwork
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.rivals import rivals_of
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claim, Claims
from online_rnnlm.storage.runs import read_epochs

MOST_SYSTEMS = 8
"""The most systems that a figure names."""
_HEIGHT_OF_SYSTEM = 0.36
_HEIGHT_OF_COSTS = 4.0
_HEIGHT_OF_CURVES = 3.9
"""Heights of the figures in inches; that of systems grows with their number."""
_LOOK_STATIC: Look = {"marker": "o", "color": STATIC}
_LOOK_LEARNING: Look = {"marker": "D", "color": ONLINE}
_LOOK_RIVAL: Look = {"marker": "^", "color": RIVAL}
_LOOK_SLOW: Look = {"marker": "s", "color": SLOW}
_STYLES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
_LOOKS_OF_SERIES: Sequence[tuple[str, object, str]] = (
    (ONLINE, "-", "D"),
    (STATIC, "--", "o"),
    (RIVAL, "-.", "^"),
    (SLOW, ":", "s"),
    (MUTED, "-", "v"),
)
"""Colours, styles of lines and markers of several series."""
_OPPONENTS = {"b": "units", "c": "parameters"}
"""The claims against a static network, and what that network has as many of."""


def _look_of(system: System) -> Look:
    """The marker and the colour of a system."""
    network = system.alone
    if network is None:
        return _LOOK_RIVAL
    if network.has_vector:
        return _LOOK_LEARNING
    return _LOOK_SLOW if network.settings.cell == "slow_context" else _LOOK_STATIC


def _marks(results: Results, *, rivals: bool = True) -> str:
    """Return a sentence that says what the marks of networks, and of rivals, mean."""
    marks = ["Orange diamonds: the vector learns in testing", "blue circles: static networks"]
    if any(network.settings.cell == "slow_context" for network in results.networks):
        marks.append("purple squares: slow units, which do not learn in testing")
    if rivals and results.experiment.testing.rivals:
        marks.append("green triangles: rivals")
    return f"{'; '.join(marks)}."


def leading(results: Results) -> list[System]:
    """The systems of the first corpus that figures name, the most important first.

    The headline; for each hidden layer and unit of text its first network with a vector, and the
    larger of the static opponents; the best static network with one rival and the best rival of
    the corpus, both on `valid`; then the other networks.
    """
    corpus = results.first_corpus
    systems = {system.title: system for system in results.systems_on(corpus)}
    headline = headline_on(results, corpus)
    networks = results.networks_on(corpus)
    firsts = {one.regime: one for one in reversed([headline, *networks]) if one.has_vector}
    named = [headline.network_name]
    for vector in reversed(firsts.values()):
        named += [
            vector.network_name,
            *(static.network_name for static in opponents_of(results, vector)[-1:]),
        ]
    by_valid = sorted(
        (system for system in systems.values() if system.rival and system.rival.name != MIXTURE),
        key=lambda system: system.perplexity("valid").mean(),
    )
    with_rival = [system for system in by_valid if isinstance(system, TestedNetwork)]
    static = [system.title for system in with_rival if not system.network.has_vector]
    alone = [system.title for system in by_valid if system not in with_rival]
    named += [*static[:1], *alone[:1], *(network.network_name for network in networks)]
    return [systems[name] for name in dict.fromkeys(named)][:MOST_SYSTEMS]


def draw_systems(results: Results) -> Drawing:
    """Draw the test perplexity of a few systems, the best at the top, each dot with its name."""
    systems = sorted(leading(results), key=lambda system: system.perplexity().mean())
    figure, (axis,) = drawing.panels(1, 0.6 + _HEIGHT_OF_SYSTEM * len(systems))
    means = [system.perplexity().mean() for system in systems]
    middle = (min(means) + max(means)) / 2
    headline = headline_on(results, results.first_corpus)
    for height, (system, mean) in enumerate(zip(systems, means, strict=True)):
        deviation = system.perplexity().std()
        if math.isnan(deviation):  # there is one seed
            deviation = 0.0
        look = {"ms": 7, **_look_of(system)}
        axis.errorbar(mean, height, xerr=deviation or None, elinewidth=1.2, capsize=3, **look)
        side = 1 if mean <= middle else -1
        axis.annotate(
            f"{system.title}  {mean:.1f}",
            (mean + side * deviation, height),
            xytext=(9 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side == 1 else "right",
            weight="bold" if system.title == headline.network_name else "normal",
        )
    axis.set_ylim(len(systems) - 0.4, -0.6)
    axis.margins(x=0.06)
    axis.grid(axis="x", linewidth=0.6)
    axis.yaxis.set_visible(False)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("Test perplexity: lower is better")
    seeds = len(results.experiment.seeds)
    bars = f" Bars: standard deviation over {seeds} seeds." if results.several_seeds else ""
    return figure, f"{_marks(results)} In bold: the network that the report is about.{bars}"


Cost = Callable[[TestedNetwork], float]
_COSTS: Mapping[str, Cost] = {
    "Parameters (millions)": lambda tested: tested.parameters / 1e6,
    "Multiply-adds per word (thousands)": lambda tested: tested.multiply_adds / 1e3,
    "Microseconds per word": lambda tested: 1e6 * tested.seconds_per_word,
}
"""The costs in testing, by the labels of their axes."""


class Mark(NamedTuple):
    """A mark in the figure of costs."""

    tested: TestedNetwork
    name: str
    look: Look

    def place(self, cost: Cost) -> tuple[float, float]:
        """Its place on an axis of a cost."""
        return cost(self.tested), self.tested.perplexity().mean()


def draw_costs(results: Results) -> Drawing:
    """Draw test perplexity against parameters, multiply-adds and time per word in testing.

    Networks are those of the headline's unit of text. Those of a cell without a vector are joined
    by a line. The smallest network, of those without a vector if there are any, is drawn with each
    rival, too.
    """
    headline = headline_on(results, results.first_corpus)
    unit = headline.settings.unit_of_text
    on_corpus = results.networks_on(headline.corpus)
    networks = [network for network in on_corpus if network.settings.unit_of_text == unit]
    networks.sort(key=lambda network: network.parameters)
    marks = [Mark(one.main, one.network_name, _look_of(one.main)) for one in networks]
    static = [network for network in networks if not network.has_vector]
    smallest = static[0] if static else networks[0]
    for name, rival in rivals_of(results.experiment.testing).items():
        if name in smallest.tested and name != MIXTURE:
            marks.append(Mark(smallest.tested[name], f"+ {rival.title}", _LOOK_RIVAL))
    figure, axes = drawing.panels(1, _HEIGHT_OF_COSTS, drawing.WIDTH_OF_ROW, columns=len(_COSTS))
    for axis, (label, cost) in zip(axes, _COSTS.items(), strict=True):
        _draw_against(axis, cost, networks, marks)
        axis.set_xlabel(label)
    axes[0].set_ylabel("Test perplexity")
    # The first name has the most room: that of the network that the report is about.
    marks.sort(key=lambda mark: mark.name != headline.network_name)
    for axis, cost in zip(axes, _COSTS.values(), strict=True):
        drawing.label_beside(axis, [drawing.Label(mark.name, mark.place(cost)) for mark in marks])
    has_rivals = bool(results.experiment.testing.rivals)
    added = f" They are added to {smallest.network_name}." if has_rivals else ""
    caption = (
        f"{_marks(results)}{added} Lower is better, further left is cheaper; a network below the "
        "line of static ones is better at the same cost. Costs are those of testing, learning "
        "included."
    )
    return figure, caption


def _draw_against(
    axis: Axes, cost: Cost, networks: Sequence[FinishedNetwork], marks: Sequence[Mark]
) -> None:
    """Draw test perplexity against a cost: a line for the static networks of a cell, all marks."""
    lines: dict[str, list[TestedNetwork]] = defaultdict(list)
    for network in networks:
        if not network.has_vector:
            lines[network.settings.cell].append(network.main)
    for static in lines.values():
        costs = [cost(tested) for tested in static]
        perplexities = [tested.perplexity().mean() for tested in static]
        axis.plot(costs, perplexities, color=_look_of(static[0])["color"], lw=1.2, alpha=0.6)
    for mark in marks:
        axis.plot(*mark.place(cost), ls="", ms=7, **mark.look)
    axis.grid(axis="y", linewidth=0.6)
    axis.set_xscale("log")
    axis.margins(0.46, 0.1)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _curves(results: Results, network: FinishedNetwork) -> pd.DataFrame:
    """(epochs, seeds): the perplexity of `valid` after each epoch; NaN after a seed's last one."""
    curves = {}
    for run in network.runs:
        epochs = read_epochs(results.directory.run(run.name))
        curves[run.seed] = pd.Series({epoch.epoch: epoch.valid_perplexity for epoch in epochs})
    return pd.DataFrame(curves)


def _name_lines(axis: Axes, ends: Sequence[drawing.Label]) -> None:
    """Name lines over epochs at their ends, where the axis ends, too."""
    axis.set_xlim(right=1.01 * max(end.place[0] for end in ends))
    axis.set_xlabel("Epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    drawing.label_at_the_right(axis, ends)


def draw_learning(results: Results) -> Drawing:
    """Draw validation perplexity by epoch: a line for each network, thin lines for its seeds."""
    figure, (axis,) = drawing.panels(1, _HEIGHT_OF_CURVES)
    axis.grid(axis="y", linewidth=0.6)
    ends = []
    shown: list[float] = []
    drawn = {True: 0, False: 0}  # static networks differ in style, and so do those with a vector
    for network in results.networks_on(results.first_corpus):
        curves = _curves(results, network)
        shown += [float(curves.min().min()), float(curves.max().max())]
        look = _look_of(network.main)
        colour = look["color"]
        for seed in curves if results.several_seeds else ():
            curve = curves[seed].dropna()
            axis.plot(curve.index, curve, color=colour, lw=0.4, alpha=0.4)
        # The mean ends where the first seed stops; later it would be over fewer runs.
        line = curves.mean(axis=1, skipna=False).dropna()
        style = _STYLES[drawn[network.has_vector] % len(_STYLES)]
        drawn[network.has_vector] += 1
        axis.plot(line.index, line, linestyle=style, lw=1.5, ms=3, **look)
        end = line.iloc[-1]
        ends.append(drawing.Label(f"{network.network_name}  {end:.1f}", (len(line), end), colour))
    drawing.log_scale(axis, min(shown), max(shown))
    axis.set_ylabel("Validation perplexity")
    _name_lines(axis, ends)
    seeds = " Means over the seeds (thin lines), until the first seed stops."
    caption = (
        "Perplexity on the validation text after each epoch, on a logarithmic axis; the last "
        f"values are at the right. {_marks(results, rivals=False)}"
        f"{seeds if results.several_seeds else ''}"
    )
    return figure, caption


def draw_gain_by_epoch(results: Results) -> Drawing:
    """Draw the change of `valid` by a vector, against static networks and slow units, by epoch.

    Raises NothingToShowError if no vector has a static network beside it.
    """
    figure, (axis,) = drawing.panels(1, _HEIGHT_OF_CURVES)
    axis.grid(axis="y", linewidth=0.6)
    axis.axhline(0, color=MUTED, lw=1)
    labels = []
    looks = cycle(_LOOKS_OF_SERIES)
    for vector in results.networks_on(results.first_corpus):
        if not vector.has_vector:
            continue
        for other in [*opponents_of(results, vector), *slow_units_like(results, vector)]:
            ours, theirs = (
                _curves(results, network).map(math.log).mean(axis=1, skipna=False)
                for network in (vector, other)
            )
            percents = (theirs - ours).dropna().map(percent_of_gain)
            colour, line, marker = next(looks)
            axis.plot(percents.index, percents, color=colour, ls=line, marker=marker, ms=3, lw=1.4)
            name = f"{vector.network_name}\nagainst {other.network_name}"
            labels.append(drawing.Label(name, (len(percents), percents.iloc[-1]), colour))
    if not labels:
        raise NothingToShowError("No vector has a static network beside it.")
    axis.set_ylabel("Change of validation perplexity (%)")
    _name_lines(axis, labels)
    caption = (
        "Change of the perplexity of valid by a vector that learns, against static networks of as "
        "many units or parameters and slow units in its place, after each epoch; below the line "
        "the vector is better."
    )
    return figure, caption


def by_size(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """The claims on each network and its static opponent, by names of both, the least text first.

    What is on texts of a single size is left out.
    """
    lines: dict[str, list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: claim.train_tokens):
        if claim.letter in _OPPONENTS:
            lines[f"{claim.row}, {_OPPONENTS[claim.letter]}"].append(claim)
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
    figure, (axis,) = drawing.panels(1, _HEIGHT_OF_CURVES)
    axis.grid(axis="y", linewidth=0.6)
    axis.axhline(0, color=MUTED, lw=1)
    named = []
    for (name, claims), (colour, line, marker) in zip(
        lines.items(), cycle(_LOOKS_OF_SERIES), strict=False
    ):
        tokens = [claim.train_tokens for claim in claims]
        percents = [claim.comparison.change_percent for claim in claims]
        intervals = np.array([claim.comparison.interval_percent for claim in claims])
        ends = np.abs(intervals - np.reshape(percents, (-1, 1)))
        look: Look = {"color": colour, "ls": line, "marker": marker, "ms": 5, "lw": 1.4}
        axis.errorbar(tokens, percents, ends.T, elinewidth=1, capsize=2.5, **look)
        named.append(drawing.Label(name, (tokens[-1], percents[-1]), colour))
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:.1f}"))
    sizes = {claim.train_tokens for claims in lines.values() for claim in claims}
    axis.xaxis.set_major_locator(FixedLocator(sorted(sizes)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("Tokens in the training text (millions)")
    axis.set_ylabel("Change of test perplexity (%)\nagainst a static network of as many …")
    drawing.label_at_the_right(axis, named)
    caption = (
        "Change of test perplexity by a document vector that learns, against static networks "
        "of as many units, or of as many parameters, by the size of the training text. Bars: 95 % "
        "intervals; below the line the vector is better."
    )
    return figure, caption
