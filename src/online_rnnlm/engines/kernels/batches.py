"""The loops over batches: training, and scoring sentences."""

from __future__ import annotations

from numba import njit
from numba.extending import overload

from online_rnnlm.engines.kernels.backward import update_weights
from online_rnnlm.engines.kernels.cells import sigmoid
from online_rnnlm.engines.kernels.coupled import predict_coupled
from online_rnnlm.engines.kernels.data import feeds_hidden_layer
from online_rnnlm.engines.kernels.forward import predict_batch
from online_rnnlm.engines.kernels.layout import lay_out, sort_by_length
from online_rnnlm.engines.kernels.through import go_back_through_documents


@njit(cache=True)
def train_batches(model, accumulators, optimizer, text, batches, lanes, workspace):
    """Update the weights in place from `batches`, with one update per batch.

    `batches` are `engines.lanes.Batches`: for N batches of up to B segments, the numbers of the
    segments and whether a unit of text begins with each, both (N, B). The carried states and
    vectors are read from `lanes`, and left there. Returns the log-probability of all words, Σ -L_t.
    """
    total = 0.0
    for n in range(batches.segments.shape[0]):
        segments, begins = batches.segments[n], batches.begins[n]
        _, steps, tokens = predict(model, text, segments, begins, lanes, workspace)
        if model.goes_through:
            go_back_through_documents(model, steps, tokens, workspace)
        update_weights(model, accumulators, optimizer, steps, tokens, lanes, workspace)
        for row in range(tokens):
            total += workspace.log_probabilities[row]
    return total


@njit(cache=True)
def predict(model, text, segments, begins, lanes, workspace):
    """Predict a batch; the carried states and vectors are read from `lanes`, and left there.

    Returns the number of segments, and the batch's time steps and tokens.
    """
    number = sort_by_length(text.offsets, segments, workspace.lanes)
    order = workspace.lanes[:number]
    steps, tokens = lay_out(
        text,
        segments,
        order,
        workspace.first_rows,
        workspace.places,
        workspace.inputs,
        workspace.targets,
    )
    _take_up(lanes, begins, order, workspace)
    predict_laid_out(model.cell, model, steps, tokens, lanes.keeps_state, workspace)
    _leave(lanes, order, steps, workspace)
    return number, steps, tokens


def predict_laid_out(cell, model, steps, tokens, has_state, workspace):
    """Predict a batch by `coupled` if d feeds the hidden layer, else by `forward`."""
    if type(cell) is sigmoid.Constants and feeds_hidden_layer(model.weights):
        predict_coupled(model, steps, tokens, has_state, workspace)
    else:
        predict_batch(model, steps, tokens, has_state, workspace)


@overload(predict_laid_out)
def _predict_laid_out(cell, model, steps, tokens, has_state, workspace):
    """Compile `coupled` for the paper's cell alone, whose hidden layer the vector may feed."""
    if cell.instance_class is sigmoid.Constants:

        def of_sigmoid(cell, model, steps, tokens, has_state, workspace):
            if feeds_hidden_layer(model.weights):
                predict_coupled(model, steps, tokens, has_state, workspace)
            else:
                predict_batch(model, steps, tokens, has_state, workspace)

        return of_sigmoid

    def of_others(cell, model, steps, tokens, has_state, workspace):
        predict_batch(model, steps, tokens, has_state, workspace)

    return of_others


@njit(cache=True)
def _take_up(lanes, begins, order, workspace):
    """Set the states and d before the batch's first words; `order` (B,) are its sorted lanes."""
    for b in range(order.size):
        lane = order[b]
        if lanes.keeps_state and not begins[lane]:
            workspace.hidden_before[b] = lanes.hidden[lane]
            workspace.memory_before[b] = lanes.memory[lane]
        else:
            workspace.hidden_before[b] = 0
            workspace.memory_before[b] = 0
        if lanes.keeps_vector and not begins[lane]:
            workspace.document[b] = lanes.documents[lane]
        else:
            workspace.document[b] = 0


@njit(cache=True)
def _leave(lanes, order, steps, workspace):
    """Keep the states and d after the last words of the batch."""
    if lanes.keeps_state:
        for t in range(steps):
            begin, end = workspace.first_rows[t], workspace.first_rows[t + 1]
            longer = workspace.first_rows[t + 2] - end if t + 1 < steps else 0
            for b in range(longer, end - begin):
                lanes.hidden[order[b]] = workspace.hidden[begin + b]
                if lanes.memory.shape[1] > 0:
                    lanes.memory[order[b]] = workspace.memory[begin + b]
    if lanes.keeps_vector:
        for b in range(order.size):
            lanes.documents[order[b]] = workspace.document[b]


@njit(cache=True)
def score_sentences(model, text, order, lanes, first_words, scores, workspace):
    """Fill `scores`, an `engines.base.Scores`, for sentences in an `engines.lanes.ScoringOrder`.

    The log P of the words of the sentence at place s are
    log_probabilities[first_words[s] : first_words[s + 1]]. The h that they were predicted from are
    the same rows of `hidden_states`, if that has rows, and d at the sentence's end is
    document_vectors[s].
    """
    for n in range(order.segments.shape[0]):
        sentences, begins, places = order.segments[n], order.begins[n], order.places[n]
        number, steps, _ = predict(model, text, sentences, begins, lanes, workspace)
        for t in range(steps):
            for row in range(workspace.first_rows[t], workspace.first_rows[t + 1]):
                place = places[workspace.lanes[row - workspace.first_rows[t]]]
                word = first_words[place] + t
                scores.log_probabilities[word] = workspace.log_probabilities[row]
                if scores.hidden_states.shape[0] > 0:
                    scores.hidden_states[word] = workspace.hidden[row]
        for b in range(number):
            scores.document_vectors[places[workspace.lanes[b]]] = workspace.document[b]
