"""The device that a run asks for: there, or the run fails before anything heavy is loaded."""

from __future__ import annotations

import ctypes
import os
from importlib.util import find_spec

from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError

DRIVER = "libcuda.so.1"
PLUGIN = "jax_cuda12_plugin"
_NAME_BYTES = 256


def require(settings: RunSettings) -> None:
    """Let JAX see the device that the settings require, and no other; call it before the import.

    Raises UserError if there is no such device, or if JAX or its plugin is not installed. Takes
    milliseconds: the NVIDIA driver itself is asked, by which CUDA_VISIBLE_DEVICES is heeded.
    """
    if settings.engine != "jax":
        return
    on_gpu = settings.device == "gpu"
    if on_gpu:
        gpu_name()
    if find_spec("jax") is None:
        extra = "cuda" if on_gpu else "jax"
        raise UserError(
            f"`engine: jax`: JAX is not installed: `make {extra}` adds it "
            f"(with pip: the extra `{extra}`)"
        )
    if on_gpu and find_spec(PLUGIN) is None:
        raise UserError(
            "`device: gpu`: JAX is installed without its CUDA plugin: `make cuda` adds it "
            "(with pip: the extra `cuda`)"
        )
    # With a platform named, JAX raises where it would otherwise go on with another one.
    os.environ["JAX_PLATFORMS"] = "cuda" if on_gpu else "cpu"


def gpu(settings: RunSettings) -> str | None:
    """The GPU's name, if the settings ask for one; raises UserError if there is none."""
    return gpu_name() if settings.device == "gpu" else None


def gpu_name() -> str:
    """The name of the first GPU that this process may use; raises UserError if there is none."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        raise UserError(_none(f"the NVIDIA driver's {DRIVER} is not found")) from None
    count, device = ctypes.c_int(0), ctypes.c_int(0)
    name = ctypes.create_string_buffer(_NAME_BYTES)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status or not count.value:
        raise UserError(_none(f"the NVIDIA driver offers none (its status is {status})"))
    if driver.cuDeviceGet(ctypes.byref(device), 0) or driver.cuDeviceGetName(
        name, _NAME_BYTES, device
    ):
        return "unknown"
    return name.value.decode(errors="replace")


def _none(why: str) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    told = "" if visible is None else f" with CUDA_VISIBLE_DEVICES={visible!r}"
    return (
        f"`device: gpu`: no GPU for this process on {os.uname().nodename}: {why}{told}; "
        "run it where there is one, or set `device: cpu`"
    )
