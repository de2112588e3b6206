"""Checks whether an engine can compute a network on this machine, and makes it compile."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from online_rnnlm.config.measurements import PlannedMeasurement
from online_rnnlm.config.messages import first_message
from online_rnnlm.engines import devices
from online_rnnlm.errors import UserError

COMPILER = "g++"
_NEED_COMPILER = ("pytensor-c", "theano")
_LINKERS = {"pytensor-c": "linker=cvm", "pytensor-numba": "cxx=,linker=numba"}
"""The flags by which PyTensor compiles the plain graph."""
_FLAGS = {
    **dict.fromkeys(_LINKERS, "PYTENSOR_FLAGS"),
    "theano": "THEANO_FLAGS",
}
"""The variables in which a user can ask for computing without a compiler: `mode=FAST_COMPILE`."""


def why_not(planned: PlannedMeasurement) -> str | None:
    """Return why an engine cannot compute a network on this machine; None if it can."""
    try:
        settings = planned.settings
        if planned.engine in _NEED_COMPILER and shutil.which(COMPILER) is None:
            return f"{COMPILER} is not installed"
        devices.check(settings)
    except ValidationError as error:
        return first_message(error)
    except UserError as error:
        return str(error)
    return None


def why_uncompiled(engine: str) -> str | None:
    """Return why an engine computes without a compiler; None if it compiles."""
    variable = _FLAGS.get(engine, "")
    asked = re.search(r"(?:^|,)(mode=\w+)", os.environ.get(variable, ""))
    return f"{variable} has `{asked[1]}`" if asked else None


@contextmanager
def compiling(engine: str, *, empty: bool) -> Iterator[None]:
    """Let an engine that is loaded in the block compile by its own means.

    With `empty` it finds nothing that was compiled before.
    """
    with tempfile.TemporaryDirectory(prefix="engines-", ignore_cleanup_errors=True) as folder:
        changed = _variables(engine, folder if empty else None)
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _variables(engine: str, folder: str | None) -> dict[str, str]:
    """Environment variables for an engine, and with the folder for all that is compiled."""
    flags = {"PYTENSOR_FLAGS": [_LINKERS.get(engine, "")], "THEANO_FLAGS": [""]}
    if engine == "pytensor-c":
        flags["PYTENSOR_FLAGS"].insert(0, f"cxx={shutil.which(COMPILER)}")
    found = {}
    if folder is not None:
        for of_library in flags.values():
            of_library.append(f"base_compiledir={folder}/compiled")
        found = {
            "NUMBA_CACHE_DIR": f"{folder}/numba",
            "JAX_COMPILATION_CACHE_DIR": f"{folder}/jax",
        }
    # The last of equal flags counts, so those of the user stay but for these.
    for name, ours in flags.items():
        found[name] = ",".join(filter(None, [os.environ.get(name, ""), *ours]))
    return found
