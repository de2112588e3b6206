"""The engines: programs that train and score the model, on a CPU or a GPU.

An engine is the module `<name>_engine` of this package, loaded when a run names it. Weights and
text must fit the settings: engines do not check it. The device and the packages that an engine
needs must be there (`process.devices.require`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.core.arrays import Array
    from online_rnnlm.core.engines import base
    from online_rnnlm.core.lanes import Carried
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.text import Text
    from online_rnnlm.core.way import Reading, Way

THEANO_PYTHON = "THEANO_PYTHON"
"""The environment variable with the path of the Python that has Theano 1.0.5."""


class Engine(Protocol):
    """The classes of an engine's module; they raise CannotCompute if it cannot use its device."""

    def Trainer(
        self,
        settings: RunSettings,
        text: Text,
        weights: Parameters,
        accumulators: Parameters,
        carried: Carried | None = None,
        deferred: tuple[Array, ...] = (),
    ) -> base.Trainer:
        """A trainer that starts from copies of weights and accumulators.

        `carried` are the states and vectors after the segments that were read last; by default they
        are 0. `deferred` is that of the trainer which read these segments.
        """

    def Scorer(
        self,
        settings: RunSettings,
        text: Text,
        reading: Reading | None = None,
        *,
        hidden_states: bool = False,
    ) -> base.Scorer:
        """A scorer that reads the text as `reading` says, or else as in training.

        Its scores have hidden states if these are asked for.
        """

    def OnlineScorer(
        self, settings: RunSettings, text: Text, weights: Parameters, way: Way
    ) -> base.OnlineScorer:
        """A scorer by copies of the weights, if `config/engines.py` says that the engine has one.

        What the way says learns: weights, or the vector alone after several words.
        """


def load_engine(settings: RunSettings) -> Engine:
    """Load the engine that a run names."""
    return cast("Engine", import_module(f"{__name__}.{settings.engine}_engine"))
