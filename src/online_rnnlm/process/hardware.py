"""The hardware that this process runs on, and the memory that it uses."""

from __future__ import annotations

import os
import platform
import resource

from online_rnnlm.process.environment import information
from online_rnnlm.storage.runs import Machine


def machine(gpu: str | None = None) -> Machine:
    """Describe the hardware and system that this process runs on; `gpu` names the GPU it uses."""
    return Machine(
        processor=information("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        cores=os.cpu_count() or 1,
        system=platform.platform(terse=True),
        gpu=gpu,
    )


def peak_memory() -> int:
    """Return the peak resident memory of this process, in bytes.

    `getrusage` also counts the time before the process became this program, when it was a copy of
    its parent. The system's own peak value (VmHWM) does not, so it is preferred if there is one.
    """
    peak = information("/proc/self/status", "VmHWM:").removesuffix(" kB")
    return int(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024
