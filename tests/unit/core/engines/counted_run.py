"""Runs the kernels as plain Python, `NUMBA_DISABLE_JIT=1`, and counts their multiply-adds.

As a script, it prints the multiply-adds of each of `CASES`, and the log-probability of the text, as
JSON. `test_cost` starts it and checks the counts.
"""

import json
import sys
from typing import NamedTuple

import numpy as np

from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import WEIGHTS, Adaptation
from online_rnnlm.core.engines.kernels import forward, learning
from online_rnnlm.use.network import split_of
from tests.unit import small_models as small
from tests.unit.small_models import VECTOR, adaptation_of, corpus_of, weights_for

SIZES = (0, 5)
"""Of the document vector."""
CLASS_SIZES = (2, 4, 1, 6, 3)
SENTENCES = ([3, 9, 4, 9, 15, 6, 0], [7, 0], [12, 6, 11, 0], [0], [2, 14, 8, 10, 5, 0])
STEPS = 3
HIDDEN = 4
CELLS = ("lstm", "sigmoid")


class Case(NamedTuple):
    """A reading of `SENTENCES`: `train`, `score`, or `online`, while some weights are updated."""

    mode: str
    document_size: int
    groups: tuple[str, ...] = ()
    learn_after: str | int = "word"
    cell: str = "sigmoid"
    step: str = "error"

    @property
    def settings(self):
        """The settings of the run."""
        varied = {
            "document_size": self.document_size,
            "cell": self.cell,
            "document_step": self.step,
        }
        return small.settings(**varied, hidden_size=HIDDEN, batch_sentences=2, seed=3)

    @property
    def online(self):
        """The settings of what learns in testing."""
        rate = self.settings.document_rate if self.document_size else 0.0
        return adaptation_of(self.groups, 0.05, rate, STEPS, self.learn_after, "stream")


SUBSETS = [(), ("embeddings",), ("recurrent",), ("output",), tuple(WEIGHTS)]
CASES = [
    *(
        Case(mode, size, cell=cell)
        for mode in ("score", "train")
        for size in SIZES
        for cell in CELLS
    ),
    *(
        Case("online", size, groups, after, cell)
        for size in SIZES
        for groups in SUBSETS
        for after in ("word", "sentence")
        for cell in CELLS
    ),
    *(Case("online", size, (), 3) for size in SIZES),
    *(Case(mode, 5, step="words") for mode in ("score", "train")),
]


class Counted:
    """The functions in which the kernels multiply by matrices; they count their multiply-adds."""

    def __init__(self):
        self.total = 0
        self._numpys = np.dot

    def dot(self, a, b, out=None):
        """Count a product of matrices."""
        self.total += a.shape[0] * a.shape[1] * b.shape[1]
        return self._numpys(a, b, out)

    def vector_feeds(self, document, matrix, low, inputs):
        """Count V d, the part of the document vector in a layer's inputs."""
        part = matrix[:, low : low + inputs.size]
        self.total += part.size
        inputs += document @ part

    def vector_is_differentiated(self, matrix, low, deltas, gradient):
        """Count Vᵀ δ, a layer's part in the vector's gradient."""
        part = matrix[:, low : low + deltas.size]
        self.total += part.size
        gradient += part @ deltas

    def vector_steps(self, vector, keep, rate, gradient):
        """Count a step of the document vector."""
        self.total += vector.size
        vector[:] = keep * vector - rate * gradient

    def descend_by_product(self, weights, a, b, rate):
        """Count a step by a gradient aᵀ b."""
        weights -= rate * self.dot(a.T, b)

    def put_into_the_kernels(self):
        """Let numpy's product, and the functions that multiply without it, be counted."""
        np.dot = self.dot
        forward.feed = self.vector_feeds
        forward.add_document_gradient = self.vector_is_differentiated
        forward.descend = self.vector_steps
        learning.descend_by_product = self.descend_by_product


def run(case):
    """Return a case's log-probability: of training on all sentences once, or of scoring them."""
    settings = case.settings
    corpus = corpus_of(CLASS_SIZES, split_of(SENTENCES))
    weights = weights_for(settings, corpus)
    split = corpus.splits["train"]
    if case.mode == "train":
        ones = parameters.filled(small.sizes_of(settings, corpus), 1.0, settings.precision)
        trainer = small.Trainer(settings, corpus, weights, ones)
        return trainer.learn_from(range(split.sentences), 0.1)
    adaptation = Adaptation(VECTOR) if case.mode == "score" else case.online
    scores = small.scored(settings, corpus, weights, split, adaptation)
    return float(scores.log_probabilities.sum())


def main():
    """Count the multiply-adds of all cases."""
    results = []
    counted = Counted()
    counted.put_into_the_kernels()
    for case in CASES:
        counted.total = 0
        results.append({"log_probability": run(case), "multiply_adds": counted.total})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
