"""The choice of sentences to look at, and the search for the sentences nearest to them."""

from __future__ import annotations

import numpy as np

from online_rnnlm.analysis.sentences import Sentences, Vectors

QUERIES, NEAREST = 4, 3
_BLOCK = 1024  # Sentences compared with all others at once, since not all pairs fit into memory.


def choose(sentences: Sentences) -> list[int]:
    """Choose the places of a few sentences that are very close to another one, the closest first.

    At most one sentence of a topic (or article) is chosen, and none that is among the nearest of
    one chosen before; otherwise near duplicates would fill the table.
    """
    chosen: list[int] = []
    subjects: set[str] = set()
    seen: set[int] = set()
    for query in np.argsort(-highest_cosines(sentences.document), kind="stable").tolist():
        if len(chosen) == QUERIES:
            break
        if query in seen or sentences.subjects[query] in subjects:
            continue
        chosen.append(query)
        subjects.add(sentences.subjects[query])
        seen |= {place for place, _ in nearest(sentences.document, query)}
    return chosen


def draw(sentences: Sentences, seed: int, without: list[int]) -> list[int]:
    """Draw the places of a few sentences at random, none of them in `without`."""
    among = np.setdiff1d(np.arange(len(sentences.texts)), without)
    random = np.random.default_rng(seed)
    drawn: list[int] = random.choice(among, min(QUERIES, len(among)), replace=False).tolist()
    return sorted(drawn)


def highest_cosines(vectors: Vectors) -> Vectors:
    """(N,): for each of N vectors of length 1, the cosine with the nearest other vector."""
    highest = np.empty(len(vectors), np.float32)
    for begin in range(0, len(vectors), _BLOCK):
        cosines = vectors[begin : begin + _BLOCK] @ vectors.T
        places = np.arange(len(cosines))
        cosines[places, begin + places] = -np.inf
        highest[begin : begin + _BLOCK] = cosines.max(axis=1)
    return highest


def nearest(vectors: Vectors, query: int) -> list[tuple[int, float]]:
    """The places and cosines of the vectors nearest to `query` by cosine, the nearest first."""
    cosines = vectors @ vectors[query]
    cosines[query] = -np.inf
    places = np.argsort(-cosines, kind="stable")[: min(NEAREST, len(vectors) - 1)]
    return [(int(place), float(cosines[place])) for place in places]


def mean_cosine(vectors: Vectors) -> float:
    """The mean cosine over all pairs of two different vectors among N vectors of length 1."""
    # The squared length of the sum is the sum of the cosines of all pairs.
    wide = vectors.astype(np.float64)
    total, own = wide.sum(axis=0), float((wide**2).sum())
    return float(total @ total - own) / max(1, len(wide) * (len(wide) - 1))
