"""The cache of compiled kernels: they are found by what their code does, wherever it lies.

By itself numba looks for a function by its file's path and time and by its line: every clone, copy
or checkout of the project, and every edit of a docstring, would compile the same kernels again.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from online_rnnlm.storage.code import code_digest

_FOLDER = Path(__file__).parent / "kernels"
_TUPLES = ("engines.base:Scores", "model.parameters:Parameters")
"""Tuples from elsewhere that kernels are given: machine code knows their fields by their places."""


@cache
def kernel_sources() -> str:
    """A name for what the kernels' code does: its docstrings and comments are no part of it."""
    names = sorted(file.stem for file in _FOLDER.glob("*.py") if file.stem != "__init__")
    return code_digest(*(f"engines.kernels.{name}" for name in names), *_TUPLES)[:32]


def folder() -> Path:
    """The folder of compiled kernels, another one for each state of their sources.

    Kernels that check their indices have folders of their own: numba does not see the difference.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    checked = "-checked" if os.environ.get("NUMBA_BOUNDSCHECK", "0") != "0" else ""
    return Path(home) / "online-rnnlm" / "kernels" / (kernel_sources() + checked)


class BySources:
    """A cache locator: tells numba where a kernel's machine code is, and of which sources."""

    @classmethod
    def from_function(cls, function: FunctionType, file: str) -> Any:
        """A locator for a function in a file.

        A function that is no kernel has the locator that it would have without this class; so has
        every function if our folder cannot be made.
        """
        if not Path(file).is_relative_to(_FOLDER):
            return _registered(function, file)
        try:
            Path(os.environ["NUMBA_CACHE_DIR"]).mkdir(parents=True, exist_ok=True)
        except OSError:
            return _registered(function, file)
        return cls()

    def ensure_cache_path(self) -> None:
        """Make the folder; raises OSError."""
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder; numba names the files in it by module and function."""
        return os.environ["NUMBA_CACHE_DIR"]

    def get_source_stamp(self) -> str:
        """What must be as it was for what was compiled to be used: all kernels' sources."""
        return kernel_sources()

    def get_disambiguator(self) -> str:
        """What tells functions of one name in one module apart: there are none."""
        return "kernel"


def _registered(function: FunctionType, file: str) -> Any:
    """The function's locator by numba, or by a library that registers its own, as PyTensor does."""
    locators = sys.modules["numba.core.caching"].CacheImpl._locator_classes  # it has called us
    found = (locator.from_function(function, file) for locator in locators)
    return next((locator for locator in found if locator is not None), None)


def settings() -> dict[str, str]:
    """The environment variables by which numba keeps compiled kernels."""
    return {
        "NUMBA_CACHE_DIR": str(folder()),
        "NUMBA_CACHE_LOCATOR_CLASSES": f"{BySources.__module__}.{BySources.__qualname__}",
    }
