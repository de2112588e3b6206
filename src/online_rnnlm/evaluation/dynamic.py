"""Testing while all weights of a network learn and decay, as a rival asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from online_rnnlm.corpora.corpus import Split
from online_rnnlm.evaluation.outcome import HELD_OUT, Floats, Network, Outcome
from online_rnnlm.model.cost import (
    multiply_adds_per_word,
    touched_after_sentences,
    update_multiply_adds_per_word,
)
from online_rnnlm.model.parameters import GROUPS
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.rivals.base import LearningRival
from online_rnnlm.storage.records import Costs


@dataclass(frozen=True)
class _Text:
    """A split that a network learns from; a `rivals.base.LearningText`."""

    scorer: Any
    split: Split

    def learnt(self, **dynamics: Any) -> Floats:
        """Natural log P of every token."""
        from online_rnnlm.engines.dynamic_scorer import Dynamics  # noqa: PLC0415

        found: Floats = self.scorer.score(self.split, Dynamics(**dynamics))
        return found


def learning_with(network: Network, rival: LearningRival) -> Outcome:
    """Score with weights that learn, by the settings that are best on `valid`."""
    from online_rnnlm.engines.dynamic_scorer import DynamicScorer  # noqa: PLC0415

    scorer = DynamicScorer(network.settings, network.corpus, network.weights)
    texts = {name: _Text(scorer, network.corpus.splits[name]) for name in HELD_OUT}
    rival.fit(texts["valid"])
    found, seconds = {}, {}
    for name, text in texts.items():
        began = time.perf_counter()
        found[name] = rival.score(text)
        seconds[name] = time.perf_counter() - began
    costs = _costs(network, rival)
    return Outcome(found, seconds, costs, chosen=rival.chosen, curve=rival.curve)


def _costs(network: Network, rival: LearningRival) -> Costs:
    """Compute the costs of a word: prediction, gradients, and the steps of all that changes.

    A row that decays later, when it is needed, counts as one that decays at once.
    """
    from online_rnnlm.engines.dynamic_scorer import segments_for  # noqa: PLC0415

    sizes = sizes_for(network.settings, network.corpus)
    mean, split = network.corpus.mean_class_size("test"), network.corpus.splits["test"]
    offsets, _ = segments_for(split, network.settings, rival.chosen["tokens"])
    segments = Split(split.stream, offsets, np.zeros(0, np.int32))
    learns = sizes.document > 0
    touched = touched_after_sentences(sizes, network.corpus, segments, frozenset(GROUPS), learns)
    gradients = update_multiply_adds_per_word(sizes, mean, GROUPS, 1, after_sentence=True)
    adds = multiply_adds_per_word(sizes, mean) + gradients
    return Costs(
        parameters_touched_per_word=touched,
        multiply_adds_per_word=adds + rival.multiply_adds_per_step * touched,
    )
