"""The hidden layers that the kernels have, each a module of this package.

`run` computes the states of a section of a batch (`layout`) from `workspace.inputs`, and leaves the
inputs of the output layer in `workspace.hidden`. `propagate` turns ∂L_t/∂h_t, in
`workspace.hidden_gradient`, into the deltas of the rows of E and of the products with the recurrent
matrix, `hidden_deltas`; it leaves the inputs of these products in `previous_hidden`. `HAS_MEMORY`
says whether the cell keeps a memory beside h. `Scratch` are the arrays that no other cell needs: a
tuple of a type of its own, by which numba chooses the functions.
"""

from __future__ import annotations

from typing import Any

from numba.extending import overload

from online_rnnlm.core.engines.kernels.cells import lstm, sigmoid
from online_rnnlm.core.engines.kernels.compiled import UNCOUNTED

KERNEL_CELLS = {"sigmoid": sigmoid, "lstm": lstm}
_BY_SCRATCH = {module.Scratch: module for module in KERNEL_CELLS.values()}
for _name, _module in KERNEL_CELLS.items():
    # numba calls a tuple's type by the name of its class, and takes types of one name for the same.
    _module.Scratch.__name__ = f"{_name}_scratch"


def _function_of_cells(name: str) -> Any:
    """Make a function of the kernels that calls the cell's own function of that name."""

    def call(own, *arguments):
        getattr(_BY_SCRATCH[type(own)], name)(own, *arguments)

    @overload(call, jit_options=UNCOUNTED, strict=False)
    def _call(own, *arguments):
        return getattr(_BY_SCRATCH[own.instance_class], name).py_func

    return call


run_cell = _function_of_cells("run")
"""Computes a section's states; `has_state` is False if those before its first words are 0."""
propagate_through_cell = _function_of_cells("propagate")
"""Propagates a section's loss back through time."""
