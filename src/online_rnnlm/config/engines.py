"""The engines that a run may name, and their properties that are known before they are loaded.

An engine is one module, `core/engines/<name>_engine.py`, and its name and entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EngineName = Literal["kernel", "graph", "theano", "jax"]


@dataclass(frozen=True)
class OnDevice:
    """An engine on one kind of device."""

    multiply_adds_a_second: float
    """Speed from which the time that a job asks for is computed."""
    modules: tuple[str, ...] = ()
    """Python modules that it needs in addition to those of every installation."""
    extra: str = ""
    """Name of this package's extra that installs these modules: `make <extra>`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that restrict it to this device; they are set before it is loaded."""


@dataclass(frozen=True)
class EngineProperties:
    """The properties of an engine that are known before it is loaded."""

    description: str
    devices: Mapping[str, OnDevice]
    """The devices that it computes on: `cpu`, `gpu` or both."""
    cells: frozenset[str] | None = None
    """Names of the cells that it can compute; None means all cells."""
    packages: tuple[str, ...] = ()
    """Packages whose versions a run's record lists in addition to those of every engine."""
    updatable_cells: frozenset[str] | None = None
    """Names of the cells whose weights it can update in testing; None means all cells."""
    updating_modules: tuple[str, ...] = ()
    """Modules of `core` that it loads by name if weights are updated in testing: a run has none of
    them in its fingerprint."""
    steps_after_words: bool = True
    """True if it can update the vector after several words, not only after each."""
    only_default: tuple[str, ...] = ()
    """Names of the settings of training that it knows only with their default values."""
    is_elsewhere: bool = False
    """True if it computes in a Python environment of its own, which must be made first."""
    copies_class_outputs: bool = True
    """True if it copies the output weights of a whole class for every word.

    The memory that a job asks for depends on this.
    """

    def has_cell(self, cell: str) -> bool:
        """True if the engine computes that cell."""
        return self.cells is None or cell in self.cells

    def can_update_weights(self, cell: str) -> bool:
        """True if the engine can update the weights of a network of that cell while it scores."""
        updatable = self.updatable_cells is None or cell in self.updatable_cells
        return updatable and self.has_cell(cell)


# The speeds are about a fifth of those measured on two shared cores (docs/performance.md and
# docs/gpu.md), because the nodes of a cluster may be slower. The speed of a GPU is an assumption.
ENGINES: Mapping[EngineName, EngineProperties] = {
    "kernel": EngineProperties(
        "the model's equations as compiled code, the fastest engine.",
        {"cpu": OnDevice(4e9)},
        cells=frozenset({"sigmoid", "slow_context", "lstm"}),
        updatable_cells=frozenset({"sigmoid", "slow_context"}),
        updating_modules=("core.engines.kernel_online",),
        only_default=("document_gradient",),
        copies_class_outputs=False,
    ),
    "graph": EngineProperties(
        "the model as a plain symbolic graph, the reference.", {"cpu": OnDevice(5e6)}
    ),
    "theano": EngineProperties(
        "the same graph by the original Theano 1.0.5; `make theano` installs it.",
        {"cpu": OnDevice(5e6)},
        updatable_cells=frozenset(),
        steps_after_words=False,
        only_default=("rare_class_words",),
        is_elsewhere=True,
    ),
    "jax": EngineProperties(
        "the same model by JAX, for a GPU (docs/gpu.md); JAX must be installed.",
        {
            # If a platform is named and missing, JAX raises; otherwise it would use another one.
            "cpu": OnDevice(1e7, ("jax",), "jax", {"JAX_PLATFORMS": "cpu"}),
            "gpu": OnDevice(1e9, ("jax", "jax_cuda12_plugin"), "cuda", {"JAX_PLATFORMS": "cuda"}),
        },
        packages=("jax",),
        updatable_cells=frozenset(),
        steps_after_words=False,
        only_default=("dropout", "embedding_dropout", "rare_class_words"),
    ),
}
