"""The hidden layers that the kernels have, each a module with the functions `run` and `propagate`.

`run` computes the states of a batch from `workspace.inputs`, and leaves what feeds the output layer
in `workspace.hidden`. `propagate` turns ∂L_t/∂h_t, in `workspace.hidden_gradient`, into the deltas
of the rows of E, `hidden_deltas`, and of the rows of the recurrent matrix, `recurrent_deltas`; it
leaves what that matrix was multiplied by in `previous_hidden`, and returns the first row of these.

A cell's constants are a tuple of a type of its own, by which numba chooses the functions.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from numba.extending import overload
from numpy.typing import DTypeLike

from online_rnnlm.engines.kernels.cells import gru, lstm, sigmoid, slow_context
from online_rnnlm.model.sizes import Sizes

_BY_NAME: dict[str, ModuleType] = {
    "sigmoid": sigmoid,
    "slow_context": slow_context,
    "lstm": lstm,
    "gru": gru,
}
_MODULES: dict[type, ModuleType] = {
    sigmoid.Sigmoid: sigmoid,
    slow_context.SlowContext: slow_context,
    lstm.Lstm: lstm,
    gru.Gru: gru,
}


def allocate_cell(sizes: Sizes, tokens: int, sentences: int, dtype: DTypeLike) -> Any:
    """Allocate what only this kind of cell needs, for N tokens and B segments side by side."""
    return _BY_NAME[sizes.cell].allocate(sizes, tokens, sentences, dtype)


def run_cell(cell: Any, model: Any, steps: Any, has_state: Any, workspace: Any) -> None:
    """Compute the states of a batch; `has_state` is False if those before its first words are 0."""
    _MODULES[type(cell)].run(cell, model, steps, has_state, workspace)


@overload(run_cell)
def _run_cell(cell, model, steps, has_state, workspace):
    run = _MODULES[cell.instance_class].run

    def chosen(cell, model, steps, has_state, workspace):
        run(cell, model, steps, has_state, workspace)

    return chosen


def propagate_through_cell(
    cell: Any, model: Any, steps: Any, has_state: Any, workspace: Any
) -> Any:
    """Propagate a batch's loss back through time; return the first row of `previous_hidden`."""
    return _MODULES[type(cell)].propagate(cell, model, steps, has_state, workspace)


@overload(propagate_through_cell)
def _propagate_through_cell(cell, model, steps, has_state, workspace):
    propagate = _MODULES[cell.instance_class].propagate

    def chosen(cell, model, steps, has_state, workspace):
        return propagate(cell, model, steps, has_state, workspace)

    return chosen
