"""The layout of a batch of segments in memory: by time, and grouped by the targets' classes.

A batch is divided into sections, each with some of its segments, such as sentences. The rows of a
section follow each other. Its segments are sorted by falling length, so that those that have a word
at time t come first, and no padding is needed. Row first_rows[t] + b of every matrix belongs to
word t of the section's segment b.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.engines.kernels.compiled import kernel, view
from online_rnnlm.core.engines.kernels.dropout import drop_embeddings
from online_rnnlm.core.engines.kernels.elementwise import copy_rows, gather
from online_rnnlm.core.engines.kernels.rows import add_product

SECTION = 32
"""The most segments of a section. With smaller ones products are slower; with larger ones threads
have no work, as no more threads than there are sections can compute hidden states."""


class Section(NamedTuple):
    """The place of a section's segments and words in the arrays of a batch."""

    first: int
    """The place of its first segment in arrays over the batch's segments, (B, ·)."""
    steps: int
    """T, the number of tokens of its longest segment."""
    first_rows: NDArray[np.int64]
    """(≥ T + 1,): the first row of each time step in arrays over the batch's words, (N, ·)."""


@view
def section_of(workspace, number):
    """A section of the batch that was laid out last, by its number."""
    return Section(
        workspace.first_lanes[number], workspace.steps[number], workspace.first_rows[number]
    )


@kernel(inline="always")
def rows_of(section):
    """The first row of a section, and the row after its last one."""
    return section.first_rows[0], section.first_rows[section.steps]


@kernel(inline="always")
def words_at(section, t):
    """The first row of a section's time step, and the row after its last one."""
    return section.first_rows[t], section.first_rows[t + 1]


@kernel(inline="always")
def segments_at(section, t):
    """The places of the segments that have a word t, in arrays over the batch's segments."""
    begin, end = words_at(section, t)
    return slice(section.first, section.first + end - begin)


@kernel()
def measure(text, classes, sentences):
    """The most tokens and the most candidate words that any of these sentences (S,) has.

    The candidates of a sentence are the words of its targets' classes, counted for each target.
    """
    tokens, candidates = 0, 0
    for sentence in sentences:
        begin, end = text.offsets[sentence], text.offsets[sentence + 1]
        found = 0
        for place in range(begin + 1, end + 1):
            c = classes.of_word[text.stream[place]]
            found += classes.offsets[c + 1] - classes.offsets[c]
        tokens, candidates = max(tokens, end - begin), max(candidates, found)
    return tokens, candidates


@kernel()
def sort_by_length(offsets, segments, lanes):
    """Sort the lanes that read a segment by its falling length, keeping the order among equals.

    `segments` (B,) are the segments of all lanes; a negative number is that of a lane that reads
    nothing. Fills `lanes` (≤ B,) and returns the number of those that read.
    """
    number = 0
    for lane in range(segments.size):
        segment = segments[lane]
        if segment < 0:
            continue
        j = number - 1
        while j >= 0 and _length(offsets, segments[lanes[j]]) < _length(offsets, segment):
            lanes[j + 1] = lanes[j]
            j -= 1
        lanes[j + 1] = lane
        number += 1
    return number


@kernel()
def lay_out(text, segments, workspace):
    """Lay out a batch of segments in the workspace; return its numbers of sections and of tokens.

    `segments` (B,) are the segments of all lanes. The sections get segments of all lengths, so that
    they have about as many words.
    """
    order = workspace.sorted_lanes[: sort_by_length(text.offsets, segments, workspace.sorted_lanes)]
    sections = (order.size + SECTION - 1) // SECTION
    row = first = 0
    for number in range(sections):
        begin = first
        for i in range(number, order.size, sections):
            workspace.lanes[first] = order[i]
            first += 1
        workspace.first_lanes[number], workspace.first_lanes[number + 1] = begin, first
        row = _lay_out_section(text, segments, number, row, workspace)
    return sections, row


@kernel(inline="always")
def _lay_out_section(text, segments, number, row, workspace):
    """Lay out a section from that row on; return the row after its last one."""
    stream, offsets, first_rows = text.stream, text.offsets, workspace.first_rows[number]
    places, inputs, targets = workspace.places, workspace.inputs, workspace.targets
    lanes = workspace.lanes[workspace.first_lanes[number] : workspace.first_lanes[number + 1]]
    active, t = lanes.size, 0
    while active > 0:
        first_rows[t] = row
        for b in range(active):
            place = offsets[segments[lanes[b]]] + t
            places[row] = place
            inputs[row] = stream[place]
            targets[row] = stream[place + 1]
            row += 1
        t += 1
        while active > 0 and _length(offsets, segments[lanes[active - 1]]) <= t:
            active -= 1
    first_rows[t] = row
    workspace.steps[number] = t
    return row


@kernel(inline="always")
def _length(offsets, segment):
    """The number of tokens of a segment."""
    return offsets[segment + 1] - offsets[segment]


@kernel()
def group_by_class(tokens, classes, workspace):
    """Group a batch's rows by their target's class.

    Class c's rows are rows_by_class[class_starts[c] : class_starts[c + 1]]; `class_starts` is
    (K + 1,). The candidate words of row i, those of its target's class, have their scores and
    deltas from first_candidates[i] on, row after row in the order of classes.
    """
    targets, class_starts = workspace.targets[:tokens], workspace.class_starts
    rows_by_class, places = workspace.rows_by_class, workspace.places_by_class
    first_candidates, of_word = workspace.first_candidates, classes.of_word
    class_starts[:] = 0
    for i in range(targets.size):
        class_starts[of_word[targets[i]] + 1] += 1
    for c in range(class_starts.size - 1):
        class_starts[c + 1] += class_starts[c]
    for i in range(targets.size):
        c = of_word[targets[i]]
        rows_by_class[class_starts[c]] = i
        places[i] = class_starts[c]
        class_starts[c] += 1
    for c in range(class_starts.size - 1, 0, -1):
        class_starts[c] = class_starts[c - 1]
    class_starts[0] = 0
    total = 0
    for c in range(class_starts.size - 1):
        size = classes.offsets[c + 1] - classes.offsets[c]
        for r in range(class_starts[c], class_starts[c + 1]):
            first_candidates[rows_by_class[r]] = total
            total += size


@view
def candidates_of(values, first, rows, size):
    """A class's scores or deltas as a matrix: a view of `values`, (rows, size).

    `size` is the number of the class's words. Its rows follow each other from `first` on.
    """
    return values[first : first + rows * size].reshape(rows, size)


@view
def transposed_outputs(workspace, low, high):
    """W_o[c]ᵀ, (M, L), of the class of these words with `by_rows`; else a matrix without rows.

    It is a view of `workspace.word_output_transposed`.
    """
    values = workspace.word_output_transposed[low:high]
    return values.reshape(values.shape[1], high - low)


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


@kernel(inline="always")
def read_words(model, section, t, has_state, inputs, workspace):
    """Set `inputs` (b, N) to E[w_t] + h_{t-1} W_hᵀ, after dropout of E, for the words of a time t.

    `has_state` is False if the states before the first words are 0.
    """
    begin, end = words_at(section, t)
    gather(model.weights.embeddings, workspace.inputs[begin:end], inputs)
    drop_embeddings(model.dropout, workspace.places[begin:end], inputs)
    if t > 0 or has_state:
        before = states_before(workspace.hidden_before, workspace.hidden, section, t)
        add_product(workspace.by_rows, before, workspace.recurrent_transposed, inputs)


@kernel()
def copy_hidden_before(section, workspace):
    """Fill the section's rows of `previous_hidden`."""
    first, hidden, previous = workspace.hidden_before, workspace.hidden, workspace.previous_hidden
    for t in range(section.steps):
        begin, end = words_at(section, t)
        copy_rows(states_before(first, hidden, section, t), previous[begin:end])
