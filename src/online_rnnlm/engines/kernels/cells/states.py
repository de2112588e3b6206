"""Functions that all cells read their inputs by: embeddings, and the states a word earlier."""

from __future__ import annotations

from numba import njit

from online_rnnlm.engines.kernels.dropout import drop_embeddings
from online_rnnlm.engines.kernels.vectors import gather


@njit(cache=True)
def embed(model, begin, end, workspace, rows):
    """Copy the rows of E of the previous words of rows begin to end - 1, after dropout; (b, N)."""
    gather(model.weights.embeddings, workspace.inputs[begin:end], rows)
    drop_embeddings(model.dropout, workspace.places[begin:end], rows)


@njit(cache=True)
def hidden_before(workspace, t):
    """The rows of `hidden` a word earlier, of the segments that have a word t; (b, H)."""
    first_rows = workspace.first_rows
    number = first_rows[t + 1] - first_rows[t]
    if t == 0:
        return workspace.hidden_before[:number]
    return workspace.hidden[first_rows[t - 1] : first_rows[t - 1] + number]


@njit(cache=True)
def memory_before(workspace, t):
    """The rows of `memory` a word earlier, of the segments that have a word t; (b, M)."""
    first_rows = workspace.first_rows
    number = first_rows[t + 1] - first_rows[t]
    if t == 0:
        return workspace.memory_before[:number]
    return workspace.memory[first_rows[t - 1] : first_rows[t - 1] + number]


@njit(cache=True)
def copy_hidden_before(steps, first_step, workspace):
    """Fill `previous_hidden` from time step `first_step` on; return its first row."""
    first_rows = workspace.first_rows
    for t in range(first_step, steps):
        workspace.previous_hidden[first_rows[t] : first_rows[t + 1]] = hidden_before(workspace, t)
    return first_rows[first_step]
