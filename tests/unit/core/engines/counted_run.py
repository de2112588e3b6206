"""Runs the kernels as plain Python, `NUMBA_DISABLE_JIT=1`, and counts their multiply-adds.

As a script, it prints the multiply-adds of each of `CASES`, and the log-probability of the text, as
JSON. `test_cost` starts it and checks the counts.
"""

import json
import pkgutil
import sys
from importlib import import_module
from typing import NamedTuple

import numpy as np

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.engines import kernels, registry
from online_rnnlm.core.sizes import sizes_for
from online_rnnlm.core.way import GROUPS
from tests.unit.small_models import corpus_of, learn, split_of, way_of, weights_for

SIZES = (0, 5)
"""Of the document vector."""
CLASS_SIZES = (2, 4, 1, 6, 3)
SENTENCES = ([3, 9, 4, 9, 15, 6, 0], [7, 0], [12, 6, 11, 0], [0], [2, 14, 8, 10, 5, 0])
STEPS = 3
HIDDEN = 4


class Case(NamedTuple):
    """One way to read `SENTENCES`: `train`, `score`, or `online`, while groups of weights learn."""

    mode: str
    document_size: int
    groups: tuple[str, ...] = ()
    learn_after: str | int = "word"
    cell: str = "sigmoid"

    @property
    def settings(self):
        """The settings of the run."""
        names = ("document_size", "cell")
        values = {"corpus": "small", "precision": "float64", "seed": 3, "hidden_size": HIDDEN}
        values |= {"document_rate": 0.3, "batch_sentences": 2}
        return RunSettings.model_validate(values | {name: getattr(self, name) for name in names})

    @property
    def online(self):
        """The settings of what learns in testing."""
        rate = self.settings.document_rate if self.document_size else 0.0
        return way_of(self.groups, 0.05, rate, STEPS, self.learn_after, "stream")


SUBSETS = [(), ("embeddings",), ("recurrent",), ("output",), tuple(GROUPS)]
CASES = [
    *(
        Case(mode, size, cell=cell)
        for mode in ("score", "train")
        for size in SIZES
        for cell in ("lstm", "sigmoid")
    ),
    *(Case("online", size, groups) for size in SIZES for groups in SUBSETS),
    *(Case("online", size, groups, "sentence") for size in SIZES for groups in SUBSETS),
    *(Case("online", size, (), 3) for size in SIZES),
]


class Counted:
    """Numpy versions of the kernels' products; each adds its multiply-adds to `total`.

    The tasks of a team are counted in plain Python, too, as a thread can have no atomic operation
    there.
    """

    def __init__(self, document_size):
        self.document_size = document_size
        self.total = 0

    def _product(self, alpha, a, b, beta, c):
        if c.size:
            self.total += a.shape[0] * a.shape[1] * b.shape[1]
            c[:] = alpha * (a @ b) + (beta * c if beta else 0)

    def multiply_nn(self, alpha, a, b, beta, c):
        self._product(alpha, a, b, beta, c)

    def multiply_nt(self, alpha, a, b, beta, c):
        self._product(alpha, a, b.T, beta, c)

    def multiply_rows(self, a, b, c):
        self._product(1, a, b, 1, c)

    def multiply_tn(self, alpha, a, b, beta, c):
        self._product(alpha, a.T, b, beta, c)

    def feed(self, document, matrix, low, inputs):
        part = matrix[:, low : low + inputs.size]
        self.total += part.size
        inputs += document @ part

    def add_document_gradient(self, matrix, low, deltas, document_gradient):
        part = matrix[:, low : low + deltas.size]
        self.total += part.size
        document_gradient += part @ deltas

    def descend(self, vector, rate, gradient):
        # A step of d counts; a step of an embedding is the optimizer's and does not count.
        self.total += vector.size if vector.size == self.document_size else 0
        vector -= rate * gradient

    def step_row(self, weights, gradient, kept, optimizer):
        kept += gradient * gradient
        weights -= optimizer.learning_rate * gradient / np.sqrt(kept)

    def step_rows(self, weights, kept, a, b, c, memory, optimizer):
        if c is not None:
            self._product(1, a, weights, 0, c)
        self.total += a.shape[0] * a.shape[1] * b.shape[1]
        self.step_row(weights, a.T @ b, kept, optimizer)

    def start_tasks(self, member):
        member.counters[:] = 0

    def next_task(self, member, kind):
        member.counters[kind, 0] += 1
        return member.counters[kind, 0] - 1

    def _descend_rows(self, matrix, before, new, rate, deltas, inputs):
        self.total += deltas.size * inputs.size
        matrix[:] = (before if new else matrix) - rate * np.outer(deltas, inputs)

    def _descend_columns(self, matrix, before, new, rate, document, deltas, low):
        columns = slice(low, low + deltas.size)
        old = (before if new else matrix)[:, columns]
        self.total += old.size
        matrix[:, columns] = old - rate * np.outer(document, deltas)


def put_into_the_kernels(counted):
    """Replace the kernels' functions in every module that has them by name."""
    names = {name for name in vars(Counted) if not name.startswith("__")} - {"_product"}
    found = set()
    for info in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}."):
        module = import_module(info.name)
        for name in names & vars(module).keys():
            setattr(module, name, getattr(counted, name))
            found.add(name)
    assert found == names, names - found


def run(case):
    """Return a case's log-probability: of training on all sentences once, or of scoring them."""
    settings, corpus = case.settings, corpus_of(CLASS_SIZES, split_of(SENTENCES))
    weights, split = weights_for(settings, corpus), corpus.splits["train"]
    numbers = np.arange(split.sentences)
    if case.mode == "train":
        ones = parameters.filled(sizes_for(settings, corpus), 1.0, settings.precision)
        return learn(registry.trainer(settings, corpus, weights, ones), numbers, 0.1)
    if case.mode == "score":
        scores = registry.scorer(settings, corpus)(weights, split, numbers, settings.document_rate)
    else:
        scorer = registry.online_scorer(settings, corpus, weights, case.online)
        scores = scorer.score(split, numbers)
    return float(scores.log_probabilities.sum())


def main():
    """Count the multiply-adds of all cases."""
    results = []
    for case in CASES:
        counted = Counted(case.document_size)
        put_into_the_kernels(counted)
        results.append({"log_probability": run(case), "multiply_adds": counted.total})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
