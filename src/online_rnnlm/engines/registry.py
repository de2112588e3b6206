"""The engines by name: they train on a corpus's sentences and score them.

An engine is the module `<name>_engine` of this package, imported when a run asks for it. It has
classes `Trainer`, `Scorer` and, if `config/engines.py` says so, `OnlineScorer`, which take the same
arguments as the functions below.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.training import Reading, RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.base import OnlineScorer, OnlineSettings, Scorer, Trainer
from online_rnnlm.engines.checked import (
    CheckedOnlineScorer,
    CheckedScorer,
    check_text,
    check_weights,
)
from online_rnnlm.engines.devices import require
from online_rnnlm.engines.lanes import Carried, segments_of
from online_rnnlm.engines.names import engine_module, online_engine
from online_rnnlm.errors import needing_packages
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.storage.syntax import PACKAGE


def trainer(
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    accumulators: Parameters,
    carried: Carried | None = None,
    *,
    threads: int = 1,
) -> Trainer:
    """Make a trainer by the settings' engine, starting from copies of weights and accumulators.

    `carried` are the states and vectors after the segments that were read last; by default they
    are 0. `threads` is the number of threads that compute together, which changes nothing but the
    time; engines that do not share work use one.
    Raises UserError if the engine or its device is not available, or if weights and corpus do not
    fit each other.
    """
    check_weights(settings, corpus, weights, accumulators)
    check_text(corpus, corpus.splits["train"])
    make: Callable[..., Trainer] = _engine(settings, settings.engine).Trainer
    if carried is None:
        lanes = segments_of(corpus.splits["train"], settings).lanes(settings.batch_sentences)
        carried = Carried.nothing(weights, settings.cell_name, settings.document_size, lanes)
    return make(settings, corpus, weights, accumulators, carried, **_shared(settings, threads))


def scorer(
    settings: RunSettings,
    corpus: Corpus,
    reading: Reading | None = None,
    *,
    hidden_states: bool = False,
    threads: int = 1,
) -> Scorer:
    """Make a scorer by the settings' engine; its scores have hidden states if these are asked for.

    It reads the text as `reading` says, or else as the run does in training. `threads` is that of
    `trainer`. Raises UserError if the engine or its device is not available. The scorer raises
    UserError for weights and text that do not fit the settings and the corpus.
    """
    make: Callable[..., Scorer] = _engine(settings, settings.engine).Scorer
    options = {"hidden_states": hidden_states, **_shared(settings, threads)}
    scorer = make(settings, corpus, reading or settings.reading, **options)
    return CheckedScorer(settings, corpus, scorer)


def online_scorer(
    settings: RunSettings, corpus: Corpus, weights: Parameters, online: OnlineSettings
) -> OnlineScorer:
    """Make a scorer by `online_engine` that starts from copies of the weights.

    Raises UserError if the engine or its device is not available, or if weights and corpus do not
    fit each other; the scorer raises it for text that does not fit the corpus.
    """
    check_weights(settings, corpus, weights)
    make: Callable[..., OnlineScorer] = _engine(settings, online_engine(settings)).OnlineScorer
    return CheckedOnlineScorer(corpus, make(settings, corpus, weights, online))


def _shared(settings: RunSettings, threads: int) -> dict[str, int]:
    """The argument by which an engine shares its work between threads, if it can."""
    return {"threads": threads} if ENGINES[settings.engine].shares_work else {}


def _engine(settings: RunSettings, engine: str) -> Any:
    """Require the run's device, then load the engine's module.

    Raises UserError if there is no such device, or if a package that it needs is not installed, and
    ValueError for an engine that would leave out the vector's part of the hidden layer.
    """
    if settings.needs_coupling and "coupling" in ENGINES[engine].lacks:
        raise ValueError(f"`engine: {engine}` computes no vector that feeds {settings.cell_name}")
    require(settings)
    with needing_packages():
        return import_module(f"{PACKAGE}.{engine_module(engine)}")
