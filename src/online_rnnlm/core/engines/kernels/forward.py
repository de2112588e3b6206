"""Predictions for one batch.

Hidden states, and the scores without the vector's part, are matrix products over many words at
once; only the vector's own recurrence runs word by word.
"""

from __future__ import annotations

from online_rnnlm.core.engines.kernels.cells import run_cell
from online_rnnlm.core.engines.kernels.compiled import kernel
from online_rnnlm.core.engines.kernels.data import end_word
from online_rnnlm.core.engines.kernels.dropout import drop_hidden
from online_rnnlm.core.engines.kernels.elementwise import (
    copy_rows,
    gather,
    softmax_deltas,
    transpose,
)
from online_rnnlm.core.engines.kernels.layout import (
    candidates_of,
    rows_of,
    segments_at,
    transposed_outputs,
    words_at,
)
from online_rnnlm.core.engines.kernels.rows import (
    add_document_gradient,
    add_product,
    feed,
    multiply_by_transpose,
    multiply_rows,
)
from online_rnnlm.core.engines.kernels.team import SCORES, next_task


@kernel(inline="always")
def run_section(model, section, has_state, workspace):
    """Compute a section's hidden states, and its scores of classes without the vector's part.

    `has_state` is False if the states before the first words are 0.
    """
    run_cell(workspace.of_cell, model, section, has_state, workspace)
    begin, end = rows_of(section)
    if model.dropout.hidden > 0:
        copy_rows(workspace.hidden[begin:end], workspace.output_inputs[begin:end])
        drop_hidden(model.dropout, workspace.places[begin:end], workspace.output_inputs[begin:end])
    hidden, scores = workspace.output_inputs[begin:end], workspace.class_scores[begin:end]
    scores[:] = 0
    add_product(workspace.by_rows, hidden, workspace.class_output_transposed, scores)


@kernel(inline="always")
def predict_classes(model, section, workspace):
    """Compute log P(c) of a section's words, and δ_c, for a model without a vector."""
    begin, end = rows_of(section)
    of_word, targets, scores = model.classes.of_word, workspace.targets, workspace.class_scores
    log_probabilities = workspace.log_probabilities
    for row in range(begin, end):
        log_probabilities[row] = softmax_deltas(scores[row], of_word[targets[row]])


@kernel()
def score_words(weights, classes, predicts, member, workspace):
    """Compute W_o[c] h_t for the words of every class c of several words.

    With `predicts`, for a model without a vector, also compute log P(w|c) and δ_w.
    """
    starts, offsets, order = workspace.class_starts, classes.offsets, classes.largest_first
    every_score, every_first = workspace.word_scores, workspace.first_candidates
    every_row, grouped = workspace.rows_by_class, workspace.grouped_hidden
    inputs, targets = workspace.output_inputs, workspace.targets
    outputs, log_probabilities = weights.word_output, workspace.log_probabilities
    task = next_task(member, SCORES)
    while task < order.size:
        begin, end, low, high = extent(starts, offsets, order[task])
        if end > begin:
            rows = every_row[begin:end]
            scores = candidates_of(every_score, every_first[rows[0]], end - begin, high - low)
            transposed = transposed_outputs(workspace, low, high)
            score_class(inputs, rows, outputs[low:high], transposed, grouped[begin:end], scores)
            if predicts:
                predict_class(scores, rows, targets, low, log_probabilities)
        task = next_task(member, SCORES)


@kernel()
def transpose_outputs(weights, classes, workspace):
    """Transpose W_o[c] of the batch's classes, but for those that an earlier batch has had."""
    done = workspace.is_transposed
    for c in range(done.size):
        begin, end, low, high = extent(workspace.class_starts, classes.offsets, c)
        if end > begin and done[c] == 0:
            transpose(weights.word_output[low:high], transposed_outputs(workspace, low, high))
            done[c] = 1


@kernel()
def extent(class_starts, offsets, c):
    """The places of class c: of its rows in `rows_by_class`, and of its words in the vocabulary.

    If the class has one word, which needs no probability, there are no rows.
    """
    begin, end, low, high = class_starts[c], class_starts[c + 1], offsets[c], offsets[c + 1]
    return begin, end if high - low > 1 else begin, low, high


@kernel()
def score_class(inputs, rows, output, transposed, grouped, scores):
    """Compute W_o[c] h_t for these rows of `inputs` (N, M), which are copied to `grouped` (n, M).

    `output` is W_o[c], (L, M), and `transposed` its `transposed_outputs`; fills `scores` (n, L).
    """
    gather(inputs, rows, grouped)
    multiply_by_transpose(grouped, output, transposed, scores)


@kernel()
def predict_class(scores, rows, targets, low, log_probabilities):
    """Turn the scores (n, L) of the words of a class into deltas; add log P(w|c) to log P(c).

    `low` is the first word of the class.
    """
    for i in range(rows.size):
        row = rows[i]
        log_probabilities[row] += softmax_deltas(scores[i], targets[row] - low)


@kernel()
def follow_documents(model, section, workspace):
    """Run the document vectors of a section's segments through their words, step by step.

    Adds V_c d_t and V_o[c] d_t to the scores, computes log P from them and turns them into deltas,
    and sets d_{t+1} = d_t - α ∂L_t/∂d_t, where ∂L_t/∂d_t = V_cᵀ δ_c + V_o[c]ᵀ δ_w. If d takes a
    step after several words, ∂L_t/∂d_t is summed over them.
    """
    class_document, word_document = model.weights.class_document, model.weights.word_document
    of_word, offsets = model.classes.of_word, model.classes.offsets
    targets, first_candidates = workspace.targets, workspace.first_candidates
    log_probabilities = workspace.log_probabilities
    for t in range(section.steps):
        (begin, end), at = words_at(section, t), segments_at(section, t)
        documents, class_scores = workspace.documents[begin:end], workspace.class_scores[begin:end]
        gradients = workspace.document_gradient[at]
        copy_rows(workspace.document[at], documents)
        multiply_rows(documents, class_document, class_scores)
        for b in range(end - begin):
            c = of_word[targets[begin + b]]
            log_probabilities[begin + b] = softmax_deltas(class_scores[b], c)
        multiply_rows(class_scores, workspace.class_document_transposed, gradients)
        for b in range(end - begin):
            row = begin + b
            target, first = targets[row], first_candidates[row]
            low, high = offsets[of_word[target]], offsets[of_word[target] + 1]
            if high - low > 1:
                scores = workspace.word_scores[first : first + high - low]
                feed(documents[b], word_document, low, scores)
                log_probabilities[row] += softmax_deltas(scores, target - low)
                add_document_gradient(word_document, low, scores, gradients[b])
            end_word(model, section.first + b, workspace)
