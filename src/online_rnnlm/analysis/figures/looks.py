"""The colours, markers and lines of systems, and of other series, the same in every figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from online_rnnlm.analysis.figures.drawing import BLUE, GREEN, MUTED, ORANGE, PURPLE
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import System


class Look(TypedDict):
    """The look of a line or a mark, by matplotlib's names."""

    color: str
    marker: str
    ls: NotRequired[str]
    """The style of the line."""
    mfc: NotRequired[str]
    """The filling of the marker, if that is not its colour."""


LEARNING: Look = {"color": ORANGE, "marker": "D"}
STATIC: Look = {"color": BLUE, "marker": "o"}
MEMORY: Look = {"color": PURPLE, "marker": "s"}
RIVAL: Look = {"color": GREEN, "marker": "^"}
SERIES: Sequence[Look] = (
    {**LEARNING, "ls": "-"},
    {**STATIC, "ls": "--"},
    {**RIVAL, "ls": "-."},
    {**MEMORY, "ls": ":"},
    {"color": MUTED, "marker": "v", "ls": "-"},
)
"""The looks of series of which each compares two networks."""


def look_of(system: System) -> Look:
    """The look of a system: what it has beside a static network."""
    network = system.network_alone
    if network is None:
        return RIVAL
    if network.learns:
        return LEARNING
    remembers = network.has_vector or network.settings.cell == "slow_context"
    return MEMORY if remembers else STATIC


def meaning_of_marks(results: Results, *, rivals: bool = True) -> str:
    """A sentence that says what the marks of networks, and of rivals, mean."""
    marks = ["Orange diamonds: the vector learns in testing", "blue circles: static networks"]
    if any(look_of(network.main) is MEMORY for network in results.networks):
        marks.append("purple squares: memory that does not learn in testing, such as slow units")
    if rivals and results.experiment.rivals:
        marks.append("green triangles: rivals")
    return f"{'; '.join(marks)}."
