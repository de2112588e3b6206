"""Tests of the cost of a word, against hand calculations and what changes while kernels run."""

import numpy as np
import pytest

from online_rnnlm.core.adaptation import WEIGHTS
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.jobs import cost
from online_rnnlm.use.network import split_of
from tests.unit import small_models as small

CLASS_SIZES = (2, 4, 1, 6, 3)
STEPS = 3
HIDDEN = 4
SUBSETS = [(), ("embeddings",), ("recurrent",), ("output",), tuple(WEIGHTS)]
# M = 10, D = 4, V = 50, 6 classes, 5 words in the target's class.
SIGMOID = Sizes(50, 10, 6, 4, "sigmoid")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (SIGMOID, 10 * 10 + (6 + 5) * (10 + 4) + (6 + 5) * 4 + 4),
        (SIGMOID.without_document(), 10 * 10 + (6 + 5) * 10),
        (Sizes(50, 10, 6, 4, "lstm"), 40 * 10 + (6 + 5) * (10 + 4) + (6 + 5) * 4 + 4),
        # C = 3: the hidden units read s, and the output layer sees it.
        (
            Sizes(50, 10, 6, 4, "slow_context", context=3),
            10 * 13 + (6 + 5) * (13 + 4) + (6 + 5) * 4 + 4,
        ),
    ],
)
def test_the_cost_of_a_prediction_by_hand(sizes, expected):
    assert cost.multiply_adds_per_word(sizes, 5.0) == expected


def test_the_cost_of_training_by_hand():
    products = 10 * 10 + (6 + 5) * (10 + 4)
    of_vector = (6 + 5) * 4
    found = cost.training_multiply_adds_per_word
    assert found(SIGMOID, 5.0) == 3 * products + 4
    assert found(SIGMOID, 5.0, by_error=False) == 3 * products - of_vector + 4
    assert found(SIGMOID, 5.0, goes_through=True) == 3 * products + 3 * of_vector + 4


@pytest.mark.parametrize(
    ("groups", "after_word", "after_sentence"),
    [
        ((), 0, 0),
        # Two states are computed again, and the loss goes back through W_h twice.
        (("embeddings",), 4 * 100 + 11 * 10, 100 + 11 * 10),
        (("recurrent",), (4 + 3) * 100 + 11 * 10, 2 * 100 + 11 * 10),
        (("output",), 11 * 14, 11 * 14),
        (WEIGHTS, (4 + 3) * 100 + 11 * 10 + 11 * 14, 2 * 100 + 11 * 10 + 11 * 14),
    ],
)
def test_the_cost_of_updates_by_hand(groups, after_word, after_sentence):
    found = cost.update_multiply_adds_per_word
    assert found(SIGMOID, 5.0, groups, 3) == after_word
    assert found(SIGMOID, 5.0, groups, 3, after_sentence=True) == after_sentence


def scored_with(word):
    """Return the number of words scored for a target: its class's size, or 0 if it is alone."""
    size = int(np.repeat(CLASS_SIZES, CLASS_SIZES)[word])
    return size if size > 1 else 0


def changed_by(cell, size, groups, learn_after, texts):
    """Count the parameters, and elements of d, that differ after reading either of two texts."""
    learnt = []
    settings = small.settings(document_size=size, cell=cell, hidden_size=HIDDEN, seed=3)
    rate = settings.document_rate if size else 0.0
    adaptation = small.adaptation_of(groups, 0.05, rate, STEPS, learn_after, "stream")
    for text in texts:
        corpus = small.corpus_of(CLASS_SIZES, split_of(text))
        weights = small.weights_for(settings, corpus)
        split = corpus.splits["train"]
        scores = small.scored(settings, corpus, weights, split, adaptation)
        vectors = scores.document_vectors if scores.document_vectors.size else np.zeros((1, size))
        learnt.append([*scores.weights, vectors[-1]])
    changed = sum(int((a != b).sum()) for a, b in zip(*learnt, strict=True))
    return changed, Sizes.of(settings.network, sum(CLASS_SIZES), len(CLASS_SIZES)), corpus


@pytest.mark.slow  # kernels are loaded
@pytest.mark.parametrize("cell", ["lstm", "sigmoid"])
@pytest.mark.parametrize("document", [0, 5])
@pytest.mark.parametrize("groups", SUBSETS)
def test_the_parameters_touched_are_those_that_change(cell, document, groups):
    """Compare what has learnt without and with the last word, or the last sentence."""
    for word in (15, 6):
        words = [3, 9, 4, 12, word]
        texts = [words[:4]], [words]
        changed, sizes, _ = changed_by(cell, document, groups, "word", texts)
        size = scored_with(word)
        assert changed == cost.touched_per_word(sizes, size, groups, True, STEPS)
    # The second sentence repeats words and classes, has a word alone in its class, and d ≠ 0.
    first = [5, 8, 12]
    second = [3, 9, 4, 3, 15, 6, 9]
    texts = [first], [first, second]
    changed, sizes, corpus = changed_by(cell, document, groups, "sentence", texts)
    split = split_of([second])
    touched = cost.touched_after_sentences(sizes, corpus, split, groups, document > 0)
    # The memory before a first word is 0, so its forget gates have no gradient.
    forget = HIDDEN if cell == "lstm" and "embeddings" in groups else 0
    assert changed == pytest.approx(split.offsets[-1] * touched - forget)
