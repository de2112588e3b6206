"""Functions that all cells read their inputs by: embeddings, and the states a word earlier."""

from __future__ import annotations

from online_rnnlm.engines.kernels.compiled import kernel, view
from online_rnnlm.engines.kernels.dropout import drop_embeddings
from online_rnnlm.engines.kernels.layout import segments_at, words_at
from online_rnnlm.engines.kernels.vectors import copy_rows, gather


@kernel()
def embed(embeddings, dropout, words, places, rows):
    """Copy the rows of E of these words at these places (b,), after dropout, to rows (b, N)."""
    gather(embeddings, words, rows)
    drop_embeddings(dropout, places, rows)


@view
def states_before(first, states, section, t):
    """The states a word earlier, of the section's segments that have a word t; (b, ·).

    `first` (B, ·) are those before the first words, `states` (N, ·) those after every word.
    """
    begin, end = words_at(section, t)
    if t == 0:
        return first[segments_at(section, t)]
    row = section.first_rows[t - 1]
    return states[row : row + end - begin]


@kernel()
def copy_hidden_before(section, workspace):
    """Fill the section's rows of `previous_hidden`."""
    first, hidden, previous = workspace.hidden_before, workspace.hidden, workspace.previous_hidden
    for t in range(section.steps):
        begin, end = words_at(section, t)
        copy_rows(states_before(first, hidden, section, t), previous[begin:end])
