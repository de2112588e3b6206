"""The engines: programs that train and score the model, on a CPU or a GPU.

An engine is the class `Engine` of a module `<name>_engine` of this package, loaded when a run names
it; `base.Engine` says what it does. Weights and text must fit the settings: engines do not check
it. The device and the packages that an engine needs must be there (`process.devices.require`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from online_rnnlm.core.arrays import Integers
    from online_rnnlm.core.engines import base
    from online_rnnlm.core.settings import NetworkSettings, TrainingRule

KERNELS = ("core.engines.kernel_engine",)
"""The engine by kernels, which are compiled before anything is computed by them."""
THEANO_PYTHON = "THEANO_PYTHON"
"""The environment variable with the path of the Python that has Theano 1.0.5."""


def load_engine(
    name: str, network: NetworkSettings, rule: TrainingRule, class_offsets: Integers
) -> base.Engine:
    """Load the engine of that name, and prepare it for a network on a vocabulary."""
    module = import_module(f"{__name__}.{name}_engine")
    return cast("base.Engine", module.Engine(network, rule, class_offsets))
