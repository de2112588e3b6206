"""The layout of a batch of segments in memory: by time, and grouped by the targets' classes.

Segments, such as sentences, are sorted by falling length, so that those that have a word at time t
come first, and no padding is needed. Row first_rows[t] + b of every matrix belongs to word t of
segment b.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def lay_out(text, segments, lanes, first_rows, places, inputs, targets):
    """Fill `first_rows` (T + 1,), `inputs` and `targets` (N,) for the sorted lanes of a batch.

    `places` (N,) become the places of the inputs in the text's stream. `lanes` (B,) are sorted by
    `sort_by_length`. Returns T and N, the batch's time steps and tokens.
    """
    offsets, active = text.offsets, lanes.size
    row = t = 0
    while active > 0:
        first_rows[t] = row
        for b in range(active):
            place = offsets[segments[lanes[b]]] + t
            places[row] = place
            inputs[row] = text.stream[place]
            targets[row] = text.stream[place + 1]
            row += 1
        t += 1
        while active > 0 and _length(offsets, segments[lanes[active - 1]]) <= t:
            active -= 1
    first_rows[t] = row
    return t, row


@njit(cache=True, inline="always")
def _length(offsets, segment):
    """The number of tokens of a segment."""
    return offsets[segment + 1] - offsets[segment]


@njit(cache=True)
def group_by_class(targets, classes, class_starts, rows_by_class, first_candidates):
    """Group rows by their target's class.

    Class c's rows are rows_by_class[class_starts[c] : class_starts[c + 1]]; `class_starts` is
    (K + 1,). The candidate words of row i, those of its target's class, have their scores and
    deltas from first_candidates[i] on, row after row in the order of classes. Returns the total
    number of candidates.
    """
    class_starts[:] = 0
    for i in range(targets.size):
        class_starts[classes.of_word[targets[i]] + 1] += 1
    for c in range(class_starts.size - 1):
        class_starts[c + 1] += class_starts[c]
    for i in range(targets.size):
        c = classes.of_word[targets[i]]
        rows_by_class[class_starts[c]] = i
        class_starts[c] += 1
    for c in range(class_starts.size - 1, 0, -1):
        class_starts[c] = class_starts[c - 1]
    class_starts[0] = 0
    return _place_candidates(classes, class_starts, rows_by_class, first_candidates)


@njit(cache=True)
def _place_candidates(classes, class_starts, rows_by_class, first_candidates):
    total = 0
    for c in range(class_starts.size - 1):
        size = classes.offsets[c + 1] - classes.offsets[c]
        for r in range(class_starts[c], class_starts[c + 1]):
            first_candidates[rows_by_class[r]] = total
            total += size
    return total


@njit(cache=True)
def candidates_of(values, first, rows, size):
    """A class's scores or deltas as a matrix: a view of `values`, (rows, size).

    `size` is the number of the class's words. Its rows follow each other from `first` on.
    """
    return values[first : first + rows * size].reshape(rows, size)
