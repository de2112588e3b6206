"""The loops over batches: training, and scoring sentences."""

from __future__ import annotations

from online_rnnlm.core.engines.kernels.backward import update_weights
from online_rnnlm.core.engines.kernels.compiled import kernel
from online_rnnlm.core.engines.kernels.data import has_vector, take_step
from online_rnnlm.core.engines.kernels.elementwise import copy, transpose
from online_rnnlm.core.engines.kernels.forward import (
    follow_documents,
    predict_classes,
    run_section,
    score_words,
    transpose_outputs,
)
from online_rnnlm.core.engines.kernels.layout import group_by_class, lay_out, section_of, words_at
from online_rnnlm.core.engines.kernels.team import start_tasks, wait


@kernel(nogil=True)
def train_batches(model, accumulators, optimizer, text, batches, lanes, member, workspace):
    """Update the weights in place from `batches`, with one update per batch.

    `batches` are `engines.lanes.Batches`: for N batches of up to B segments, the numbers of the
    segments and whether a unit of text begins with each, both (N, B). The carried states and
    vectors are read from `lanes`, and left there. Every `member` of a team calls it. Returns the
    log-probability of all words, Σ -L_t, to the first member, and 0 to the others.
    """
    total, lacks_words = 0.0, not has_vector(model.weights)
    for n in range(batches.segments.shape[0]):
        segments, begins = batches.segments[n], batches.begins[n]
        sections, tokens = predict(
            model, text, segments, begins, lanes, lacks_words, member, workspace
        )
        update_weights(
            model, accumulators, optimizer, sections, tokens, lacks_words, member, workspace
        )
        if member.number == 0:
            for row in range(tokens):
                total += workspace.log_probabilities[row]
    return total


@kernel()
def predict(model, text, segments, begins, lanes, lacks_words, member, workspace):
    """Predict a batch; the carried states and vectors are read from `lanes`, and left there.

    Fills the workspace: log-probabilities, hidden states, d before every word and at the end, and
    the deltas of all scores, each member for its own sections. With `lacks_words`, which a model
    without a vector allows, P(w|c) and its deltas are left to `update_weights`. Returns the numbers
    of the batch's sections and tokens.
    """
    if member.number == 0:
        _prepare(model, text, segments, member, workspace)
    wait(member)
    sections, tokens = workspace.laid_out[0], workspace.laid_out[1]
    for number in range(member.number, sections, member.size):
        _take_up(lanes, begins, section_of(workspace, number), workspace)
    _predict_sections(model, sections, lanes.keeps_state, lacks_words, member, workspace)
    for number in range(member.number, sections, member.size):
        _leave(model, lanes, section_of(workspace, number), workspace)
    return sections, tokens


@kernel(inline="always")
def _prepare(model, text, segments, member, workspace):
    """Do what one member does while the others wait: lay out a batch and transpose matrices."""
    sections, tokens = lay_out(text, segments, workspace)
    workspace.laid_out[0], workspace.laid_out[1] = sections, tokens
    group_by_class(tokens, model.classes, workspace)
    transpose(model.weights.recurrent, workspace.recurrent_transposed)
    transpose(model.weights.class_output, workspace.class_output_transposed)
    of_document = model.weights.class_document
    transpose(of_document, workspace.class_document_transposed[:, : of_document.shape[0]])
    if workspace.by_rows:
        transpose_outputs(model.weights, model.classes, workspace)
    start_tasks(member)


@kernel()
def _predict_sections(model, sections, has_state, lacks_words, member, workspace):
    """Predict the batch's words: all hidden states and scores first, then the vector's part."""
    learns = has_vector(model.weights)
    for number in range(member.number, sections, member.size):
        section = section_of(workspace, number)
        run_section(model, section, has_state, workspace)
        if not learns:
            predict_classes(model, section, workspace)
    if lacks_words:
        return
    wait(member)
    score_words(model.weights, model.classes, not learns, member, workspace)
    wait(member)
    if learns:
        for number in range(member.number, sections, member.size):
            follow_documents(model, section_of(workspace, number), workspace)


@kernel(inline="always")
def _take_up(lanes, begins, section, workspace):
    """Set a section's states, d and d's summed gradient, before its first words."""
    begin, end = words_at(section, 0)
    for b in range(section.first, section.first + end - begin):
        lane = workspace.lanes[b]
        if lanes.keeps_state and not begins[lane]:
            copy(lanes.hidden[lane], workspace.hidden_before[b])
            copy(lanes.memory[lane], workspace.memory_before[b])
        else:
            workspace.hidden_before[b] = 0
            workspace.memory_before[b] = 0
        if lanes.keeps_vector and not begins[lane]:
            copy(lanes.documents[lane], workspace.document[b])
            copy(lanes.gradients[lane], workspace.document_gradient[b])
            workspace.waiting[b] = lanes.waiting[lane]
        else:
            workspace.document[b] = 0
            workspace.document_gradient[b] = 0
            workspace.waiting[b] = 0


@kernel(inline="always")
def _leave(model, lanes, section, workspace):
    """Keep a section's states and d after its last words; a step due there is taken first."""
    if model.words_a_step == 0:
        begin, end = words_at(section, 0)
        for b in range(section.first, section.first + end - begin):
            take_step(model, b, workspace)
    order = workspace.lanes[section.first :]
    if lanes.keeps_state:
        for t in range(section.steps):
            begin, end = words_at(section, t)
            longer = 0
            if t + 1 < section.steps:
                after, last = words_at(section, t + 1)
                longer = last - after
            for b in range(longer, end - begin):
                copy(workspace.hidden[begin + b], lanes.hidden[order[b]])
                copy(workspace.memory[begin + b], lanes.memory[order[b]])
    if lanes.keeps_vector:
        begin, end = words_at(section, 0)
        for b in range(end - begin):
            copy(workspace.document[section.first + b], lanes.documents[order[b]])
            copy(workspace.document_gradient[section.first + b], lanes.gradients[order[b]])
            lanes.waiting[order[b]] = workspace.waiting[section.first + b]


@kernel(nogil=True)
def score_sentences(model, text, order, lanes, first_words, scores, member, workspace):
    """Fill `scores`, an `engines.base.Scores`, for sentences in an `engines.lanes.ScoringOrder`.

    The log P of the words of the sentence at place s are
    log_probabilities[first_words[s] : first_words[s + 1]]. The h that they were predicted from are
    the same rows of `hidden_states`, if that has rows, and d at the sentence's end is
    document_vectors[s]. Every `member` of a team calls it.
    """
    for n in range(order.segments.shape[0]):
        sentences, begins, places = order.segments[n], order.begins[n], order.places[n]
        sections, _ = predict(model, text, sentences, begins, lanes, False, member, workspace)
        for number in range(member.number, sections, member.size):
            _collect(section_of(workspace, number), places, first_words, scores, workspace)
        wait(member)


@kernel(inline="always")
def _collect(section, places, first_words, scores, workspace):
    """Copy the results of a section into the scores."""
    for t in range(section.steps):
        begin, end = words_at(section, t)
        for row in range(begin, end):
            at = section.first + row - begin
            place = places[workspace.lanes[at]]
            word = first_words[place] + t
            scores.log_probabilities[word] = workspace.log_probabilities[row]
            if scores.hidden_states.shape[0] > 0:
                copy(workspace.hidden[row], scores.hidden_states[word])
            if t == 0:
                copy(workspace.document[at], scores.document_vectors[place])
