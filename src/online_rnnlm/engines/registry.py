"""The engines by name: what trains on and scores a corpus's sentences.

An engine is the module `<name>_engine` of this package, imported when a run asks for it. It has
classes `Trainer`, `Scorer` and, if `config/engines.py` says so, `OnlineScorer`: they are called as
the functions below are.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.base import OnlineScorer, OnlineSettings, Scorer, Trainer
from online_rnnlm.engines.devices import require
from online_rnnlm.engines.names import engine_module, online_engine
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.storage.syntax import PACKAGE


def trainer(
    settings: RunSettings, corpus: Corpus, weights: Parameters, accumulators: Parameters
) -> Trainer:
    """A trainer by the settings' engine, starting from copies of weights and accumulators.

    Raises UserError if the engine or the device that it is to run on is not there.
    """
    make: Callable[..., Trainer] = _engine(settings, settings.engine).Trainer
    return make(settings, corpus, weights, accumulators)


def scorer(settings: RunSettings, corpus: Corpus, hidden_states: bool = False) -> Scorer:
    """A scorer by the settings' engine; its scores have hidden states if they are asked for.

    Raises UserError if the engine or the device that it is to run on is not there.
    """
    make: Callable[..., Scorer] = _engine(settings, settings.engine).Scorer
    return make(settings, corpus, hidden_states=hidden_states)


def online_scorer(
    settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
) -> OnlineScorer:
    """A scorer by `online_engine` that starts from copies of the weights.

    Raises UserError if the engine or the device that it is to run on is not there.
    """
    make: Callable[..., OnlineScorer] = _engine(settings, online_engine(settings)).OnlineScorer
    return make(settings, corpus, weights, online)


def _engine(settings: RunSettings, engine: str) -> Any:
    """The engine's module, loaded after the run's device has been required."""
    require(settings)
    return import_module(f"{PACKAGE}.{engine_module(engine)}")
