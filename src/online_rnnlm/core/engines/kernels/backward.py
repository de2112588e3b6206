"""Gradients of one batch, and the updates of the weights, in place.

All gradients are those of the weights that made the predictions: deltas are propagated through each
matrix before it is updated. The type of `optimizer` chooses the rule of the updates
(`data.step_row`); `accumulators` hold what the rule keeps for each weight.
"""

from __future__ import annotations

from online_rnnlm.core.engines.kernels.blas import multiply_nn, multiply_tn
from online_rnnlm.core.engines.kernels.cells import propagate_through_cell
from online_rnnlm.core.engines.kernels.compiled import kernel
from online_rnnlm.core.engines.kernels.data import step_row, step_rows
from online_rnnlm.core.engines.kernels.dropout import drop_embeddings, drop_hidden
from online_rnnlm.core.engines.kernels.elementwise import add, copy, gather
from online_rnnlm.core.engines.kernels.forward import extent, predict_class, score_class
from online_rnnlm.core.engines.kernels.layout import (
    candidates_of,
    rows_of,
    section_of,
    transposed_outputs,
)
from online_rnnlm.core.engines.kernels.team import INPUTS, OUTPUTS, next_task, wait

PART = 32
"""The number of rows of a matrix that one thread updates at a time."""
WORDS = 64
"""The number of a batch's words whose embeddings one thread updates at a time."""


@kernel()
def update_weights(
    model, accumulators, optimizer, sections, tokens, lacks_words, member, workspace
):
    """Update all weights from the deltas that `batches.predict` has left.

    `sections` and `tokens` are the numbers of the batch's sections and words. With `lacks_words`
    the words of each class are predicted here, while its weights are in the cache. The states
    before the batch's first words count as constants.
    """
    for number in range(member.number, sections, member.size):
        go_back_through_classes(model, number, workspace)
    wait(member)
    update_outputs(model, accumulators, optimizer, sections, tokens, lacks_words, member, workspace)
    wait(member)
    for number in range(member.number, sections, member.size):
        go_back_through_time(model, number, workspace)
    wait(member)
    update_inputs(model, accumulators, optimizer, sections, tokens, member, workspace)
    wait(member)


@kernel(inline="always")
def go_back_through_classes(model, number, workspace):
    """Set ∂L_t/∂h_t = W_cᵀ δ_c, and a section's share of the gradients of W_c and V_c.

    ∂L/∂W_c = Σ δ_c hᵀ and ∂L/∂V_cᵀ = Σ d δ_cᵀ, here over the section's words.
    """
    weights, gradients = model.weights, workspace.gradients
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    begin, end = rows_of(section_of(workspace, number))
    deltas = workspace.class_deltas[begin:end]
    hidden_gradient = workspace.hidden_gradient[begin:end]
    multiply_nn(one, deltas, weights.class_output, zero, hidden_gradient)
    inputs = workspace.output_inputs[begin:end]
    multiply_tn(one, deltas, inputs, zero, gradients.class_output[number])
    if weights.class_document.shape[0] > 0:
        gradient = gradients.class_document[number]
        multiply_tn(one, workspace.documents[begin:end], deltas, zero, gradient)


@kernel(inline="always")
def go_back_through_time(model, number, workspace):
    """Propagate ∂L_t/∂h_t of a section's words through its states.

    Sets the section's share of the gradient ∂L/∂W_h = Σ δ_h,t h_{t-1}ᵀ.
    """
    section = section_of(workspace, number)
    one, zero = workspace.hidden.dtype.type(1), workspace.hidden.dtype.type(0)
    begin, end = rows_of(section)
    places, deltas = workspace.places[begin:end], workspace.hidden_deltas[begin:end]
    _add_gradients_of_words(model.classes, begin, end, workspace)
    drop_hidden(model.dropout, places, workspace.hidden_gradient[begin:end])
    propagate_through_cell(workspace.of_cell, model, section, workspace)
    before = workspace.previous_hidden[begin:end]
    multiply_tn(one, deltas, before, zero, workspace.gradients.recurrent[number])
    drop_embeddings(model.dropout, places, deltas)


@kernel(inline="always")
def _add_gradients_of_words(classes, begin, end, workspace):
    """Add W_o[c]ᵀ δ_w to ∂L_t/∂h_t of these rows."""
    of_word, offsets, targets = classes.of_word, classes.offsets, workspace.targets
    grouped, gradient = workspace.grouped_hidden_gradient, workspace.hidden_gradient
    places = workspace.places_by_class
    for row in range(begin, end):
        c = of_word[targets[row]]
        if offsets[c + 1] - offsets[c] > 1:
            add(grouped[places[row]], gradient[row])


@kernel(inline="always")
def update_outputs(
    model, accumulators, optimizer, sections, tokens, lacks_words, member, workspace
):
    """Update the output layer: the tasks are its classes of words, then parts of W_c and V_c.

    The last task links the rows of the same previous word, for `update_embeddings`.
    """
    weights, gradients = model.weights, workspace.gradients
    classes = model.classes.largest_first.size
    class_output = classes + _parts(weights.class_output)
    class_document = class_output + _parts(weights.class_document)
    task = update_words(model, accumulators, optimizer, lacks_words, member, workspace)
    while task <= class_document:
        if task < class_output:
            gradient, sums = gradients.class_output[:sections], accumulators.class_output
            _update_part(weights.class_output, gradient, sums, task - classes, optimizer)
        elif task < class_document:
            gradient, sums = gradients.class_document[:sections], accumulators.class_document
            _update_part(weights.class_document, gradient, sums, task - class_output, optimizer)
        else:
            _link_words(tokens, workspace)
        task = next_task(member, OUTPUTS)


@kernel(inline="always")
def update_inputs(model, accumulators, optimizer, sections, tokens, member, workspace):
    """Update the hidden layer: the tasks are parts of W_h, then those of the words of E."""
    weights, gradients = model.weights, workspace.gradients
    recurrent = _parts(weights.recurrent)
    embeddings = recurrent + (tokens + WORDS - 1) // WORDS
    task = next_task(member, INPUTS)
    while task < embeddings:
        if task < recurrent:
            gradient, sums = gradients.recurrent[:sections], accumulators.recurrent
            _update_part(weights.recurrent, gradient, sums, task, optimizer)
        else:
            begin = (task - recurrent) * WORDS
            rows = range(begin, min(begin + WORDS, tokens))
            update_embeddings(weights, accumulators, optimizer, rows, workspace)
        task = next_task(member, INPUTS)


@kernel(inline="always")
def _parts(matrix):
    """The number of parts of a matrix."""
    return (matrix.shape[0] + PART - 1) // PART


@kernel()
def _update_part(weights, gradients, accumulators, part, optimizer):
    """Update a part of a matrix by the sum of the sections' gradients, (S, R, C)."""
    rows = slice(part * PART, min((part + 1) * PART, weights.shape[0]))
    gradient = gradients[0][rows]
    for number in range(1, gradients.shape[0]):
        add(_flat(gradients[number][rows]), _flat(gradient))
    step_row(_flat(weights[rows]), _flat(gradient), _flat(accumulators[rows]), optimizer)


@kernel()
def update_words(model, accumulators, optimizer, lacks_words, member, workspace):
    """For every class c compute W_o[c]ᵀ δ_w of its words, then update W_o[c] and V_o[c].

    ∂L/∂W_o[c] = Σ δ_w hᵀ and ∂L/∂V_o[c]ᵀ = Σ d δ_wᵀ over the rows of that class. With
    `lacks_words` the words are predicted first. Returns the first task that is not a class.
    """
    weights, classes = model.weights, model.classes
    memory = workspace.gradients.word_output
    while True:
        task = next_task(member, OUTPUTS)
        if task >= classes.largest_first.size:
            return task
        c = classes.largest_first[task]
        begin, end, low, high = extent(workspace.class_starts, classes.offsets, c)
        if end == begin:
            continue
        rows, hidden = workspace.rows_by_class[begin:end], workspace.grouped_hidden[begin:end]
        output, first = weights.word_output[low:high], workspace.first_candidates[rows[0]]
        deltas = candidates_of(workspace.word_deltas, first, end - begin, high - low)
        if lacks_words:
            transposed = transposed_outputs(workspace, low, high)
            score_class(workspace.output_inputs, rows, output, transposed, hidden, deltas)
            predict_class(deltas, rows, workspace.targets, low, workspace.log_probabilities)
        sums = accumulators.word_output[low:high]
        back = workspace.grouped_hidden_gradient[begin:end]
        step_rows(output, sums, deltas, hidden, back, memory, optimizer)
        if weights.word_document.shape[0] > 0:
            documents = workspace.grouped_documents[begin:end]
            gather(workspace.documents, rows, documents)
            columns = weights.word_document[:, low:high]
            sums = accumulators.word_document[:, low:high]
            step_rows(columns, sums, documents, deltas, None, memory, optimizer)


@kernel(inline="always")
def _link_words(tokens, workspace):
    """Link the rows of each previous word w by `next_rows`, from `first_row_of[w]` to -1."""
    inputs, first_row_of, next_rows = workspace.inputs, workspace.first_row_of, workspace.next_rows
    for row in range(tokens - 1, -1, -1):
        next_rows[row] = first_row_of[inputs[row]]
        first_row_of[inputs[row]] = row


@kernel(inline="always")
def update_embeddings(weights, accumulators, optimizer, rows, workspace):
    """Update E[w] for each w whose first row is one of these.

    ∂L/∂E[w] = Σ δ_h over the words that follow w.
    """
    inputs, first_row_of, next_rows = workspace.inputs, workspace.first_row_of, workspace.next_rows
    deltas, gradient = workspace.hidden_deltas, workspace.gradients.embeddings
    embeddings, kept = weights.embeddings, accumulators.embeddings
    for row in rows:
        word = inputs[row]
        if first_row_of[word] == row:  # else another row of the word comes first
            first_row_of[word] = -1
            _sum_chain(deltas, row, next_rows, gradient)
            step_row(embeddings[word], gradient, kept[word], optimizer)


@kernel()
def _sum_chain(rows, first, following, total):
    """Set total = rows[first] + rows[following[first]] + …, until -1 follows."""
    copy(rows[first], total)
    i = following[first]
    while i >= 0:
        add(rows[i], total)
        i = following[i]


@kernel(inline="always")
def _flat(matrix):
    """A contiguous matrix as one long row."""
    return matrix.reshape(matrix.size)
