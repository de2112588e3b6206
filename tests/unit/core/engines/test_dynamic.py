"""Tests of dynamic evaluation: the kernel against its equation, by the plain graph's gradients."""

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines.kernel_online import (
    DynamicEvaluation,
    root_mean_squares,
    score_dynamically,
)
from online_rnnlm.core.order import Order, segments_of
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.rivals.dynamic_evaluation import cut
from tests.unit import small_models as small
from tests.unit.small_models import corpus_of, random_split, weights_for

pytestmark = [
    pytest.mark.slow,  # PyTensor compiles the plain graph for each case
    pytest.mark.usefixtures("quick_graph"),
]

CLASS_SIZES = (1, 4, 2, 1, 3)
LENGTHS = (6, 3, 1, 4, 7, 2)
ARTICLES = np.array([0, 0, 1, 2, 2, 2], dtype=np.int32)
TOKENS = 3


def _settings(**changes: object) -> RunSettings:
    values = {"engine": "graph", "batch_sentences": 1, "optimizer": "sgd", "error_clip": 0.0}
    return small.settings(**values | changes)


SENTENCES = {"unit_of_text": "sentence"}
DOCUMENTS = {"unit_of_text": "document"}
STREAM = {"unit_of_text": "stream"}
VECTOR = {"document_size": 2}


def _corpus() -> Corpus:
    """A corpus whose splits all are one text."""
    split = random_split(np.random.default_rng(4), sum(CLASS_SIZES), LENGTHS)
    return corpus_of(CLASS_SIZES, Split(split.stream, split.offsets, ARTICLES))


def _scored(
    settings: RunSettings, corpus: Corpus, split: Split, dynamics: DynamicEvaluation, tokens: int
) -> Floats:
    """log P of every token by the kernel."""
    network = settings.network
    offsets = corpus.class_offsets
    weights = weights_for(settings, corpus)
    train = corpus.splits["train"]
    rms = root_mean_squares(network, settings.rule, offsets, weights, train)
    segments, order = cut(split, network, tokens)
    found = score_dynamically(network, offsets, weights, rms, segments, order, dynamics)
    small.assert_same(weights, weights_for(settings, corpus))
    return found.log_probabilities


class _Equation:
    """Dynamic evaluation of a text by its equation, with gradients of the plain graph."""

    def __init__(self, settings: RunSettings, corpus: Corpus) -> None:
        self._trained = weights_for(settings, corpus)
        self._trainer = small.Trainer(settings, corpus, self._trained, self._trained)
        order = self._trainer.order(range(len(self._trainer.segments.units) - 1))
        self._batches = [order.part(n, n + 1) for n in range(len(order.segments))]
        squares = [self._learn(self._trained, batch)[1] for batch in self._batches]
        sums = (sum(one**2 for one in of_weight) for of_weight in zip(*squares, strict=True))
        self._rms = [np.sqrt(total / len(squares)) for total in sums]

    def _learn(self, weights: Parameters, batch: Order) -> tuple[float, Parameters]:
        """log P of a batch, and its gradients: what a plain step of rate 1 takes away."""
        trainer = self._trainer
        trainer.state = trainer.state._replace(weights=weights, accumulators=weights)
        total = trainer.learn(batch, 1.0)
        changed = zip(weights, trainer.weights, strict=True)
        return total, Parameters(*(before - after for before, after in changed))

    def score(self, dynamics: DynamicEvaluation) -> list[float]:
        """log P of every segment."""
        mean = sum(array.sum() for array in self._rms) / sum(array.size for array in self._rms)
        weights = self._trained
        found = []
        for batch in self._batches:
            total, gradients = self._learn(weights, batch)
            found.append(total)
            changed = []
            for w, w0, g, m in zip(weights, self._trained, gradients, self._rms, strict=True):
                kept = 1 - np.minimum(dynamics.decay * m / mean, 1)
                step = dynamics.learning_rate * g / (m + dynamics.epsilon * mean)
                changed.append(w0 + kept * (w - w0) - step)
            weights = Parameters(*changed)
        return found


@pytest.mark.parametrize("changes", [VECTOR, {"cell": "lstm"}, {"cell": "slow_context"}], ids=str)
def test_every_segment_is_predicted_by_the_weights_of_the_equation(changes):
    settings = _settings(**DOCUMENTS, **changes, segment_tokens=TOKENS)
    corpus = _corpus()
    split = corpus.splits["valid"]
    begins = segments_of(split, settings.network, settings.rule).split.offsets[:-1]
    equation = _Equation(settings, corpus)
    for decay in (0.0, 0.02, 5.0):
        dynamics = DynamicEvaluation(0.05, decay, 0.3)
        found = np.add.reduceat(_scored(settings, corpus, split, dynamics, TOKENS), begins)
        np.testing.assert_allclose(found, equation.score(dynamics), rtol=1e-9)


@pytest.mark.parametrize(
    "changes",
    [
        SENTENCES | VECTOR,
        DOCUMENTS | VECTOR,
        STREAM | VECTOR | {"batch_sentences": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("tokens", [1, 5, 100])
def test_with_a_rate_of_0_a_text_is_scored_as_in_training(changes, tokens):
    settings = _settings(**changes, engine="kernel")
    corpus = _corpus()
    split = corpus.splits["valid"]
    found = _scored(settings, corpus, split, DynamicEvaluation(0.0, 0.1, 0.3), tokens)
    vector = Adaptation((DOCUMENT_VECTOR,))
    plain = small.scored(settings, corpus, weights_for(settings, corpus), split, vector)
    np.testing.assert_allclose(found, plain.log_probabilities, rtol=1e-12)


def test_in_single_precision_rows_decay_as_in_double() -> None:
    """Rows that are seldom needed decay for many segments at once."""
    found = {}
    for precision in ("float32", "float64"):
        settings = _settings(**SENTENCES, engine="kernel", precision=precision)
        chance = np.random.default_rng(1)
        train = random_split(chance, 500, [20] * 60)
        corpus = corpus_of((250, 250), train)
        dynamics = DynamicEvaluation(0.05, 0.003, 0.3)
        found[precision] = _scored(settings, corpus, train, dynamics, 3)
    np.testing.assert_allclose(found["float32"], found["float64"], rtol=2e-4)
