"""Tests of the cost of a word, against hand calculations and counts of the running kernels."""

import json
import os
import sys

import numpy as np
import pytest

from online_rnnlm.core.sizes import Sizes
from online_rnnlm.jobs import cost
from online_rnnlm.use.network import split_of
from tests.processes import output_of
from tests.project import ROOT
from tests.unit import small_models as small
from tests.unit.core.engines import counted_run
from tests.unit.core.engines.counted_run import (
    CASES,
    CELLS,
    CLASS_SIZES,
    HIDDEN,
    SENTENCES,
    SIZES,
    STEPS,
    SUBSETS,
    Case,
)

pytestmark = pytest.mark.slow  # kernels run as plain Python, to be counted


def scored_with(word):
    """Return the number of words scored for a target: its class's size, or 0 if it is alone."""
    size = int(np.repeat(CLASS_SIZES, CLASS_SIZES)[word])
    return size if size > 1 else 0


CANDIDATES = [scored_with(word) for sentence in SENTENCES for word in sentence]
"""`scored_with` of every word of the text."""


def expected(case):
    """Return the formulas' count for all words, less the products that are not needed."""
    sizes = Sizes.of(case.settings.network, sum(CLASS_SIZES), len(CLASS_SIZES))
    inputs = {"sigmoid": 1, "lstm": 4}[case.cell]
    first_words = inputs * HIDDEN**2 * len(SENTENCES)  # W_hᵀ δ: no loss goes back to h_0
    by_error = case.step == "error"
    scored = sum(cost.multiply_adds_per_word(sizes, one, by_error=by_error) for one in CANDIDATES)
    if case.mode == "train":
        learnt = (
            cost.training_multiply_adds_per_word(sizes, one, by_error=by_error)
            for one in CANDIDATES
        )
        return sum(learnt) - first_words
    after_sentence = case.learn_after == "sentence"
    if after_sentence:
        steps = len(SENTENCES)
    else:
        steps = len(CANDIDATES) // (1 if case.learn_after == "word" else case.learn_after)
    scored -= case.document_size * (len(CANDIDATES) - steps)  # d takes fewer steps
    if not case.groups:
        return scored
    reached = [min(STEPS, t + 1) for sentence in SENTENCES for t in range(len(sentence))]
    learnt = sum(
        cost.update_multiply_adds_per_word(
            sizes, size, case.groups, states, after_sentence=after_sentence
        )
        for size, states in zip(CANDIDATES, reached, strict=True)
    )
    goes_back = {"embeddings", "recurrent"} & {*case.groups}
    return scored + learnt - (first_words if after_sentence and goes_back else 0)


@pytest.fixture(scope="module")
def counts():
    """The counted cost of each of `CASES`, from a separate process without compiled kernels."""
    command = [sys.executable, "-m", counted_run.__name__]
    done = output_of(command, cwd=ROOT, env=os.environ | {"NUMBA_DISABLE_JIT": "1"})
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_formulas_give_what_is_counted_while_the_kernels_run(counts, case):
    assert counts[case]["multiply_adds"] == expected(case)


@pytest.mark.parametrize("mode", ["score", "train", "online"])
def test_the_counted_kernels_compute_what_the_compiled_ones_do(counts, mode):
    case = next(c for c in reversed(CASES) if c.mode == mode and c.document_size)
    assert counts[case]["log_probability"] == pytest.approx(counted_run.run(case), rel=1e-12)


def changed_by(cell, size, groups, learn_after, texts):
    """Count the parameters, and elements of d, that differ after reading either of two texts."""
    learnt = []
    case = Case("online", size, groups, learn_after, cell)
    for text in texts:
        corpus = small.corpus_of(CLASS_SIZES, split_of(text))
        weights = small.weights_for(case.settings, corpus)
        split = corpus.splits["train"]
        scores = small.scored(case.settings, corpus, weights, split, case.online)
        vectors = scores.document_vectors if scores.document_vectors.size else np.zeros((1, size))
        learnt.append([*scores.weights, vectors[-1]])
    changed = sum(int((a != b).sum()) for a, b in zip(*learnt, strict=True))
    return changed, Sizes.of(case.settings.network, sum(CLASS_SIZES), len(CLASS_SIZES)), corpus


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("document", SIZES)
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


def test_the_cost_of_slow_context_units_by_hand():
    # M = 10, C = 3, D = 4, V = 50, 6 classes, 5 words in the target's class.
    sizes = Sizes(50, 10, 6, 4, "slow_context", context=3)
    scores = (6 + 5) * (10 + 3 + 4)
    assert cost.multiply_adds_per_word(sizes, 5.0) == 10 * 13 + scores + (6 + 5) * 4 + 4
