"""The engines that a run may name, and what is known of each before it is loaded.

An engine is one module, `engines/<name>_engine.py`, and one entry in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class OnDevice:
    """An engine on one kind of device."""

    multiply_adds_a_second: float
    """The speed that time requests are planned with."""
    modules: tuple[str, ...] = ()
    """Python modules that it needs beside what every installation has."""
    extra: str = ""
    """The extra of this package that installs them: `make <extra>`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that let it see this device alone; they are set before it is loaded."""


@dataclass(frozen=True)
class Engine:
    """What is known of an engine before it is loaded."""

    description: str
    devices: Mapping[str, OnDevice]
    """`cpu` and `gpu`, as far as it computes on them."""
    cells: frozenset[str] | None = None
    """The cells that it has; None: all."""
    packages: tuple[str, ...] = ()
    """Packages that a run's record has the versions of, beside those of every engine."""
    scores_online: bool = True
    """Whether it can score while weights learn; otherwise another engine does that."""
    copies_class_outputs: bool = True
    """Whether it copies the output weights of a whole class for every word: memory is planned."""

    def has_cell(self, cell: str) -> bool:
        """Whether the engine computes that cell."""
        return self.cells is None or cell in self.cells


# Speeds: a fifth or so of those measured on two shared cores, docs/performance.md and docs/gpu.md,
# since nodes are slower than one hopes. That of a GPU is assumed.
ENGINES: Mapping[str, Engine] = {
    "kernel": Engine(
        "the fast step.",
        {"cpu": OnDevice(4e9)},
        cells=frozenset({"sigmoid"}),
        copies_class_outputs=False,
    ),
    "graph": Engine("the plain symbolic graph, the reference.", {"cpu": OnDevice(5e6)}),
    "jax": Engine(
        "that graph compiled by JAX, for a GPU (docs/gpu.md); JAX is to be installed.",
        {
            # With a platform named, JAX raises where it would otherwise go on with another one.
            "cpu": OnDevice(1e7, ("jax",), "jax", {"JAX_PLATFORMS": "cpu"}),
            "gpu": OnDevice(1e9, ("jax", "jax_cuda12_plugin"), "cuda", {"JAX_PLATFORMS": "cuda"}),
        },
        packages=("jax",),
        scores_online=False,
    ),
}


def engines_with(*, cell: str | None = None, device: str | None = None) -> list[str]:
    """The names of the engines that have a cell and a device; None: whichever."""
    return [
        name
        for name, engine in ENGINES.items()
        if (cell is None or engine.has_cell(cell)) and (device is None or device in engine.devices)
    ]


def engine_anywhere(cell: str) -> str:
    """The fastest engine that has a cell and does all on a CPU, with nothing more installed."""
    speeds = {
        name: ENGINES[name].devices["cpu"].multiply_adds_a_second
        for name in engines_with(cell=cell, device="cpu")
        if ENGINES[name].scores_online and not ENGINES[name].devices["cpu"].modules
    }
    return max(speeds, key=speeds.__getitem__)
