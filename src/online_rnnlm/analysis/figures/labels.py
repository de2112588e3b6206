"""Write names beside points where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from online_rnnlm.analysis.figures.colours import SURFACE
from online_rnnlm.analysis.figures.drawing import SMALL

Floats = npt.NDArray[np.float64]
Place = tuple[float, float]

# Offsets (x, y) from the point, in points (1/72 inch), with the text's alignment: near it in all
# directions, and farther above and below it, for long names at the edge.
_PLACES = [
    (dx, dy, side, edge)
    for far in (6, 14, 26, 40)
    for dx, dy, side, edge in (
        (far, 1, "left", "bottom"),
        (far, -1, "left", "top"),
        (-far, 1, "right", "bottom"),
        (-far, -1, "right", "top"),
        (0, far, "center", "bottom"),
        (0, -far, "center", "top"),
    )
] + [
    (dx, dy, side, edge)
    for far in (14, 26, 40, 54, 68, 82, 96)
    for dx, side in ((6, "left"), (-6, "right"))
    for dy, edge in ((far, "bottom"), (-far, "top"))
]
# In pixels, 100 to the inch:
_MARK, _STROKE, _STEP = 7.0, 1.5, 6.0
"""The reach of a point's mark and of a line to each side, and the step between a line's samples."""
_FAR = 1.0
"""The covered area, in square pixels, that counts as much as 1/72 inch of distance."""


class Label(NamedTuple):
    """A name, its place in the coordinates of the axes' data, and its colour."""

    text: str
    place: Place
    colour: str


def place_labels(
    axis: Axes,
    labels: Sequence[Label],
    points: Sequence[Place],
    lines: Sequence[tuple[Place, Place]] = (),
) -> None:
    """Write each label as near to its place as possible without covering a point, line or label.

    `points` and `lines`, given by their ends, should stay free. The axes' limits must be final.
    """
    figure = axis.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # This computes the layout, and so the axes' place.
    data = axis.transData
    taken = [_around(data.transform(np.reshape(points, (-1, 2))), _MARK)]
    taken += [_around(_along(data.transform(line)), _STROKE) for line in lines]
    boxes = np.concatenate(taken)
    for label in labels:
        text = axis.annotate(
            label.text, label.place, (0, 0), textcoords="offset points", color=label.colour,
            fontsize=SMALL, zorder=2, bbox={"fc": SURFACE, "ec": "none", "alpha": 0.8, "pad": 0.5},
        )  # fmt: skip
        text.set_in_layout(False)
        boxes = np.vstack([boxes, _settle(axis, text, boxes)])


def _around(centres: Floats, reach: float) -> Floats:
    """(n, 4): a box (left, low, right, high) around each of the centres (n, 2)."""
    return np.hstack([centres - reach, centres + reach])


def _along(ends: Floats) -> Floats:
    """(n, 2): places along the line between two ends (2, 2)."""
    count = int(np.hypot(*(ends[1] - ends[0])) / _STEP) + 2
    return np.linspace(ends[0], ends[1], count)


def _settle(axis: Axes, text: Annotation, taken: Floats) -> Floats:
    """Move a text to where it covers least; return the box that it then takes up."""
    boxes, costs = [], []
    inside = np.asarray(axis.bbox.extents, dtype=np.float64)[np.newaxis]
    for place in _PLACES:
        _move(text, place)
        box = np.asarray(text.get_window_extent().extents)
        far = max(abs(place[0]), abs(place[1]))
        lacks = _area(box[np.newaxis]) - covered(box, inside)
        costs.append(covered(box, taken) + lacks + _FAR * far)
        boxes.append(box)
    best = costs.index(min(costs))
    _move(text, _PLACES[best])
    return boxes[best]


def _move(text: Annotation, place: tuple[float, float, str, str]) -> None:
    dx, dy, side, edge = place
    text.set(ha=side, va=edge)
    text.xyann = (dx, dy)


def covered(box: Floats, others: Floats) -> float:
    """The area of other boxes (n, 4) that a box (4,), left, low, right and high, covers."""
    common = np.hstack([np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])])
    return _area(common)


def _area(boxes: Floats) -> float:
    """The summed area of boxes (n, 4); a box whose right is less than its left has no area."""
    extents = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return float(extents.prod(axis=1).sum())
