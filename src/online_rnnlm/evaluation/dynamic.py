"""Testing while all weights of a network learn and decay, as a rival asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from online_rnnlm.corpora.corpus import Split
from online_rnnlm.engines.dynamic_scorer import Dynamics, DynamicScorer, segments_for
from online_rnnlm.evaluation.costs import costs_after_stretches
from online_rnnlm.evaluation.outcome import Floats, Network, Outcome
from online_rnnlm.rivals.base import LearningRival
from online_rnnlm.storage.paths import HELD_OUT
from online_rnnlm.storage.records import Costs


@dataclass(frozen=True)
class _Text:
    """A split that a network learns from; a `rivals.base.LearningText`."""

    scorer: DynamicScorer
    split: Split

    def learnt(self, **dynamics: Any) -> Floats:
        """Natural log P of every token."""
        return self.scorer.score(self.split, Dynamics(**dynamics))


def learning_with(network: Network, rival: LearningRival) -> Outcome:
    """Score with weights that learn, by the settings that are best on `valid`."""
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
    split = network.corpus.splits["test"]
    offsets, _ = segments_for(split, network.settings, rival.chosen["tokens"])
    stretches = Split(split.stream, offsets)
    return costs_after_stretches(network, stretches, per_step=rival.multiply_adds_per_step)
