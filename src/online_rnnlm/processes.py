"""What a process must be told before it loads numerical libraries, and where it runs."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

from online_rnnlm import kernel_cache

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


def machine() -> dict[str, str | int]:
    """The hardware and system that this process runs on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.platform(terse=True),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def peak_memory() -> int:
    """The most memory that this process has had resident, bytes.

    `getrusage` also counts what the process was before it became this program: a copy of its
    parent. The kernel's own high-water mark does not, where there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
