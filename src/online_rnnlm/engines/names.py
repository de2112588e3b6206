"""The modules that a run's settings choose by name, which no `import` statement mentions."""

from __future__ import annotations

from online_rnnlm.config.engines import ENGINES, engine_anywhere
from online_rnnlm.config.training import RunSettings
from online_rnnlm.model.cells import cell_module


def engine_module(engine: str) -> str:
    """The name of an engine's module below the package, such as `engines.kernel_engine`."""
    return f"engines.{engine}_engine"


def online_engine(settings: RunSettings) -> str:
    """The engine that scores while weights learn: the run's own if it can, else one for any CPU."""
    cell = settings.cell_name
    own = ENGINES[settings.engine].scores_online(cell)
    return settings.engine if own else engine_anywhere(cell, online=True)


def usable_anywhere(settings: RunSettings) -> RunSettings:
    """The same model's settings for a machine that has only a CPU and this package."""
    changes = {"engine": engine_anywhere(settings.cell_name), "device": "cpu"}
    return settings.model_copy(update=changes)


def chosen_modules(settings: RunSettings) -> tuple[str, ...]:
    """The names below the package of all modules that compute a run with these settings."""
    engines = dict.fromkeys((settings.engine, online_engine(settings)))
    workers = (f"engines.{engine}.worker" for engine in engines if ENGINES[engine].is_elsewhere)
    return (*map(engine_module, engines), *workers, cell_module(settings.cell_name))


def other_cells(settings: RunSettings) -> tuple[str, ...]:
    """The names below the package of the kernels' modules for other cells than a run's."""
    cells = sorted(ENGINES["kernel"].cells or ())
    return tuple(f"engines.kernels.cells.{cell}" for cell in cells if cell != settings.cell_name)
