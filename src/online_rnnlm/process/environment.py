"""What a process must be told before it loads numerical libraries, and where it runs."""

from __future__ import annotations

import os

from online_rnnlm.engines import kernel_cache

_JAX = {
    # One thread, as above; on a GPU the same bits every time, sums of gradients too.
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
    "--xla_gpu_deterministic_ops=true",
    # Else a GPU multiplies float32 in fewer bits.
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    # Else the first of several processes on a GPU takes most of its memory.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}


def prepare_process() -> None:
    """Set the environment variables that the libraries read when they are imported.

    What the user has set already stays.
    """
    # Jobs run side by side: each computes with one thread, or they would hinder each other.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    # The kernels are numba's and the plain graph can be: no C++ compiler is looked for.
    os.environ.setdefault("PYTENSOR_FLAGS", "cxx=")
    for name, value in (kernel_cache.settings() | _JAX).items():
        os.environ.setdefault(name, value)
