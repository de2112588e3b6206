"""Where compiled kernels are kept: found by what their sources say, wherever these lie.

By itself numba looks for a function by its file's path and time: every clone, copy or checkout of
the project would compile the same kernels again.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

from online_rnnlm.storage.code import code_digest

KERNELS = ("engines.kernels.batches", "engines.kernels.online")
_FOLDER = Path(__file__).parent / "kernels"


@cache
def kernel_sources() -> str:
    """A name for the state of the kernels' sources."""
    return "-".join(code_digest(module)[:16] for module in KERNELS)


def folder() -> Path:
    """The folder of compiled kernels, one for each state of their sources.

    numba does not notice whether kernels were compiled to check their indices, as tests ask for:
    these have a folder of their own.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    checked = "-checked" if os.environ.get("NUMBA_BOUNDSCHECK", "0") != "0" else ""
    return Path(home) / "online-rnnlm" / "kernels" / (kernel_sources() + checked)


class BySources:
    """What tells numba where a kernel's machine code is, and of which sources: a cache locator."""

    def __init__(self, line: int) -> None:
        self._line = line

    @classmethod
    def from_function(cls, function: FunctionType, file: str) -> Any:
        """The locator of a function in a file.

        That of a function that is no kernel is the one that it would have without this class; the
        same if there cannot be a folder of ours.
        """
        if not Path(file).is_relative_to(_FOLDER):
            return _registered(function, file)
        try:
            Path(os.environ["NUMBA_CACHE_DIR"]).mkdir(parents=True, exist_ok=True)
        except OSError:
            return _registered(function, file)
        return cls(function.__code__.co_firstlineno)

    def ensure_cache_path(self) -> None:
        """Make the folder; raises OSError."""
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder; the file's name has the module, the function and the line."""
        return os.environ["NUMBA_CACHE_DIR"]

    def get_source_stamp(self) -> str:
        """What must be the same for what was compiled to be used: all kernels' sources."""
        return kernel_sources()

    def get_disambiguator(self) -> str:
        """What tells functions of one name apart."""
        return str(self._line)


def _registered(function: FunctionType, file: str) -> Any:
    """What numba, or who has registered with it, as PyTensor does, has for that function."""
    locators = sys.modules["numba.core.caching"].CacheImpl._locator_classes  # it has called us
    found = (locator.from_function(function, file) for locator in locators)
    return next((locator for locator in found if locator is not None), None)


def settings() -> dict[str, str]:
    """The environment variables by which numba keeps compiled kernels."""
    return {
        "NUMBA_CACHE_DIR": str(folder()),
        "NUMBA_CACHE_LOCATOR_CLASSES": f"{BySources.__module__}.{BySources.__qualname__}",
    }
