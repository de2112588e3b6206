"""The layout of a batch of sentences in memory: by time, and grouped by the targets' classes.

Sentences are sorted by falling length, so that those that have a word at time t come first, and no
padding is needed. Row first_rows[t] + b of every matrix belongs to word t of sentence b.
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
def sort_by_length(offsets, batch):
    """Sort sentence numbers (B,) by falling length, in place, keeping the order among equals."""
    for i in range(1, batch.size):
        sentence = batch[i]
        length = offsets[sentence + 1] - offsets[sentence]
        j = i - 1
        while j >= 0 and offsets[batch[j] + 1] - offsets[batch[j]] < length:
            batch[j + 1] = batch[j]
            j -= 1
        batch[j + 1] = sentence


@njit(cache=True)
def lay_out(text, batch, first_rows, inputs, targets):
    """Fill `first_rows` (T + 1,), `inputs` and `targets` (N,) for a sorted batch.

    Returns T and N, the batch's time steps and tokens.
    """
    offsets = text.offsets
    steps = offsets[batch[0] + 1] - offsets[batch[0]]
    active = batch.size
    row = 0
    for t in range(steps):
        while offsets[batch[active - 1] + 1] - offsets[batch[active - 1]] <= t:
            active -= 1
        first_rows[t] = row
        for b in range(active):
            place = offsets[batch[b]] + t
            inputs[row] = text.stream[place]
            targets[row] = text.stream[place + 1]
            row += 1
    first_rows[steps] = row
    return steps, row


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
