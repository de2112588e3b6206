"""The modules and the compiled kernels that runs need by their settings, known without loading any.

No `import` statement mentions these modules.
"""

from __future__ import annotations

from collections.abc import Iterable

from online_rnnlm.config.engines import ENGINES, engine_anywhere
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.training import RunSettings
from online_rnnlm.model.cells import cell_module


def engine_module(engine: str) -> str:
    """The name of an engine's module below the package, such as `engines.kernel_engine`."""
    return f"engines.{engine}_engine"


def online_engine(settings: RunSettings) -> str:
    """The engine that scores while weights learn: the run's own if it can, else one for any CPU."""
    own = ENGINES[settings.engine].scores_online(settings.cell_name)
    return settings.engine if own else _engine_anywhere(settings, online=True)


def usable_anywhere(settings: RunSettings) -> RunSettings:
    """The same model's settings for a machine that has only a CPU and this package."""
    changes = {"engine": _engine_anywhere(settings), "device": "cpu"}
    return settings.model_copy(update=changes)


def _engine_anywhere(settings: RunSettings, *, online: bool = False) -> str:
    ability = "coupling" if settings.needs_coupling else ""
    return engine_anywhere(settings.cell_name, online=online, ability=ability)


def kernel_networks(experiment: Experiment, *, online: bool = False) -> list[RunSettings]:
    """The smallest settings for each precision and cell of the runs that the kernels compute.

    The kernels are compiled for each of these. With `online`, of those that they test while weights
    learn.
    """
    keys = ("precision", "cell", "context_size")
    runs = [run.settings for run in experiment.runs()]
    found = {
        (run.precision, run.cell_name): run
        for run in runs
        if (online_engine(run) if online else run.engine) == "kernel"
    }
    return [
        RunSettings(corpus="none", hidden_size=2, **{key: getattr(run, key) for key in keys})
        for _, run in sorted(found.items())
    ]


def names_of(networks: Iterable[RunSettings]) -> tuple[str, ...]:
    """The precision and the cell of each of these networks, such as `float32 lstm`."""
    return tuple(f"{network.precision} {network.cell_name}" for network in networks)


def chosen_modules(settings: RunSettings) -> tuple[str, ...]:
    """The names below the package of all modules that compute a run with these settings."""
    engines = dict.fromkeys((settings.engine, online_engine(settings)))
    workers = (f"engines.{engine}.worker" for engine in engines if ENGINES[engine].is_elsewhere)
    return (*map(engine_module, engines), *workers, cell_module(settings.cell_name))


def other_cells(settings: RunSettings) -> tuple[str, ...]:
    """The names below the package of the kernels' modules for other cells than a run's."""
    cells = sorted(ENGINES["kernel"].cells or ())
    return tuple(f"engines.kernels.cells.{cell}" for cell in cells if cell != settings.cell_name)
