"""The engines by name: they train on a corpus's sentences and score them.

An engine is the module `<name>_engine` of this package, imported when a run asks for it. It has
`Trainer`, `Scorer` and, if `config/engines.py` says so, `OnlineScorer`, which take the same
arguments as the functions below. Weights and text must fit the settings and the corpus, as those
that are read from files do: engines do not check it.

`use.network` imports this before `prepare_process`, so numerical libraries are imported
where they compute.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from online_rnnlm.config.engines import ENGINES, engine_anywhere
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import needing_packages
from online_rnnlm.process.devices import require

if TYPE_CHECKING:
    from online_rnnlm.config.training import Reading
    from online_rnnlm.core.engines import base
    from online_rnnlm.core.lanes import Carried
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.corpora.corpus import Corpus


def trainer(
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    accumulators: Parameters,
    carried: Carried | None = None,
    *,
    threads: int = 1,
) -> base.Trainer:
    """Make a trainer by the settings' engine, starting from copies of weights and accumulators.

    `carried` are the states and vectors after the segments that were read last; by default they
    are 0. `threads` is the number of threads that compute together, which changes nothing but the
    time; engines that do not share work use one.
    Raises UserError if the engine or its device is not available.
    """
    from online_rnnlm.core.lanes import Carried, segments_of  # noqa: PLC0415

    engine = _engine(settings, settings.engine)
    if carried is None:
        lanes = segments_of(corpus.splits["train"], settings).lanes(settings.batch_sentences)
        carried = Carried.nothing(weights, settings.cell, lanes)
    shared = _shared(settings, threads)
    made: base.Trainer = engine.Trainer(settings, corpus, weights, accumulators, carried, **shared)
    return made


def scorer(
    settings: RunSettings,
    corpus: Corpus,
    reading: Reading | None = None,
    *,
    hidden_states: bool = False,
    threads: int = 1,
) -> base.Scorer:
    """Make a scorer by the settings' engine; its scores have hidden states if these are asked for.

    It reads the text as `reading` says, or else as the run does in training. `threads` is that of
    `trainer`. Raises UserError if the engine or its device is not available.
    """
    engine = _engine(settings, settings.engine)
    options = {"hidden_states": hidden_states, **_shared(settings, threads)}
    made: base.Scorer = engine.Scorer(settings, corpus, reading or settings.reading, **options)
    return made


def online_scorer(
    settings: RunSettings, corpus: Corpus, weights: Parameters, online: base.OnlineSettings
) -> base.OnlineScorer:
    """Make a scorer by `online_engine` that starts from copies of the weights.

    Raises UserError if the engine or its device is not available.
    """
    engine = _engine(settings, online_engine(settings, weights_learn=bool(online.learning)))
    made: base.OnlineScorer = engine.OnlineScorer(settings, corpus, weights, online)
    return made


def _shared(settings: RunSettings, threads: int) -> dict[str, int]:
    """The argument by which an engine shares its work between threads, if it can."""
    return {"threads": threads} if ENGINES[settings.engine].shares_work else {}


def _engine(settings: RunSettings, engine: str) -> Any:
    """Require the run's device, then load the engine's module.

    Raises UserError if there is no such device, or if a package that it needs is not installed.
    """
    require(settings)
    with needing_packages():
        return import_module(f"online_rnnlm.core.engines.{engine}_engine")


def online_engine(settings: RunSettings, *, weights_learn: bool = True) -> str:
    """The engine that scores while weights learn, or the vector alone: the run's own if it can.

    Otherwise it is one for any CPU.
    """
    own = ENGINES[settings.engine].scores_online(settings.cell)
    return settings.engine if own else engine_anywhere(settings.cell, online=weights_learn)


def usable_anywhere(settings: RunSettings) -> RunSettings:
    """The same model's settings for a machine that has only a CPU and this package."""
    changes = {"engine": engine_anywhere(settings.cell), "device": "cpu"}
    return settings.model_copy(update=changes)
