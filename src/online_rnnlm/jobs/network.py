"""A trained network that is tested, and what its test finds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import engine_for
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.scoring import score_text
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.process.devices import require
from online_rnnlm.process.kernels import provide_kernels
from online_rnnlm.storage.evaluations import Costs, Mixture, Trial
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Number
from online_rnnlm.storage.runs import RunRecord

Given = TypeVar("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Network:
    """A trained network, and the corpus that it is tested on."""

    experiment: ExperimentDirectory
    """The folder with the network's run and its other evaluations."""
    run: RunRecord
    corpus: Corpus
    weights: Parameters
    testing: TestingSettings

    @property
    def settings(self) -> RunSettings:
        """The settings that it was trained with."""
        return self.run.settings

    def scorer(
        self, adaptation: Adaptation, *, hidden_states: bool = False
    ) -> Callable[[Split], Scores]:
        """Return the function that scores a text; the rates of what is updated must be known.

        Raises UserError if the engine of the adaptation cannot be used here.
        """
        settings = engine_for(self.settings, adaptation)
        require(settings)
        provide_kernels(settings)
        network = settings.network
        engine = load_engine(settings.engine, network, settings.rule, self.corpus.class_offsets)
        return partial(score_text, engine, self.weights, adaptation, hidden_states=hidden_states)

    def score(
        self, adaptation: Adaptation, texts: Iterable[str], *, hidden_states: bool = False
    ) -> tuple[dict[str, Scores], dict[str, float]]:
        """Score splits of the corpus; return the scores and the seconds of each."""
        score = self.scorer(adaptation, hidden_states=hidden_states)
        splits = {name: self.corpus.splits[name] for name in texts}
        for split in splits.values():
            score(split.first(0))  # loads the compiled code, so that it is not timed
        return timed(score, splits)


@dataclass(frozen=True)
class Tested:
    """The findings of a test, by the name of the text, and what was chosen on `valid` for it."""

    log_probabilities: Mapping[str, Floats]
    """(tokens,): natural log P of every token in order."""
    seconds: Mapping[str, float]
    """Duration of the scoring."""
    costs: Costs
    """Mean costs of a token of `test`."""
    chosen: Mapping[str, Number] = field(default_factory=dict)
    """The settings that are best on `valid`, by name, or the weights of a mixture's parts."""
    curve: Sequence[Trial] = ()
    """All settings that were tried on `valid`."""
    mixtures: Sequence[Mixture] = ()
    """Only of the rival `mixture`: the network with each other part, and all parts without each."""
    parameters: int | None = None
    """Number of an n-gram model's parameters; None for a run."""
    vectors: Mapping[str, NDArray[np.floating[Any]]] = field(default_factory=dict)
    """(sentences, D): d after every sentence's last word, if it is updated as in training."""
    advice: str = ""
    """The end of the reason if the network diverges on a text: what can be tried."""


class Failed(Exception):
    """The error that a test has no scores.

    `reason` is a line that names what failed and what can be tried; `curve` are all settings that
    were tried on `valid`.
    """

    def __init__(self, reason: str, curve: Sequence[Trial] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.curve = curve


def load_rival(name: str) -> ModuleType:
    """Load the module of a rival, which so is in no other evaluation's fingerprint."""
    return import_module(f"online_rnnlm.rivals.{name}")


def at_rates(adaptation: Adaptation, rates: Mapping[str, Number]) -> Adaptation:
    """Return an adaptation with the rates of a trial, which have the names of their settings."""
    weights = rates.get("learning_rate")
    vector = rates.get("document_rate")
    return replace(
        adaptation,
        weight_rate=None if weights is None else float(weights),
        vector_rate=None if vector is None else float(vector),
    )


def best_trial(curve: Iterable[Trial]) -> Trial:
    """Return the trial that is best on `valid`; of equal ones, the first."""
    return min(curve, key=lambda trial: trial.valid_perplexity or math.inf)


def timed(
    score: Callable[[Given], Result], texts: Mapping[str, Given]
) -> tuple[dict[str, Result], dict[str, float]]:
    """Score each text; return the scores and the seconds that each took."""
    scores = {}
    seconds = {}
    for name, text in texts.items():
        began = time.perf_counter()
        scores[name] = score(text)
        seconds[name] = time.perf_counter() - began
    return scores, seconds
