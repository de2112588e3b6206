"""The decorators of the kernels' functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

UNCOUNTED = {"_nrt": False}
"""The options of numba by which a function counts no references to arrays."""


def kernel(**options: Any) -> Any:
    """Compile a function with numba, keep its machine code on disk, and count no references.

    By default numba counts the references to every array that a function reads from a tuple, cuts
    out of another one or passes on. That takes longer than many a function here, and compiling it
    several times as long. The arrays that a kernel is given live longer than its call, so they need
    no counts. Without them a function can neither allocate arrays nor return any: what returns a
    part of an array is a `view`.
    """
    return njit(cache=True, **UNCOUNTED, **options)


def view(function: Callable[..., Any]) -> Any:
    """Compile a function that returns parts of arrays: it is put in the place of its calls.

    From Python, call its `py_func`: compiled by itself it could return no array.
    """
    return kernel(inline="always")(function)
