"""Compilation of the kernels by numba: decorators, the cache on disk, and how code is linked."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite.binding import Linkage, ModuleRef, get_host_cpu_name
from numba import njit
from numba.core import caching, config
from numba.core.codegen import CPUCodeLibrary

from online_rnnlm.storage import files
from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.user_cache import user_cache

logger = logging.getLogger(__name__)

UNCOUNTED = {"_nrt": False}
"""The options of numba by which a function counts no references to arrays."""
_KERNELS = Path(__file__).parent
_SOURCES = ("core",)
"""The sources that machine code depends on: the kernels, and tuples and constants they use."""
_finalize = CPUCodeLibrary._finalize_final_module
_held: list[tempfile.TemporaryDirectory[str]] = []


def kernel(**options: Any) -> Any:
    """Compile a function with numba, keep its machine code on disk, and count no references.

    By default numba counts the references to every array that a function reads from a tuple, cuts
    out of another one or passes on. That takes longer than many a function here, and compiling it
    several times as long. The arrays that a kernel is given live longer than its call, so they need
    no counts. Without them a function can neither allocate arrays nor return any: what returns a
    part of an array is a `view`.
    """
    return njit(cache=True, **UNCOUNTED, **options)


def view(function: Callable[..., Any]) -> Any:
    """Compile a function that returns parts of arrays: it is put in the place of its calls.

    From Python, call its `py_func`: compiled by itself it could return no array.
    """
    return kernel(inline="always")(function)


def prepare() -> None:
    """Set where numba keeps machine code, and how it links it, before any kernel is defined."""
    config.CACHE_DIR = str(_cache_folder())
    caching.CacheImpl._locator_classes.insert(0, _Locator)
    CPUCodeLibrary._finalize_final_module = _finalize_apart


class _Locator(caching.UserProvidedCacheLocator):  # type: ignore[misc]  # numba is untyped
    """The place of a kernel's machine code, which is the same for all copies of the project.

    numba tells files apart by their paths, their times and the lines of their functions. Here the
    folder is that of the state of the sources.
    """

    def __init__(self, function: Any, file: str) -> None:
        super().__init__(function, file)
        self._cache_path = str(Path(config.CACHE_DIR, Path(file).parent.name))

    def get_source_stamp(self) -> str:
        """Return a constant, since the folder is of one state."""
        return ""

    def get_disambiguator(self) -> str:
        """Return a constant, since no two functions of a file have the same name."""
        return ""

    @classmethod
    def from_function(cls, function: Any, file: str) -> Any:
        """Return the locator of a kernel; None for another function."""
        is_ours = Path(file).is_relative_to(_KERNELS)
        return super().from_function(function, file) if is_ours else None


def compile_once(name: str, call: Callable[[], Any]) -> None:
    """Make a call that compiles kernels, unless it was made before; one process at a time does it.

    Of processes that need the same kernels at the same time, one compiles them and the others load
    them; numba by itself would let two processes write one file. `name` tells kernels apart:
    `float32-lstm-scoring`, for example.
    """
    folder = Path(config.CACHE_DIR)
    complete = folder / f"{name}.complete"
    if complete.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    logger.info("compiling kernels (%s), once on this machine: it takes up to a minute", name)
    begun = time.monotonic()
    with (folder / "lock").open("w") as file:
        files.lock(file, wait=True)
        if not complete.exists():
            call()
            complete.touch()
    logger.info("kernels are compiled: %.0f s", time.monotonic() - begun)


def _cache_folder() -> Path:
    """The folder of machine code for the kernels as they are now, made if it is missing.

    Every state of the sources has a folder of its own, below NUMBA_CACHE_DIR or the user's cache.
    Where that cannot be written, it is a temporary one.
    """
    try:
        base = os.environ.get("NUMBA_CACHE_DIR") or user_cache() / "numba"
        folder = Path(base) / _state()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
        why = f"{folder} cannot be written"
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home
        why = str(error)
    logger.warning(
        "kernels are compiled for this process alone, which takes about a minute: %s; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        why,
    )
    _held.append(tempfile.TemporaryDirectory(prefix="online-rnnlm-kernels-"))
    return Path(_held[0].name)


def _state() -> str:
    """The first digits of a sha256 of the sources, versions and processor of the machine code.

    Kernels that check their indices have a state of their own, as numba does not tell them apart.
    """
    versions = numba.__version__, llvmlite.__version__, get_host_cpu_name(), config.BOUNDSCHECK
    return hashlib.sha256(f"{versions} {code_digest(*_SOURCES)}".encode()).hexdigest()[:16]


# numba puts a copy of every function that a compiled function calls into its machine code, and
# optimises each copy anew, so that copies may round sums differently. By default a process uses the
# copy that it loads first for all callers. Here every compiled function uses its own copies, so
# results do not depend on what else a process has compiled or loaded.


def _finalize_apart(library: CPUCodeLibrary) -> None:
    """Make the machine code of a function ready to use, with its copies hidden from others.

    What numba copies into the code of its callers stays as it is by default.
    """
    module = library._final_module
    if library._shared_module is None:
        library._shared_module = _with_linkage(module.clone(), Linkage.external, "linkonce_odr")
    _with_linkage(module, Linkage.linkonce_odr, "internal")
    _finalize(library)


def _with_linkage(module: ModuleRef, old: Linkage, new: str) -> ModuleRef:
    """Change the linkage of those functions that a module defines with the old one."""
    for function in module.functions:
        if function.linkage == old and not function.is_declaration:
            function.linkage = new
    return module
