"""The engines by name: they train on a text's sentences and score them.

An engine is the module `<name>_engine` of this package, imported when a run asks for it. It has
`Trainer`, `Scorer` and, if `config/engines.py` says so, `OnlineScorer`, which take the same
arguments as the functions below. Weights and text must fit the settings: engines do not check it.
The device and the packages that an engine needs must be there (`process.devices.require`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from online_rnnlm.core.way import reading_of

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.core.engines import base
    from online_rnnlm.core.lanes import Carried
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.text import Text
    from online_rnnlm.core.way import Reading, Way


def trainer(
    settings: RunSettings,
    text: Text,
    weights: Parameters,
    accumulators: Parameters,
    carried: Carried | None = None,
    waiting: tuple[base.Array, ...] = (),
) -> base.Trainer:
    """Make a trainer by the settings' engine, starting from copies of weights and accumulators.

    `carried` are the states and vectors after the segments that were read last; by default they
    are 0. `waiting` is that of the trainer which read these segments. Raises CannotCompute if the
    engine cannot use its device.
    """
    from online_rnnlm.core.lanes import Carried, segments_of  # noqa: PLC0415

    if carried is None:
        lanes = segments_of(text.splits["train"], settings).lanes(settings.batch_sentences)
        carried = Carried.nothing(weights, settings.cell, lanes)
    made: base.Trainer = _engine(settings).Trainer(
        settings, text, weights, accumulators, carried, waiting
    )
    return made


def scorer(
    settings: RunSettings,
    text: Text,
    reading: Reading | None = None,
    *,
    hidden_states: bool = False,
) -> base.Scorer:
    """Make a scorer by the settings' engine; its scores have hidden states if these are asked for.

    It reads the text as `reading` says, or else as in training. Raises CannotCompute if the engine
    cannot use its device.
    """
    made: base.Scorer = _engine(settings).Scorer(
        settings, text, reading or reading_of(settings), hidden_states=hidden_states
    )
    return made


def online_scorer(
    settings: RunSettings, text: Text, weights: Parameters, way: Way
) -> base.OnlineScorer:
    """Make a scorer by the settings' engine that starts from copies of the weights.

    What the way says learns; the vector alone after several words, or weights.
    """
    made: base.OnlineScorer = _engine(settings).OnlineScorer(settings, text, weights, way)
    return made


def _engine(settings: RunSettings) -> Any:
    return import_module(f"online_rnnlm.core.engines.{settings.engine}_engine")
