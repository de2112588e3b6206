"""The environment variables that must be set before a process loads numerical libraries."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

from online_rnnlm.storage.code import code_digest

_JAX = {
    # One thread, as for the other libraries; on a GPU, the same bits every time, even in the sums
    # of gradients.
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
    "--xla_gpu_deterministic_ops=true",
    # Otherwise the first of several processes on a GPU takes most of its memory.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}

_BEGAN = time.time()
_BEGUN_ANEW = "ONLINE_RNNLM_BEGUN_ANEW"
"""Variable of a process that has begun anew, which it does once."""


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
    features = value_in("/proc/cpuinfo", "flags", "Features")
    digits = hashlib.sha256(features.encode()).hexdigest()[:16]
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache / "jax" / digits))
    # Numba sees that the file of a kernel has changed, but not that another file has, whose
    # functions it calls. So every state of `core` has a folder of its own, and so have kernels that
    # check their indices.
    state = code_digest("core")[:16]
    if os.environ.get("NUMBA_BOUNDSCHECK"):
        state += "-checked"
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache / "numba")
    if folder.name != state:  # this process may have the variable from one that has set it
        os.environ["NUMBA_CACHE_DIR"] = str(folder / state)


def kernels_were_compiled() -> bool:
    """Return False if the kernels of this code have never been compiled on such a machine."""
    return Path(os.environ["NUMBA_CACHE_DIR"]).is_dir()


def begin_anew_if_compiled() -> None:
    """Begin a job once more if it has compiled kernels, before it computes anything by them.

    In the process that has compiled it, a kernel calls the others as they were compiled by
    themselves. Any later process loads it with copies of them that were compiled for it, which can
    round last bits in another way. A program that uses this package goes on.
    """
    is_job = sys.orig_argv[1:3] == ["-m", "online_rnnlm"]
    if not is_job or _BEGUN_ANEW in os.environ:
        return
    kernels = Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbc")
    if any(file.stat().st_mtime > _BEGAN for file in kernels):
        os.environ[_BEGUN_ANEW] = "1"
        os.execv(sys.executable, sys.orig_argv)


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
