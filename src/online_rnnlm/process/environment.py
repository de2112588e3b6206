"""The environment variables that must be set before a process loads numerical libraries."""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path

from online_rnnlm.core.engines import KERNELS
from online_rnnlm.storage.code import PACKAGE, fingerprint

_JAX = {
    # One thread, as for the other libraries; on a GPU, the same bits every time, even in the sums
    # of gradients.
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
    "--xla_gpu_deterministic_ops=true",
    # Otherwise the first of several processes on a GPU takes most of its memory.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
_FEATURES = ("flags", "Features")
_MODEL = ("model name", "CPU part")
"""Beginnings of lines of `/proc/cpuinfo`, of one kind of processor or another."""


def prepare_process() -> None:
    """Set the environment variables that the libraries read when they are imported.

    Variables that the user has set keep their values, but for the folder of compiled kernels, which
    is below NUMBA_CACHE_DIR or in the user's cache.
    """
    # Jobs run side by side, so each computes with one thread; more would slow down the others.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # Numba compiles the kernels and can compile the plain graph: no C++ compiler is needed.
    os.environ.setdefault("PYTENSOR_FLAGS", "cxx=")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
    for name, value in _JAX.items():
        os.environ.setdefault(name, value)
    # The machines of a cluster may share the cache, and code for one processor may use instructions
    # that another one lacks. So processors with different features have folders of their own.
    features = value_in("/proc/cpuinfo", *_FEATURES)
    digits = hashlib.sha256(features.encode()).hexdigest()[:16]
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache / "jax" / digits))
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache / "numba")
    state = _state_of_kernels()
    if folder.name != state:  # this process may have the variable from one that has set it
        os.environ["NUMBA_CACHE_DIR"] = str(folder / state)


def _state_of_kernels() -> str:
    """Return digits of all that decides the kernels' machine code, on this kind of processor.

    Numba sees by the time of a file that it has changed, but not that another one has, whose
    functions a kernel calls. So each state of the code has a folder of its own.
    """
    files = sorted((PACKAGE / "core/engines/kernels").glob("*.py"))
    times = [(str(file), file.stat().st_mtime_ns) for file in files]
    options = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_")}
    options.pop("NUMBA_CACHE_DIR", None)
    processor = [value_in("/proc/cpuinfo", *of) for of in (_FEATURES, _MODEL)]
    versions = [sys.version, version("numba")]
    state = [fingerprint(*KERNELS), times, sorted(options.items()), processor, versions]
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def kernels_were_compiled() -> bool:
    """Return False if no kernel of this code has ever been compiled on such a machine."""
    return Path(os.environ["NUMBA_CACHE_DIR"]).is_dir()


def value_in(file: str, *beginnings: str) -> str:
    """Return what follows the colon in a file's first line with one of these beginnings.

    It is "" if there is none, or no such file: only Linux has `/proc`.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(beginnings))
    return next(found, "")
