"""Tests of the cost of a word, against hand calculations and counts of the running kernels."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings
from online_rnnlm.model import cost
from online_rnnlm.model.parameters import GROUPS
from online_rnnlm.model.sizes import Sizes, sizes_for
from tests.unit.engines import counted_run

pytestmark = pytest.mark.slow  # kernels run as plain Python, to be counted

MODELS = [(0, "output"), (5, "output"), (5, "hidden"), (5, "both")]
CLASS_SIZES = (2, 4, 1, 6, 3)
SENTENCES = ([3, 9, 4, 9, 15, 6, 0], [7, 0], [12, 6, 11, 0], [0], [2, 14, 8, 10, 5, 0])
STEPS = 3
HIDDEN = 4


def test_multiply_adds_by_hand():
    # M = 100, 100 classes, 50 words in the target's class: 100² + 150 · 100.
    assert cost.multiply_adds_per_word(Sizes(10_000, 100, 100, 0), 50.0) == 25_000
    # D = 20: 2 · 150 · 20 for V d and its gradient, and 20 for the step.
    assert cost.multiply_adds_per_word(Sizes(10_000, 100, 100, 20), 50.0) == 31_020
    # A mean that is not whole: 98 classes, 50.5 words.
    assert cost.multiply_adds_per_word(Sizes(10_000, 100, 98, 0), 50.5) == 24_850
    # Into the hidden layer: 2 · 100 · 20 for V_h d and its gradient, 150 · 100 for the delta of h.
    hidden = cost.multiply_adds_per_word(Sizes(10_000, 100, 100, 20, "hidden"), 50.0)
    assert hidden == 25_000 + 15_000 + 4_000 + 20
    both = cost.multiply_adds_per_word(Sizes(10_000, 100, 100, 20, "both"), 50.0)
    assert both == hidden + 6_000


def test_what_a_word_touches_by_hand():
    sizes = Sizes(10_000, 100, 100, 20)
    everything = 5 * 100 + 100**2 + 150 * 120 + 20
    assert cost.touched_per_word(sizes, 50.0, GROUPS, True, 5) == everything
    assert cost.touched_per_word(sizes, 50.0, frozenset(), True, 5) == 20
    assert cost.touched_per_word(sizes, 50.0, {"output"}, False, 5) == 150 * 120
    hidden = sizes._replace(document_layer="hidden")
    assert cost.touched_per_word(hidden, 50.0, {"recurrent"}, False, 5) == 100 * 120


class Case(NamedTuple):
    mode: str
    document_size: int
    document_layer: str
    groups: tuple[str, ...] = ()
    learn_after: str = "word"
    cell: str = "sigmoid"
    context_size: int = 0
    document_gradient: str = "constant"

    def described(self):
        """Return the case in the format that `counted_run` reads."""
        settings = {
            "hidden_size": HIDDEN,
            "document_size": self.document_size,
            "document_layer": self.document_layer,
            "cell": self.cell,
            "context_size": self.context_size,
            "document_gradient": self.document_gradient,
            "document_rate": 0.3,
            "batch_sentences": 2,
        }
        return {
            "mode": self.mode,
            "settings": settings,
            "class_sizes": CLASS_SIZES,
            "sentences": SENTENCES,
            "groups": self.groups,
            "steps": STEPS,
            "learn_after": self.learn_after,
        }

    @property
    def sizes(self):
        return Sizes(
            sum(CLASS_SIZES),
            HIDDEN,
            len(CLASS_SIZES),
            self.document_size,
            self.document_layer,
            "slow_context" if self.context_size else self.cell,
            self.context_size,
        )

    def expected(self):
        """Return the formulas' count for all words, less the products that first words skip."""
        # W_h h_0; with context units the product is not skipped, as s_1 is not 0.
        rows = {"sigmoid": HIDDEN, "lstm": 4 * HIDDEN, "gru": 3 * HIDDEN}[self.cell]
        first_word = 0 if self.context_size else rows * HIDDEN * len(SENTENCES)
        if self.mode == "score":
            return sum(map(self._scored, candidates())) - first_word
        if self.mode == "train":
            through = self.document_gradient == "through"
            learnt = (
                cost.training_multiply_adds_per_word(self.sizes, size, goes_through=through)
                for size in candidates()
            )
            return sum(learnt) - 2 * first_word
        whole = self.learn_after == "sentence"
        reached = [min(STEPS, t + 1) for sentence in SENTENCES for t in range(len(sentence))]
        learnt = (
            cost.update_multiply_adds_per_word(
                self.sizes, size, self.groups, steps, after_sentence=whole
            )
            for size, steps in zip(candidates(), reached, strict=True)
        )
        less = 0
        if whole:  # no delta of h_0, and one step of d a sentence instead of one a word
            less += first_word if {"embeddings", "recurrent"} & {*self.groups} else 0
            less += self.document_size * (len(candidates()) - len(SENTENCES))
        return sum(map(self._scored, candidates())) + sum(learnt) - less

    def _scored(self, size):
        return cost.multiply_adds_per_word(self.sizes, size)


def scored_with(word):
    """Return the number of words scored for a target: its class's size, or 0 if it is alone."""
    size = int(np.repeat(CLASS_SIZES, CLASS_SIZES)[word])
    return size if size > 1 else 0


def candidates():
    """Return `scored_with` of every word of the text."""
    return [scored_with(word) for sentence in SENTENCES for word in sentence]


SUBSETS = [(), ("embeddings",), ("recurrent",), ("output",), tuple(GROUPS)]
CASES = [
    *(Case(mode, *model) for mode in ("score", "train") for model in MODELS),
    *(
        Case(mode, size, "output", cell=cell, context_size=context)
        for mode in ("score", "train")
        for size in (0, 5)
        for cell, context in (("lstm", 0), ("gru", 0), ("sigmoid", 3))
    ),
    Case("train", 5, "output", document_gradient="through"),
    *(Case("online", *model, groups) for model in MODELS for groups in SUBSETS),
    *(Case("online", *model, groups, "sentence") for model in MODELS for groups in SUBSETS[1:]),
]


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """The counted cost of each of `CASES`, from a separate process without compiled kernels."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(
        [sys.executable, Path(counted_run.__file__)],
        input=json.dumps([case.described() for case in CASES]),
        env=environment,
        cwd=tmp_path_factory.mktemp("counting"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return dict(zip(CASES, json.loads(result.stdout), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_the_formulas_give_what_is_counted_while_the_kernels_run(counts, case):
    assert counts[case]["multiply_adds"] == case.expected()


@pytest.mark.parametrize("mode", ["score", "train", "online"])
def test_what_is_counted_is_what_the_compiled_kernels_do(counts, mode):
    case = next(c for c in reversed(CASES) if c.mode == mode and c.document_layer == "both")
    assert counts[case]["log_probability"] == pytest.approx(
        counted_run.run(case.described()), rel=1e-12
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("groups", SUBSETS)
@pytest.mark.parametrize("word", [15, 6])
def test_what_a_word_touches_is_what_changes(small, model, groups, word):
    """Compare the weights after reading a sentence without and with its last word."""
    words = [3, 9, 4, 12, word]
    settings = RunSettings.model_validate(
        Case("online", *model).described()["settings"] | {"corpus": "small", "precision": "float64"}
    )
    learnt, vectors = [], []
    for count in (4, 5):
        corpus = small.corpus_of(CLASS_SIZES, small.split_of([words[:count]]))
        weights = small.weights_for(settings, corpus)
        rate = settings.document_rate if model[0] else 0.0
        online = OnlineSettings(frozenset(groups), 0.05, rate, STEPS)
        scorer = registry.online_scorer(settings, corpus, weights, online)
        vectors.append(scorer.score(corpus.splits["train"], np.arange(1)).document_vectors)
        learnt.append(scorer.weights)
    changed = sum(int((a != b).sum()) for a, b in zip(*learnt, strict=True))
    changed += int((vectors[0] != vectors[1]).sum())
    sizes = sizes_for(settings, corpus)
    assert changed == cost.touched_per_word(sizes, scored_with(word), groups, True, STEPS)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("groups", SUBSETS)
def test_what_a_sentence_touches_is_what_changes(small, model, groups):
    """The second sentence repeats words and classes, has a word alone in its class, and d ≠ 0."""
    settings = RunSettings.model_validate(
        Case("online", *model).described()["settings"] | {"corpus": "small", "precision": "float64"}
    )
    first, second = [5, 8, 12], [3, 9, 4, 3, 15, 6, 9]
    rate = settings.document_rate if model[0] else 0.0
    online = OnlineSettings(frozenset(groups), 0.05, rate, STEPS, "sentence", "stream")
    corpus = small.corpus_of(CLASS_SIZES, small.split_of([first, second]))
    weights = small.weights_for(settings, corpus)
    scorer = registry.online_scorer(settings, corpus, weights, online)
    learnt, vectors = [], []
    for sentences in (1, 2):
        scores = scorer.score(corpus.splits["train"], np.arange(sentences))
        vectors.append(scores.document_vectors[-1])
        learnt.append(scorer.weights)
    changed = sum(int((a != b).sum()) for a, b in zip(*learnt, strict=True))
    changed += int((vectors[0] != vectors[1]).sum())
    split = small.split_of([second])
    touched = cost.touched_after_sentences(
        sizes_for(settings, corpus), corpus, split, groups, bool(rate)
    )
    assert changed == pytest.approx(split.offsets[-1] * touched)
