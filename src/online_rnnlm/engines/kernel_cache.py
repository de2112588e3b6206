"""The cache of compiled kernels, which finds them by a digest of their code.

numba itself finds a compiled function by the path and time of its file and by its line: every
clone, copy or checkout of the project, and every edit of a docstring, would compile the same
kernels again.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.user_cache import user_cache

_FOLDER = Path(__file__).parent / "kernels"
_TUPLES = ("engines.base:Scores", "model.parameters:Parameters")
"""Tuples from other modules that kernels use: compiled code depends on their fields' order."""


@cache
def kernel_sources() -> str:
    """A digest of the kernels' code and of how it is linked, without docstrings and comments."""
    names = sorted(file.stem for file in _FOLDER.glob("*.py") if file.stem != "__init__")
    return code_digest(*(f"engines.kernels.{name}" for name in names), *_TUPLES)[:32]


def folder() -> Path:
    """The folder of compiled kernels: there is one for each state of their sources.

    Kernels that check their indices have folders of their own, as numba does not tell them apart.
    """
    checked = "-checked" if os.environ.get("NUMBA_BOUNDSCHECK", "0") != "0" else ""
    return user_cache() / "kernels" / (kernel_sources() + checked)


@contextmanager
def compiled_once(precision: str, name: str) -> Iterator[None]:
    """Hold the lock of some kernels while the block compiles or loads them, after waiting for it.

    Of processes that need the same kernels at the same time, one compiles them and the others load
    them. Where the folder cannot be written or has no locks, each compiles them for itself. `name`
    is that of the cell, or "online" for the kernels that test while weights learn.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            folder().mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder() / f"{precision}-{name}.lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class BySources:
    """A cache locator, by which numba finds a kernel's machine code and its sources' digest."""

    @classmethod
    def from_function(cls, function: FunctionType, file: str) -> Any:
        """Return a locator for a function in a file.

        A function that is no kernel gets the locator that it would have without this class; so does
        every function if the folder of kernels cannot be made.
        """
        if not Path(file).is_relative_to(_FOLDER):
            return _registered(function, file)
        try:
            Path(os.environ["NUMBA_CACHE_DIR"]).mkdir(parents=True, exist_ok=True)
        except OSError:
            return _registered(function, file)
        return cls()

    def ensure_cache_path(self) -> None:
        """Make the folder; raises OSError if that fails."""
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder, in which numba names files by module and function."""
        return os.environ["NUMBA_CACHE_DIR"]

    def get_source_stamp(self) -> str:
        """The digest of all kernels' code: compiled code is used only if it has not changed."""
        return kernel_sources()

    def get_disambiguator(self) -> str:
        """A constant, as no two functions of a module have the same name."""
        return "kernel"


def _registered(function: FunctionType, file: str) -> Any:
    """The locator that numba, or a library that registers its own as PyTensor does, gives."""
    locators = sys.modules["numba.core.caching"].CacheImpl._locator_classes  # numba calls
    found = (locator.from_function(function, file) for locator in locators)
    return next((locator for locator in found if locator is not None), None)


def settings() -> dict[str, str]:
    """The environment variables that make numba use this cache."""
    return {
        "NUMBA_CACHE_DIR": str(folder()),
        "NUMBA_CACHE_LOCATOR_CLASSES": f"{BySources.__module__}.{BySources.__qualname__}",
    }
