"""Tests of dynamic evaluation: the kernel against its equation, by the plain graph's gradients."""

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.kernels.dynamic import DynamicScorer
from online_rnnlm.core.lanes import Batches, segments_of, side_by_side
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Corpus
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


class _Equation:
    """Dynamic evaluation of a text by its equation, with gradients of the plain graph."""

    def __init__(self, settings: RunSettings, corpus: Corpus) -> None:
        self._trained = weights_for(settings, corpus)
        split = corpus.splits["train"]
        units = segments_of(split, settings).units
        order = side_by_side(units, np.arange(len(units) - 1), 1)
        self._batches = [order.part(n, n + 1) for n in range(len(order.segments))]
        self._trainer = load_engine(settings).Trainer(
            settings, corpus, self._trained, self._trained
        )
        squares = [self._learn(self._trained, batch)[1] for batch in self._batches]
        sums = (sum(one**2 for one in of_weight) for of_weight in zip(*squares, strict=True))
        self._rms = [np.sqrt(total / len(squares)) for total in sums]

    def _learn(self, weights: Parameters, batch: Batches) -> tuple[float, Parameters]:
        """log P of a batch, and its gradients: what a plain step of rate 1 takes away."""
        self._trainer.restore(weights, weights)
        total = self._trainer.update(batch, 1.0)
        changed = zip(weights, self._trainer.weights, strict=True)
        return total, Parameters(*(before - after for before, after in changed))

    def score(self, learning_rate: float, decay: float, epsilon: float) -> list[float]:
        """log P of every segment."""
        mean = sum(array.sum() for array in self._rms) / sum(array.size for array in self._rms)
        weights = self._trained
        found = []
        for batch in self._batches:
            total, gradients = self._learn(weights, batch)
            found.append(total)
            changed = []
            for w, w0, g, m in zip(weights, self._trained, gradients, self._rms, strict=True):
                kept = 1 - np.minimum(decay * m / mean, 1)
                step = learning_rate * g / (m + epsilon * mean)
                changed.append(w0 + kept * (w - w0) - step)
            weights = Parameters(*changed)
        return found


@pytest.mark.parametrize("changes", [VECTOR, {"cell": "lstm"}, {"cell": "slow_context"}], ids=str)
def test_every_segment_is_predicted_by_the_weights_of_the_equation(changes):
    """Every call begins with the trained weights, which stay."""
    settings = _settings(**DOCUMENTS, **changes, segment_tokens=TOKENS)
    corpus = _corpus()
    split = corpus.splits["valid"]
    begins = segments_of(split, settings).offsets[:-1]
    equation = _Equation(settings, corpus)
    weights = weights_for(settings, corpus)
    scorer = DynamicScorer(settings, corpus, weights)
    for decay in (0.0, 0.02, 5.0):
        rates = {"learning_rate": 0.05, "decay": decay, "epsilon": 0.3}
        found = np.add.reduceat(scorer.score(split, **rates, tokens=TOKENS), begins)
        np.testing.assert_allclose(found, equation.score(**rates), rtol=1e-9)
    small.assert_same(weights, weights_for(settings, corpus))


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
    weights = weights_for(settings, corpus)
    split = corpus.splits["valid"]
    dynamics = {"learning_rate": 0.0, "decay": 0.1, "epsilon": 0.3, "tokens": tokens}
    found = DynamicScorer(settings, corpus, weights).score(split, **dynamics)
    scorer = load_engine(settings).Scorer(settings, corpus)
    sentences = np.arange(split.sentences)
    plain = scorer(weights, split, sentences, document_rate=settings.document_rate)
    np.testing.assert_allclose(found, plain.log_probabilities, rtol=1e-12)


def test_in_single_precision_rows_decay_as_in_double() -> None:
    """Rows that are seldom needed decay for many segments at once."""
    found = {}
    for precision in ("float32", "float64"):
        settings = _settings(**SENTENCES, engine="kernel", precision=precision)
        chance = np.random.default_rng(1)
        train = random_split(chance, 500, [20] * 60)
        corpus = corpus_of((250, 250), train)
        weights = weights_for(settings, corpus)
        dynamics = {"learning_rate": 0.05, "decay": 0.003, "epsilon": 0.3, "tokens": 3}
        found[precision] = DynamicScorer(settings, corpus, weights).score(train, **dynamics)
    np.testing.assert_allclose(found["float32"], found["float64"], rtol=2e-4)
