"""The figures of systems: their test perplexities, beside each other and against their costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from online_rnnlm.analysis.figures import drawing
from online_rnnlm.analysis.figures.drawing import Drawing
from online_rnnlm.analysis.figures.looks import look_of, meaning_of_marks
from online_rnnlm.analysis.opponents import headline_on, opponents_of
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import FinishedNetwork, System, TestedNetwork
from online_rnnlm.config.rivals import MIXTURE

MOST_SYSTEMS = 8
"""The most systems that a figure names."""
_HEIGHT_OF_SYSTEM = 0.36  # inches
_HEIGHT_OF_COSTS = 4.0  # inches


def leading(results: Results) -> list[System]:
    """The systems of the first corpus that figures name, the most important first.

    The headline; for each hidden layer and unit of text its first network with a vector, and its
    static opponent of as many parameters; the best static network with one rival and the best rival
    of the corpus, both on `valid`; then the other networks.
    """
    corpus = results.first_corpus
    headline = headline_on(results, corpus)
    networks = results.networks_on(corpus)
    named: list[System] = [headline.main]
    vectors: dict[tuple[str, str], FinishedNetwork] = {}
    for network in (headline, *networks):
        if network.learns:
            vectors.setdefault(network.regime, network)
    for vector in vectors.values():
        largest_opponent = opponents_of(results, vector)[-1:]
        named += [network.main for network in (vector, *largest_opponent)]
    rivals = [
        system
        for system in results.systems_on(corpus)
        if system.rival and system.rival.name != MIXTURE
    ]
    rivals.sort(key=lambda system: system.perplexity("valid").mean())
    added = [one for one in rivals if one.network and not one.network.has_vector]
    of_corpus = [one for one in rivals if not one.network]
    named += [*added[:1], *of_corpus[:1], *(network.main for network in networks)]
    return [*dict.fromkeys(named)][:MOST_SYSTEMS]


def draw_systems(results: Results) -> Drawing:
    """Draw the test perplexity of a few systems, the best at the top, each dot with its name."""
    systems = sorted(leading(results), key=lambda system: system.perplexity().mean())
    headline = headline_on(results, results.first_corpus)
    means = [system.perplexity().mean() for system in systems]
    middle = (min(means) + max(means)) / 2
    figure, (axis,) = drawing.panels(1, 0.6 + _HEIGHT_OF_SYSTEM * len(systems))
    for height, (system, mean) in enumerate(zip(systems, means, strict=True)):
        deviation = system.perplexity().std() if len(system.by_seed) > 1 else 0.0
        bar = deviation or None
        axis.errorbar(mean, height, xerr=bar, ms=7, elinewidth=1.2, capsize=3, **look_of(system))
        side = 1 if mean <= middle else -1
        axis.annotate(
            f"{system.title}  {mean:.1f}",
            (mean + side * deviation, height),
            xytext=(9 * side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side == 1 else "right",
            weight="bold" if system is headline.main else "normal",
        )
    axis.set_ylim(len(systems) - 0.4, -0.6)
    axis.margins(x=0.06)
    axis.grid(axis="x")
    axis.yaxis.set_visible(False)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("Test perplexity: lower is better")
    bars = " Bars: standard deviation over the seeds." if results.several_seeds else ""
    marks = meaning_of_marks(results)
    return Drawing(figure, f"{marks} In bold: the network that the report is about.{bars}")


Cost = Callable[[TestedNetwork], float]
_COSTS: Mapping[str, Cost] = {
    "Parameters (millions)": lambda tested: tested.parameters / 1e6,
    "Multiply-adds per word (thousands)": lambda tested: tested.multiply_adds / 1e3,
    "Microseconds per word": lambda tested: 1e6 * tested.seconds_per_word,
}
"""The costs in testing, by the labels of their axes."""


def draw_costs(results: Results) -> Drawing:
    """Draw test perplexity against parameters, multiply-adds and time per word in testing.

    Networks are those of the headline's unit of text. A line joins those without a vector that have
    the same cell. The smallest network, of those without a vector if there are any, is drawn with
    each rival, too.
    """
    headline = headline_on(results, results.first_corpus)
    unit = headline.settings.unit_of_text
    on_corpus = results.networks_on(headline.corpus)
    networks = [network for network in on_corpus if network.settings.unit_of_text == unit]
    networks.sort(key=lambda network: network.parameters)
    static = [network for network in networks if not network.has_vector]
    smallest = (static or networks)[0]
    shown = [network.main for network in networks]
    for tested in smallest.tested.values():
        if tested.rival and tested.rival.name != MIXTURE:
            shown.append(tested)
    figure, axes = drawing.panels(1, _HEIGHT_OF_COSTS, drawing.WIDTH_OF_ROW, columns=len(_COSTS))
    for axis, (label, cost) in zip(axes, _COSTS.items(), strict=True):
        _draw_against(axis, cost, shown)
        axis.set_xlabel(label)
    axes[0].set_ylabel("Test perplexity")
    # The first name has the most room: that of the network that the report is about.
    shown.sort(key=lambda tested: tested is not headline.main)
    for axis, cost in zip(axes, _COSTS.values(), strict=True):
        labels = []
        for tested in shown:
            name = f"+ {tested.rival.title}" if tested.rival else tested.title
            labels.append(drawing.Label(name, _place(tested, cost)))
        drawing.label_beside(axis, labels)
    has_rivals = bool(results.experiment.rivals)
    added = f" They are added to {smallest.network_name}." if has_rivals else ""
    caption = (
        f"{meaning_of_marks(results)}{added} Lower is better, further left is cheaper; a network "
        "below the line of static ones is better at the same cost. Costs are those of testing, "
        "learning included."
    )
    return Drawing(figure, caption)


def _place(tested: TestedNetwork, cost: Cost) -> tuple[float, float]:
    """The place of a network on axes of a cost and of test perplexity."""
    return cost(tested), tested.perplexity().mean()


def _draw_against(axis: Axes, cost: Cost, shown: Sequence[TestedNetwork]) -> None:
    """Draw test perplexity against a cost: a mark for each network, a line for the static networks
    of each cell."""
    static: dict[str, list[TestedNetwork]] = defaultdict(list)
    for tested in shown:
        if not tested.rival and not tested.network.has_vector:
            static[tested.network.settings.cell].append(tested)
    for of_cell in static.values():
        line = np.array([_place(tested, cost) for tested in of_cell])
        axis.plot(*line.T, color=look_of(of_cell[0])["color"], lw=1.2, alpha=0.6)
    for tested in shown:
        axis.plot(*_place(tested, cost), ls="", ms=7, **look_of(tested))
    axis.grid(axis="y")
    axis.set_xscale("log")
    axis.margins(0.6, 0.1)
    drawing.set_ticks(axis.xaxis, LogLocator(subs=(1, 2, 5), numticks=8))
