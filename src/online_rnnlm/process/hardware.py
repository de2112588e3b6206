"""The hardware that this process runs on, and the memory that it uses."""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path

from online_rnnlm.storage.records import Machine


def machine(gpu: str | None = None) -> Machine:
    """Describe the hardware and system that this process runs on; `gpu` names the GPU it uses."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=platform.platform(terse=True),
        gpu=gpu,
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def peak_memory() -> int:
    """Return the peak resident memory of this process, in bytes.

    `getrusage` also counts the time before the process became this program, when it was a copy of
    its parent. The system's own peak value (VmHWM) does not, so it is preferred if there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
