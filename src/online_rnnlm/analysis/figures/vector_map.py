"""The figure `vector_map`: a map of sentences' document vectors, coloured by topic."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from online_rnnlm.analysis.figures.captions import only_first
from online_rnnlm.analysis.figures.colours import GRID, MUTED, ONLINE, RIVAL, STATIC
from online_rnnlm.analysis.figures.drawing import Picture, legend_above, panels
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR
from online_rnnlm.corpora.corpus import load_split
from online_rnnlm.corpora.topics import topics_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import CorpusDirectory
from online_rnnlm.storage.scores import check_evaluated

Floats = npt.NDArray[np.float64]

SPLIT = "valid"
_HEIGHT = 5.6
_MOST_POINTS = 2000  # More can neither be told apart nor loaded quickly.
_LOOKS = (
    (STATIC, "o"), (ONLINE, "D"), (RIVAL, "^"), ("#e69f00", "s"), ("#cc79a7", "v"),
    ("#56b4e9", "P"),
)  # fmt: skip


class Plane(NamedTuple):
    """Points (sentences, 2), and each axis's share of the variance."""

    points: Floats
    shares: tuple[float, float]


class Likeness(NamedTuple):
    """Mean cosines of two sentences' vectors: `within` a topic, and `between` two topics.

    The two sentences are always from different articles.
    """

    within: float
    between: float


def draw(results: Results) -> Picture:
    """Draw the best row's vectors of validation sentences, of the first seed, in two dimensions."""
    row = results.best_with_vector()
    directory = results.directory.corpus(row.corpus)
    vectors = _read(results, row.first.name, directory)
    plane = principal_plane(vectors)
    topics = topics_of(directory, SPLIT)
    figure, (axis,) = panels(1, _HEIGHT)
    _draw(axis, plane, topics)
    seed = f", seed {row.first.seed}" if len(row.runs) > 1 else ""
    text = _caption(f"{row.label}{seed}", plane)
    if topics is None:
        text += " The corpus has no topics to colour them by."
    else:
        text += _about(likeness(vectors, topics, load_split(directory, SPLIT).articles))
    return Picture(figure, text + only_first(results))


def _read(results: Results, run: str, directory: CorpusDirectory) -> Floats:
    """Read a run's vectors of the split, scaled to length 1: (sentences, D)."""
    path = results.directory.document_vectors(run, SPLIT)
    check_evaluated(results.directory, run, DOCUMENT_VECTOR, path)
    vectors = np.load(path).astype(np.float64)
    sentences = load_split(directory, SPLIT).sentences
    if len(vectors) != sentences:
        raise UserError(f"{path}: {len(vectors)} vectors for {sentences} sentences")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float64)


def principal_plane(vectors: Floats) -> Plane:
    """The first two principal components of vectors (sentences, D); the second is 0 if D = 1."""
    centred = vectors - vectors.mean(axis=0)
    left, scales, right = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    shown = min(2, len(scales))
    # The sign of a component is arbitrary, so its largest weight is made positive.
    largest = np.abs(right[:shown]).argmax(axis=1)
    signs = np.sign(right[np.arange(shown), largest])
    points[:, :shown] = left[:, :shown] * scales[:shown] * signs
    total = float((scales**2).sum())
    first, second = (points**2).sum(axis=0) / (total or 1.0)
    return Plane(points, (float(first), float(second)))


def likeness(vectors: Floats, topics: Sequence[str], articles: npt.NDArray[np.int32]) -> Likeness:
    """Mean cosines over all pairs of sentences from two different articles with topics.

    vectors: (sentences, D), of length 1; articles: (sentences,). A mean is NaN if there is no pair.
    """
    names = np.array(topics)
    known = names != ""
    vectors, names, articles = vectors[known], names[known], articles[known]
    # The sum over all pairs within a group is the squared length of the group's sum. An article
    # has one topic, so the pairs within an article are among those within its topic.
    (of_topics, topic_pairs), (of_articles, article_pairs), (of_all, all_pairs) = (
        _pairs(vectors, np.unique(labels, return_inverse=True)[1])
        for labels in (names, articles, np.zeros(len(names)))
    )
    return Likeness(
        _mean(of_topics - of_articles, topic_pairs - article_pairs),
        _mean(of_all - of_topics, all_pairs - topic_pairs),
    )


def _pairs(vectors: Floats, group: npt.NDArray[np.intp]) -> tuple[float, int]:
    """The sum of the cosines of all ordered pairs within a group, and the number of pairs."""
    counts = np.bincount(group)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, group, vectors)
    return float((sums**2).sum()), int((counts.astype(np.int64) ** 2).sum())


def _mean(total: float, count: int) -> float:
    return total / count if count else math.nan


def _draw(axis: Axes, plane: Plane, topics: Sequence[str] | None) -> None:
    """Draw the most frequent topics in colours and shapes, above all others in grey."""
    drawn = np.unique(np.linspace(0, len(plane.points) - 1, _MOST_POINTS).astype(int))
    points = plane.points[drawn]
    names = np.array([topics[i] for i in drawn] if topics else [""] * len(drawn))
    shown = most_frequent(topics or [])
    rest = ~np.isin(names, shown)
    label = "other topics" if topics else "sentences"
    _scatter(axis, points[rest], label, GRID if topics else MUTED, "o")
    for topic, (colour, marker) in zip(shown, _LOOKS, strict=False):
        _scatter(axis, points[names == topic], topic, colour, marker)
    axis.set_aspect("equal", adjustable="datalim")
    first, second = (f"principal component ({100 * share:.0f} %)" for share in plane.shares)
    axis.set_xlabel(f"First {first}")
    axis.set_ylabel(f"Second {second}")
    if topics:
        legend_above(axis, scale=2)


def most_frequent(topics: Sequence[str]) -> list[str]:
    """The topics with a colour, the most frequent first, then in alphabetical order."""
    counts = Counter(topic for topic in topics if topic)
    return sorted(counts, key=lambda topic: (-counts[topic], topic))[: len(_LOOKS)]


def _scatter(axis: Axes, points: Floats, label: str, colour: str, marker: str) -> None:
    if len(points):
        axis.plot(*points.T, ls="", marker=marker, ms=3, mew=0, color=colour, label=label)


def _caption(model: str, plane: Plane) -> str:
    count = len(plane.points)
    sample = f", {_MOST_POINTS:,} of them, evenly spaced, drawn" if count > _MOST_POINTS else ""
    return (
        f"The document vectors of {model} after each of the {count:,} validation sentences"
        f"{sample}. The vectors are scaled to length 1; the axes are the first two principal "
        f"components, which hold "
        f"{100 * sum(plane.shares):.0f} % of the variance."
    )


def _about(found: Likeness) -> str:
    text = f" Colours show the {len(_LOOKS)} most frequent topics."
    if math.isnan(found.within) or math.isnan(found.between):
        return text
    return (
        f"{text} In all dimensions, the mean cosine of two sentences' vectors from different "
        f"articles is {found.within:.3f} within a topic and {found.between:.3f} between topics."
    )
