"""The hardware of this process, and checks for what a run requires of it, before anything heavy is
loaded: a device, and its packages."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import shutil
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.engines import THEANO_PYTHON
from online_rnnlm.errors import UserError
from online_rnnlm.process.environment import value_in
from online_rnnlm.storage.runs import Machine

DRIVER = "libcuda.so.1"
THEANO_HERE = ".venv-theano/bin/python"
"""The Python that `make theano` makes, below the project's folder."""
_NAME_BYTES = 256


def require(settings: RunSettings) -> None:
    """Make the device that the settings require, and no other, visible to the engine.

    Must be called before the engine's libraries are imported. Raises UserError if there is no such
    device, or if a Python module that the engine needs on it is not installed. Takes milliseconds,
    as it asks the NVIDIA driver itself, which respects CUDA_VISIBLE_DEVICES.
    """
    gpu(settings)
    require_packages(settings)
    engine = ENGINES[settings.engine]
    if engine.is_elsewhere:
        os.environ[THEANO_PYTHON] = theano_python()
    os.environ.update(engine.devices[settings.device].environment)


def require_packages(settings: RunSettings) -> None:
    """Raise UserError if what the engine needs on its device is not installed here.

    The device itself need not be there: a cluster's jobs may run on another machine.
    """
    engine = ENGINES[settings.engine]
    if engine.is_elsewhere:
        theano_version()
    device = engine.devices[settings.device]
    missing = next((module for module in device.modules if find_spec(module) is None), None)
    if missing:
        raise UserError(
            f"`engine: {settings.engine}` with `device: {settings.device}`: the Python module "
            f"`{missing}` is not installed: `make {device.extra}` adds it "
            f"(with pip: the extra `{device.extra}`)"
        )


def gpu(settings: RunSettings) -> str | None:
    """The name of the first GPU that this process may use if the settings require one, else None.

    Raises UserError if one is required and there is none.
    """
    if settings.device != "gpu":
        return None
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        why = f"the NVIDIA driver's {DRIVER} is not found"
    else:
        count = ctypes.c_int(0)
        status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
        if count.value and not status:
            device = ctypes.c_int(0)
            name = ctypes.create_string_buffer(_NAME_BYTES)
            driver.cuDeviceGet(ctypes.byref(device), 0)
            driver.cuDeviceGetName(name, _NAME_BYTES, device)
            return name.value.decode(errors="replace")
        why = f"the NVIDIA driver offers none (its status is {status})"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    told = "" if visible is None else f" with CUDA_VISIBLE_DEVICES={visible!r}"
    raise UserError(
        f"`device: gpu`: no GPU for this process on {os.uname().nodename}: {why}{told}; "
        "run it where there is one, or set `device: cpu`"
    )


def theano_python() -> str:
    """The Python that has Theano; a relative path starts at the current folder."""
    return os.environ.get(THEANO_PYTHON, THEANO_HERE)


def theano_version() -> str:
    """The version of the Theano that is installed there; raises UserError if there is none."""
    python = shutil.which(theano_python())
    if python is None:
        why = "no such program"
    else:
        folders = (Path(python).absolute().parents[1] / "lib").glob("python3*/site-packages")
        for theano in distributions(name="theano", path=[str(path) for path in folders]):
            return theano.version
        why = "Theano is not installed there"
    raise UserError(
        f"`engine: theano`: {theano_python()}: {why}: `make theano` makes it, and {THEANO_PYTHON} "
        "names another"
    )


def machine(gpu: str | None = None) -> Machine:
    """Describe the hardware and system that this process runs on; `gpu` names the GPU it uses."""
    return Machine(
        processor=value_in("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        cores=os.cpu_count() or 1,
        system=platform.platform(terse=True),
        gpu=gpu,
    )


def peak_memory() -> int:
    """Return the peak resident memory of this process, in bytes.

    `getrusage` also counts the time before the process became this program, when it was a copy of
    its parent. The system's own peak value (VmHWM) does not, so it is preferred if there is one.
    """
    peak = value_in("/proc/self/status", "VmHWM:").removesuffix(" kB")
    return int(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024
