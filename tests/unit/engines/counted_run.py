"""Runs the kernels as plain Python, `NUMBA_DISABLE_JIT=1`, and counts their multiply-adds.

Reads a JSON list of cases from standard input and writes, for each, the multiply-adds of the run
and the log-probability of the text, as JSON. `test_model_cost` starts it and checks the counts.
"""

import json
import pkgutil
import sys
from importlib import import_module

import numpy as np

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines import kernels, registry
from online_rnnlm.engines.base import OnlineSettings
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for


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

    def multiply_tn(self, alpha, a, b, beta, c):
        self._product(alpha, a.T, b, beta, c)

    def feed(self, document, matrix, low, inputs):
        part = matrix[:, low : low + inputs.size]
        self.total += part.size
        inputs += document[: len(part)] @ part

    def add_document_gradient(self, matrix, low, deltas, document_gradient):
        part = matrix[:, low : low + deltas.size]
        self.total += part.size
        document_gradient[: len(part)] += part @ deltas

    def descend(self, vector, rate, gradient):
        # A step of d counts; a step of an embedding is the optimizer's and does not count.
        self.total += vector.size if vector.size == self.document_size else 0
        vector -= rate * gradient

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
        matrix[:, columns] = old - rate * np.outer(document[: len(old)], deltas)


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


def log_probability(case, settings, corpus, weights):
    """Run one case: train on all sentences once, score them, or score them while weights learn."""
    numbers = np.arange(corpus.splits["train"].sentences)
    if case["mode"] == "train":
        ones = parameters.filled(sizes_for(settings, corpus), 1.0, settings.precision)
        trainer = registry.trainer(settings, corpus, weights, ones)
        return trainer.update(one_by_one(numbers, len(trainer.carried.documents)), 0.1)
    if case["mode"] == "score":
        score = registry.scorer(settings, corpus)
        scores = score(weights, corpus.splits["train"], numbers, settings.document_rate)
    else:
        scorer = registry.online_scorer(settings, corpus, weights, online_settings(case, settings))
        scores = scorer.score(corpus.splits["train"], numbers)
    return float(scores.log_probabilities.sum())


def online_settings(case, settings):
    """Return the settings of the weights that learn in a case."""
    rate = settings.document_rate if settings.document_size else 0.0
    return OnlineSettings(
        frozenset(case["groups"]), 0.05, rate, case["steps"], case["learn_after"], "stream"
    )


def corpus_of(case):
    """Return the case's corpus, from its classes' sizes and its sentences of word ids."""
    offsets = np.concatenate([[0], np.cumsum(case["class_sizes"])]).astype(np.int64)
    lengths = [len(sentence) for sentence in case["sentences"]]
    stream = np.concatenate([[0], *case["sentences"]]).astype(np.int32)
    split = Split(stream, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    words = [str(number) for number in range(offsets[-1])]
    return Corpus(words, np.ones(len(words), np.int64), offsets, 1, {"train": split}, "")


def run(case, counted=None):
    """Return the case's log-probability; `counted`, if given, replaces the kernels' functions."""
    settings = RunSettings.model_validate(
        {"corpus": "small", "precision": "float64", "seed": 3, **case["settings"]}
    )
    corpus = corpus_of(case)
    sizes = sizes_for(settings, corpus)
    weights = parameters.initialise(sizes, 0.7, settings.seed, settings.precision)
    if counted is not None:
        put_into_the_kernels(counted)
    return log_probability(case, settings, corpus, weights)


def main():
    """Count the multiply-adds of all cases."""
    results = []
    for case in json.load(sys.stdin):
        counted = Counted(case["settings"]["document_size"])
        reached = run(case, counted)
        results.append({"multiply_adds": counted.total, "log_probability": reached})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
