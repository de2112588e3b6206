"""The modules that a run's settings choose by name: no `import` statement names them."""

from __future__ import annotations

from online_rnnlm.config.engines import ENGINES, engine_anywhere
from online_rnnlm.config.training import RunSettings
from online_rnnlm.model.cells import cell_module


def engine_module(engine: str) -> str:
    """The module, below the package, of an engine: `engines.kernel_engine`."""
    return f"engines.{engine}_engine"


def online_engine(settings: RunSettings) -> str:
    """The engine that scores while weights learn: the run's own, if that can do it."""
    own = ENGINES[settings.engine].scores_online
    return settings.engine if own else engine_anywhere(settings.cell)


def usable_anywhere(settings: RunSettings) -> RunSettings:
    """The settings for the same model where there is a CPU and no more than this package."""
    changes = {"engine": engine_anywhere(settings.cell), "device": "cpu"}
    return settings.model_copy(update=changes)


def chosen_modules(settings: RunSettings) -> tuple[str, ...]:
    """All modules, below the package, that a run with these settings is computed by."""
    engines = dict.fromkeys((settings.engine, online_engine(settings)))
    return (*map(engine_module, engines), cell_module(settings.cell))
