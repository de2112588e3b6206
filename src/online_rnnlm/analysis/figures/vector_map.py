"""The figure `vector_map`: a map of sentences' document vectors, coloured by topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from online_rnnlm.analysis.figures import GRID, MUTED, ONLINE, RIVAL, STATIC
from online_rnnlm.analysis.figures.drawing import Picture, legend_above, only_first, panels
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.neighbours import SPLIT, read_document_vectors, unit
from online_rnnlm.corpora.corpus import topics_of

Floats = npt.NDArray[np.float64]

_HEIGHT = 5.6
_MOST_POINTS = 2000  # More can neither be told apart nor loaded quickly.
_LOOKS = (
    (STATIC, "o"), (ONLINE, "D"), (RIVAL, "^"), ("#e69f00", "s"), ("#cc79a7", "v"),
    ("#56b4e9", "P"),
)  # fmt: skip


def draw(results: Results) -> Picture:
    """Draw the best row's vectors of validation sentences, of the first seed, in two dimensions."""
    row = results.best_with_vector()
    directory = results.directory.corpus(row.corpus)
    topics = topics_of(directory, SPLIT)
    found = read_document_vectors(results.directory, row.first.name)
    vectors = unit(found.astype(np.float64))
    points, shares = principal_plane(vectors)
    figure, (axis,) = panels(1, _HEIGHT)
    _draw(axis, points, topics)
    first, second = (f"principal component ({100 * share:.0f} %)" for share in shares)
    axis.set_xlabel(f"First {first}")
    axis.set_ylabel(f"Second {second}")
    count = len(points)
    sample = f", {_MOST_POINTS:,} of them, evenly spaced, drawn" if count > _MOST_POINTS else ""
    seed = f", seed {row.first.seed}," if len(row.runs) > 1 else ""
    colours = f"Colours show the {len(_LOOKS)} most frequent topics."
    caption = (
        f"The document vectors of {row.label}{seed} after each of the {count:,} validation "
        f"sentences{sample}. The vectors are scaled to length 1; the axes are the first two "
        f"principal components, which hold {100 * sum(shares):.0f} % of the variance. "
        f"{colours if topics else 'The corpus has no topics to colour them by.'}"
    )
    return Picture(figure, caption + only_first(results))


def principal_plane(vectors: Floats) -> tuple[Floats, list[float]]:
    """The first two principal components of vectors (sentences, D): (sentences, 2).

    The second is 0 if D = 1. Each one's share of the variance comes with them.
    """
    centred = vectors - vectors.mean(axis=0)
    left, scales, right = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    shown = min(2, len(scales))
    # The sign of a component is arbitrary, so its largest weight is made positive.
    largest = np.abs(right[:shown]).argmax(axis=1)
    signs = np.sign(right[np.arange(shown), largest])
    points[:, :shown] = left[:, :shown] * scales[:shown] * signs
    total = float((scales**2).sum())
    return points, ((points**2).sum(axis=0) / (total or 1.0)).tolist()


def _draw(axis: Axes, points: Floats, topics: Sequence[str] | None) -> None:
    """Draw the most frequent topics in colours and shapes, above all others in grey."""
    drawn = np.unique(np.linspace(0, len(points) - 1, _MOST_POINTS).astype(int))
    points = points[drawn]
    names = np.array([topics[i] for i in drawn] if topics else [""] * len(drawn))
    shown = most_frequent(topics or [])
    rest = points[~np.isin(names, shown)]
    series = [(rest, *(("other topics", GRID) if topics else ("sentences", MUTED)), "o")]
    for topic, look in zip(shown, _LOOKS, strict=False):
        series.append((points[names == topic], topic, *look))
    for found, label, colour, marker in series:
        if len(found):
            axis.plot(*found.T, ls="", marker=marker, ms=3, mew=0, color=colour, label=label)
    axis.set_aspect("equal", adjustable="datalim")
    if topics:
        legend_above(axis, scale=2)


def most_frequent(topics: Sequence[str]) -> list[str]:
    """The topics with a colour, the most frequent first, then in alphabetical order."""
    counts = Counter(topic for topic in topics if topic)
    return sorted(counts, key=lambda topic: (-counts[topic], topic))[: len(_LOOKS)]
