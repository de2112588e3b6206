"""How a batch of sentences lies in memory: by time, and grouped by the targets' classes.

Sentences are sorted by falling length, so that the sentences that are still running at time t
are the first ones: no padding. Row `first[t] + b` of every matrix belongs to word t of sentence b.
"""

from __future__ import annotations

from numba import njit


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
def lay_out(stream, offsets, batch, first, inputs, targets):
    """Fill `first` (T + 1,), `inputs` and `targets` (N,) for a sorted batch; returns T and N."""
    steps = offsets[batch[0] + 1] - offsets[batch[0]]
    active = batch.size
    row = 0
    for t in range(steps):
        while offsets[batch[active - 1] + 1] - offsets[batch[active - 1]] <= t:
            active -= 1
        first[t] = row
        for b in range(active):
            place = offsets[batch[b]] + t
            inputs[row] = stream[place]
            targets[row] = stream[place + 1]
            row += 1
    first[steps] = row
    return steps, row


@njit(cache=True)
def group_by_class(targets, classes, starts, order, place):
    """Group rows by their target's class.

    Class c's rows are `order[starts[c] : starts[c + 1]]`; `starts` is (K + 1,). The scores of
    row i's candidate words begin at `place[i]`, class after class; returns their number.
    """
    starts[:] = 0
    for i in range(targets.size):
        starts[classes.of_word[targets[i]] + 1] += 1
    for c in range(starts.size - 1):
        starts[c + 1] += starts[c]
    for i in range(targets.size):
        c = classes.of_word[targets[i]]
        order[starts[c]] = i
        starts[c] += 1
    for c in range(starts.size - 1, 0, -1):
        starts[c] = starts[c - 1]
    starts[0] = 0
    return _place_scores(classes, starts, order, place)


@njit(cache=True)
def _place_scores(classes, starts, order, place):
    total = 0
    for c in range(starts.size - 1):
        size = classes.offsets[c + 1] - classes.offsets[c]
        for r in range(starts[c], starts[c + 1]):
            place[order[r]] = total
            total += size
    return total


@njit(cache=True)
def gather(source, rows, target):
    """target[r] ← source[rows[r]]."""
    for r in range(rows.size):
        target[r] = source[rows[r]]
