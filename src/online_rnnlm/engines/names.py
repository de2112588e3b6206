"""The modules that a run's settings choose by name: no `import` statement names them."""

from __future__ import annotations

from online_rnnlm.config.training import RunSettings


def engine_module(engine: str) -> str:
    """The module, below the package, of an engine: `engines.kernel_engine`."""
    return f"engines.{engine}_engine"


def chosen_modules(settings: RunSettings) -> tuple[str, ...]:
    """All modules, below the package, that a run with these settings is computed by."""
    return (engine_module(settings.engine),)
