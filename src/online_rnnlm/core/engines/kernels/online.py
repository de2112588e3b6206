"""Testing while chosen weights learn, after every word or after every sentence.

Sentences are read in order. Learnt weights are kept until the unit of text ends. Words are scored
first; then their loss is differentiated, and what learns takes a plain step. After a word, the loss
is propagated through the last `bptt_steps` hidden states. These are first computed again with the
current weights and with the document vector that each word had; the state before them is kept
unchanged. After a sentence, the loss is propagated through all hidden states of the sentence.

The workspace has room for one sentence, a word longer than the longest. Its `hidden` (T + 1, M) is
h before the sentence and h of every word when it was scored; `previous_hidden` is the same for
a window, by the current weights.
"""

from __future__ import annotations

from online_rnnlm.core.engines.kernels.blas import multiply_nt
from online_rnnlm.core.engines.kernels.compiled import kernel
from online_rnnlm.core.engines.kernels.elementwise import copy, sigmoid, softmax_deltas
from online_rnnlm.core.engines.kernels.learning import (
    Window,
    complete,
    embedding_of,
    forget,
    learn,
    outputs_of,
)
from online_rnnlm.core.engines.kernels.rows import feed


@kernel(nogil=True)
def score_online(model, text, sentences, unit_begins, scores, workspace):
    """Score sentences (S,) in order while the weights of a `LearningModel` learn.

    `unit_begins` (S,): True if a unit of text begins with the sentence. Fills `scores`, an
    `engines.base.Scores`, with log P of every word, sentence after sentence, and d at every
    sentence's end. In the end `weights.learnt` has all current weights.
    """
    forget(model.weights)
    row = 0
    for number in range(sentences.size):
        if unit_begins[number]:
            forget(model.weights)
            workspace.document[0] = 0
        if unit_begins[number] or not model.learning.carries_state:
            workspace.hidden[0] = 0
        begin, end = text.offsets[sentences[number]], text.offsets[sentences[number] + 1]
        log_probabilities = scores.log_probabilities[row : row + end - begin]
        _read_sentence(model, text.stream[begin : end + 1], log_probabilities, workspace)
        row += end - begin
        copy(workspace.document[0], scores.document_vectors[number])
        copy(workspace.hidden[end - begin], workspace.hidden[0])
    complete(model.weights, model.classes)


@kernel()
def _read_sentence(model, words, log_probabilities, workspace):
    """Fill `log_probabilities` (T,) for a sentence of `words` (T + 1,), and learn from it.

    The state before it is `workspace.hidden[0]`; that of its word t is left in hidden[t + 1].
    """
    learning, size = model.learning, log_probabilities.size
    back = learning.bptt_steps if learning.embeddings or learning.recurrent else 1
    for t in range(size):
        copy(workspace.document[0], workspace.documents[t])
        if learning.after_sentence and t + 1 < size:
            continue
        begin = 0 if learning.after_sentence else max(0, t + 1 - back)
        scored = 0 if learning.after_sentence else t - begin
        window = Window(
            words[begin : t + 1],
            words[begin + 1 : t + 2],
            workspace.previous_hidden[: t + 2 - begin],
            workspace.documents[begin : t + 1],
            scored,
        )
        copy(workspace.hidden[begin], window.hidden[0])
        _run_hidden_states(model.weights, window, workspace)
        _predict(model, window, workspace)
        learn(model, window, workspace)
        copy(window.hidden[t + 1 - begin], workspace.hidden[t + 1])
        found = workspace.log_probabilities[scored : t + 1 - begin]
        copy(found, log_probabilities[begin + scored : t + 1])


@kernel(forceinline=True)
def _run_hidden_states(weights, window, workspace):
    """Compute h_t = σ(E[w_t] + h_{t-1} W_hᵀ) of the window's words."""
    inputs, hidden = workspace.hidden_inputs, window.hidden
    one = hidden.dtype.type(1)
    for j in range(window.inputs.size):
        copy(embedding_of(weights, window.inputs[j]), inputs[0])
        multiply_nt(one, hidden[j : j + 1], weights.learnt.recurrent, one, inputs)
        sigmoid(inputs, hidden[j + 1 : j + 2])


@kernel(forceinline=True)
def _predict(model, window, workspace):
    """Compute log P(c) + log P(w|c) of the words that are scored, and their deltas.

    P(c) = softmax(W_c h_t + V_c d_t) and P(w|c) = softmax(W_o[c] h_t + V_o[c] d_t). Word j's δ_c is
    row j of `workspace.class_deltas`, its δ_w begins at first_candidates[j] of `word_deltas`.
    """
    weights, classes = model.weights, model.classes
    one, zero = window.hidden.dtype.type(1), window.hidden.dtype.type(0)
    first = 0
    for j in range(window.scored, window.targets.size):
        hidden, document = window.hidden[j + 1 : j + 2], window.documents[j]
        target = window.targets[j]
        c = classes.of_word[target]
        scores = workspace.class_scores[j]
        multiply_nt(one, hidden, weights.learnt.class_output, zero, scores.reshape(1, scores.size))
        feed(document, weights.learnt.class_document, 0, scores)
        log_probability = softmax_deltas(scores, c)
        workspace.first_candidates[j] = first
        low, high = classes.offsets[c], classes.offsets[c + 1]
        if high - low > 1:
            scores = workspace.word_scores[first : first + high - low]
            output, word_document = outputs_of(weights, classes, c)
            multiply_nt(one, hidden, output, zero, scores.reshape(1, scores.size))
            feed(document, word_document, low, scores)
            log_probability += softmax_deltas(scores, target - low)
            first += high - low
        workspace.log_probabilities[j] = log_probability
