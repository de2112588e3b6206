"""The device on which JAX computes, and the number of bits of its reals."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np

from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import Parameters, like


@contextmanager
def bits_of(dtype: str) -> Iterator[None]:
    """Let JAX compute in 32 or in 64 bits; its one switch is for reals and integers together.

    PyTensor asks for 64-bit sums whatever the terms are; JAX's warning that it has none in 32 bits
    is not shown.
    """
    with warnings.catch_warnings(), jax.enable_x64(dtype == "float64"):
        warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)
        yield


def fetched(parameters: Parameters) -> Parameters:
    """Copy parameters into the host's memory."""
    return like(parameters, map(np.array, parameters))


def check_device(settings: RunSettings) -> None:
    """Raise UserError if JAX computes on another device than the settings ask for."""
    try:
        found = "cpu" if jax.default_backend() == "cpu" else "gpu"
    except (RuntimeError, AssertionError) as error:  # AssertionError: JAX finds no device
        reason = (str(error).splitlines() or ["it sees none"])[0]
        raise UserError(f"`device: {settings.device}`: JAX cannot use it: {reason}") from error
    if found != settings.device:
        raise UserError(
            f"`device: {settings.device}`, but this process's JAX computes on `{found}`: "
            "it was loaded before, for another run"
        )
