"""The hidden layers that the kernels have, each a module of this package, named as the cell.

`run` computes the states of a section of a batch (`layout`) from `workspace.inputs`, and leaves the
inputs of the output layer in `workspace.hidden`. `propagate` turns ∂L_t/∂h_t, in
`workspace.hidden_gradient`, into the deltas of the rows of E, `hidden_deltas`, and of the products
with the recurrent matrix, `recurrent_deltas`; it leaves the inputs of these products in
`previous_hidden`. `HAS_MEMORY` says whether the cell keeps a memory beside h, and
`HAS_DELTAS_OF_PRODUCTS` whether the two kinds of deltas differ. `allocate` makes the arrays that no
other cell needs.

The constants of each cell are a tuple of a type of its own, by which numba chooses the functions.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from numba.extending import overload

from online_rnnlm.engines.kernels.cells import gru, lstm, sigmoid, slow_context
from online_rnnlm.engines.kernels.compiled import UNCOUNTED

KERNEL_CELLS: dict[str, ModuleType] = {
    "sigmoid": sigmoid,
    "slow_context": slow_context,
    "lstm": lstm,
    "gru": gru,
}
_BY_CONSTANTS = {module.Constants: module for module in KERNEL_CELLS.values()}


def run_cell(cell: Any, model: Any, section: Any, has_state: Any, workspace: Any) -> None:
    """Compute a section's states; `has_state` is False if those before its first words are 0."""
    _BY_CONSTANTS[type(cell)].run(cell, model, section, has_state, workspace)


@overload(run_cell, jit_options=UNCOUNTED)
def _run_cell(cell, model, section, has_state, workspace):
    run = _BY_CONSTANTS[cell.instance_class].run

    def chosen(cell, model, section, has_state, workspace):
        run(cell, model, section, has_state, workspace)

    return chosen


def propagate_through_cell(cell: Any, model: Any, section: Any, workspace: Any) -> None:
    """Propagate a section's loss back through time."""
    _BY_CONSTANTS[type(cell)].propagate(cell, model, section, workspace)


@overload(propagate_through_cell, jit_options=UNCOUNTED)
def _propagate_through_cell(cell, model, section, workspace):
    propagate = _BY_CONSTANTS[cell.instance_class].propagate

    def chosen(cell, model, section, workspace):
        propagate(cell, model, section, workspace)

    return chosen
