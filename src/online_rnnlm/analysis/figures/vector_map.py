"""The figure `vector_map`: a map of sentences' document vectors, coloured by subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import shorten

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from online_rnnlm.analysis.figures.curves import LOOKS
from online_rnnlm.analysis.figures.drawing import GRID, SMALL, Picture, only_first, panels
from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.tables.neighbours import SPLIT, read_document_vectors, unit
from online_rnnlm.corpora.corpus import load_split, read_statistics, topics_of
from online_rnnlm.corpora.textfiles import read_all_articles
from online_rnnlm.storage.paths import CorpusDirectory

Floats = npt.NDArray[np.float64]

_HEIGHT = 5.6
_MOST_POINTS = 2000  # More can neither be told apart nor loaded quickly.
_MOST_SUBJECTS = 6


def draw(results: Results) -> Picture:
    """Draw the headline's vectors of validation sentences, of one seed, in two dimensions.

    Raises NothingToShowError if nothing is known of the sentences that could colour them.
    """
    row = results.headline_with_vector()
    subjects = _subjects(results.directory.corpus(row.corpus))
    found = read_document_vectors(results.directory, row.first.name)
    vectors = unit(found.astype(np.float64))
    points = principal_plane(vectors)
    figure, (axis,) = panels(1, _HEIGHT)
    _draw(axis, points, subjects)
    axis.set_xlabel("First principal component")
    axis.set_ylabel("Second principal component")
    count = len(points)
    sample = f", {_MOST_POINTS:,} of them, evenly spaced, drawn" if count > _MOST_POINTS else ""
    caption = (
        f"The document vectors of {row.first.run.label} after each of the {count:,} validation "
        f"sentences{sample}, scaled to length 1. Colours: the {_MOST_SUBJECTS} most frequent "
        "topics or, where topics are not known, the longest articles."
    )
    return Picture(figure, caption + only_first(results))


def _subjects(directory: CorpusDirectory) -> list[str]:
    """The topic of every sentence or, where topics are not known, the title of its article."""
    topics = topics_of(directory, SPLIT)
    if topics is None and read_statistics(directory).articles is not None:
        titles = [article.title for article in read_all_articles(directory.articles)]
        topics = [titles[number] for number in load_split(directory, SPLIT).articles]
    if not any(topics or ()):
        raise NothingToShowError("The sentences' topics and articles are not known.")
    return topics or []


def principal_plane(vectors: Floats) -> Floats:
    """The first two principal components of vectors (sentences, D): (sentences, 2).

    The second is 0 if D = 1.
    """
    left, scales, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    return np.pad(left * scales, ((0, 0), (0, 1)))[:, :2]


def _draw(axis: Axes, points: Floats, subjects: Sequence[str]) -> None:
    """Draw the most frequent subjects in colours and shapes, above all others in grey."""
    drawn = np.unique(np.linspace(0, len(points) - 1, _MOST_POINTS).astype(int))
    points = points[drawn]
    names, shown = np.array([subjects[i] for i in drawn]), most_frequent(subjects)
    series = [(points[~np.isin(names, shown)], "others", GRID, "o")]
    for subject, (colour, _, marker) in zip(shown, LOOKS, strict=False):
        series.append((points[names == subject], shorten(subject, 26), colour, marker))
    for found, label, colour, marker in series:
        if len(found):
            axis.plot(*found.T, ls="", marker=marker, ms=3, mew=0, color=colour, label=label)
    axis.set_aspect("equal", adjustable="datalim")
    axis.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=SMALL, frameon=False,
        markerscale=2,
    )  # fmt: skip


def most_frequent(subjects: Sequence[str]) -> list[str]:
    """The subjects with a colour, the most frequent first, then in alphabetical order."""
    counts = Counter(subject for subject in subjects if subject)
    return sorted(counts, key=lambda subject: (-counts[subject], subject))[:_MOST_SUBJECTS]
