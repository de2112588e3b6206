"""The picture of the workflow: its rules, as boxes in the order in which they run."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

PICTURE = Path("docs/workflow.svg")
_WIDTH, _HEIGHT = 144, 50
"""The size of a box, in pixels."""
_STEP = 172
"""The distance from one column to the next."""


class Box(NamedTuple):
    """Some rules, and what they do."""

    column: int
    y: int
    rules: str
    """Their names in the workflow."""
    does: str
    follows: tuple[int, ...] = ()
    """Places in `BOXES` of the boxes that this one reads from."""


BOXES = (
    Box(0, 100, "fetch, articles", "download a text"),
    Box(1, 100, "sentences", "split and tokenise", (0,)),
    Box(2, 100, "encode", "words, classes, splits", (1,)),
    Box(2, 20, "compile", "kernels, once"),
    Box(3, 100, "train", "networks × seeds", (2, 3)),
    Box(4, 100, "evaluate", "by what is updated", (4,)),
    Box(3, 180, "rival", "n-gram models", (2,)),
    Box(4, 180, "mix, time, audits", "mixtures, speed, audit", (4, 6)),
    Box(5, 100, "claims", "tested comparisons", (5, 7)),
    Box(5, 180, "tables, figures", "CSV, Markdown, SVG", (5, 7)),
    Box(6, 140, "report", "one HTML page", (8, 9)),
    Box(5, 20, "track", "each run, to MLflow", (5,)),
    Box(6, 20, "summary", "report, to MLflow", (11, 10)),
)
_STYLE = """
text { font: 12px sans-serif; text-anchor: middle; fill: #57606a }
.rules { font: bold 13px monospace; fill: #1f2328 }
rect { fill: #f6f8fa; stroke: #8c959f; rx: 6px }
.mlflow rect { fill: #ddf4ff; stroke: #0969da }
path { fill: none; stroke: #8c959f; stroke-width: 1.5; marker-end: url(#end) }
marker path { fill: #8c959f; stroke: none; marker-end: none }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .rules { fill: #f0f6fc }
rect { fill: #151b23; stroke: #656c76 }
.mlflow rect { fill: #121d2f; stroke: #4493f8 }
path { stroke: #656c76 } marker path { fill: #656c76 }
}
"""


def write() -> None:
    """Write the picture."""
    width = _STEP * max(box.column for box in BOXES) + _WIDTH + 4
    height = max(box.y for box in BOXES) + _HEIGHT + 4
    arrows = [_arrow(BOXES[place], box) for box in BOXES for place in box.follows]
    PICTURE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img"><title>The workflow</title>\n'
        f"<style>{_STYLE}</style>\n"
        '<marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker>\n'
        f"{''.join(arrows)}{''.join(map(_drawn, BOXES))}</svg>\n",
        encoding="utf-8",
    )


def _drawn(box: Box) -> str:
    x = _STEP * box.column
    kind = ' class="mlflow"' if "MLflow" in box.does else ""
    middle = x + _WIDTH / 2
    return (
        f'<g{kind}><rect x="{x}" y="{box.y}" width="{_WIDTH}" height="{_HEIGHT}"/>'
        f'<text class="rules" x="{middle}" y="{box.y + 21}">{escape(box.rules)}</text>'
        f'<text x="{middle}" y="{box.y + 39}">{escape(box.does)}</text></g>\n'
    )


def _arrow(first: Box, then: Box) -> str:
    """An arrow from the side of a box to that of a later one, or up to one of the same column."""
    if first.column == then.column:
        middle = _STEP * first.column + _WIDTH / 2
        return f'<path d="M{middle} {first.y} L{middle} {then.y + _HEIGHT}"/>\n'
    x, y = _STEP * first.column + _WIDTH, first.y + _HEIGHT / 2
    to_x, to_y = _STEP * then.column, then.y + _HEIGHT / 2
    bend = (to_x - x) / 2
    return f'<path d="M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x - 2} {to_y}"/>\n'
