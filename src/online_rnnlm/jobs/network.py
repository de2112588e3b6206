"""A trained network that is tested."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from online_rnnlm.config.engines import engine_for
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.scoring import NetworkScorer
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.process.devices import require
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord


@dataclass(frozen=True)
class Network:
    """A trained network, and the corpus that it is tested on."""

    experiment: ExperimentDirectory
    """The folder with the network's run and its other evaluations."""
    run: RunRecord
    corpus: Corpus
    weights: Parameters

    @property
    def settings(self) -> RunSettings:
        """The settings that it was trained with."""
        return self.run.settings

    def score(
        self, way: Way, texts: Iterable[str], *, hidden_states: bool = False
    ) -> tuple[dict[str, Scores], dict[str, float]]:
        """Score splits of the corpus in a way; return each one's scores, and the seconds it took.

        The rates of what learns must be known.
        """
        settings = engine_for(self.settings, way)
        require(settings)
        scorer = NetworkScorer(
            settings, self.corpus, self.weights, way, hidden_states=hidden_states
        )
        scores, seconds = {}, {}
        for name in texts:
            split = self.corpus.splits[name]
            scorer.score(split, np.arange(0))  # loads the compiled code, so that it is not timed
            began = time.perf_counter()
            scores[name] = scorer.score(split)
            seconds[name] = time.perf_counter() - began
        return scores, seconds
