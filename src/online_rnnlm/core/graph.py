"""The model as one symbolic graph: the definition that every fast engine is tested against.

    h_t    = σ(E[w_t] + h_{t-1} W_hᵀ)                    h_0 = 0
    P(c)   = softmax(W_c h_t + V_c d_t)                   over classes
    P(w|c) = softmax(W_o[c] h_t + V_o[c] d_t)             over the words of class c
    L_t    = -log P(c_t) - log P(w_{t+1} | c_t)
    d_t+1  = ρ d_t - α ∂L_t/∂d_t                          d_1 = 0 at each unit of text

The first line is the paper's hidden layer, `cells.sigmoid`; another cell replaces it. The document
vector d feeds the output layer alone: a static network has no V_c and V_o. ρ is 1 unless a decay is
set. As a control without errors, d can also step by + α (V_c[c_t] + V_o[w_t+1]). PyTensor derives
all gradients. In those of the weights, the update of d counts as a constant, unless the settings
ask for `through_updates`.
Sentences are the columns of (T, B) matrices. They are padded: `mask` is 1 where there is a token.

The original Theano compiles this file, too (`engines.theano_engine`): so this file keeps to Python
3.8, and so does what it calls of `carried`, `classes`, `parameters` and `cells`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad, grad_clip

from online_rnnlm.core.carried import Carried
from online_rnnlm.core.cells import Words, load_cell
from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from online_rnnlm.core.cells import Cell
    from online_rnnlm.core.settings import NetworkSettings

_NEVER = -1e30
"""Score of the padding beside a class's words: it makes their probability exactly 0."""


class Padded(NamedTuple):
    """Sentences side by side, as matrices (T, B)."""

    inputs: Any
    """Previous words."""
    targets: Any
    """Words to predict."""
    mask: Any
    """1 where there is a word to predict, 0 on padding."""


@dataclass(frozen=True)
class WordClasses:
    """The vocabulary's classes as index tables."""

    of_word: NDArray[np.int64]
    """(V,): every word's class."""
    words: NDArray[np.int64]
    """(K, L): the classes' words, padded with word 0."""
    exists: NDArray[np.bool_]
    """(K, L): False on padding."""
    within: NDArray[np.int64]
    """(V,): every word's position in its class."""

    @classmethod
    def from_offsets(cls, offsets: NDArray[np.int64]) -> WordClasses:
        """Make the tables: class c has the ids from offsets[c] to offsets[c + 1] - 1; (K + 1,)."""
        sizes = np.diff(offsets)
        of_word = classes_of_words(offsets)
        places = np.arange(sizes.max())
        exists = places < sizes[:, None]
        words = np.where(exists, offsets[:-1, None] + places, 0)
        return cls(of_word, words, exists, np.arange(offsets[-1]) - offsets[of_word])


class Model(NamedTuple):
    """The definition of a model, without its weights."""

    network: NetworkSettings
    classes: WordClasses

    @property
    def cell(self) -> Cell:
        """The hidden layer."""
        return load_cell(self.network.cell)

    def bounded(self, inputs: Any) -> Any:
        """Return the hidden units' inputs; the deltas that go back through them are bounded."""
        bound = self.network.error_clip
        return grad_clip(inputs, -bound, bound) if bound else inputs


def pad(
    stream: NDArray[np.int32],
    offsets: NDArray[np.int64],
    sentences: NDArray[np.int64],
    dtype: str,
) -> Padded:
    """Put the sentences of a split into padded matrices; `mask` has the model's dtype.

    In the place of a sentence may be NOTHING, -1, an idle lane. Its length is then that from the
    last offset back to the first, below 0, so its mask is 0.
    """
    lengths = offsets[sentences + 1] - offsets[sentences]
    times = np.arange(lengths.max())[:, None]
    exists = times < lengths
    places = np.where(exists, offsets[sentences] + times, 0)
    inputs = np.where(exists, stream[places], 0)
    targets = np.where(exists, stream[places + 1], 0)
    return Padded(inputs.astype("int64"), targets.astype("int64"), exists.astype(dtype))


def padded_symbols(dtype: str) -> Padded:
    """Symbols for the matrices that `pad` makes."""
    return Padded(pt.lmatrix("inputs"), pt.lmatrix("targets"), pt.matrix("mask", dtype=dtype))


class Dropout(NamedTuple):
    """Factors of units that are left out in training (0) or kept, for every word."""

    embeddings: Any
    """Factors of the rows of E, (T, B, N)."""
    hidden: Any
    """Factors of the states before the output layer, (T, B, M)."""


class Predictions(NamedTuple):
    """Symbolic results, for every word."""

    log_probabilities: Any
    """log P of the targets, (T, B)."""
    hidden: Any
    """h, which the words are predicted from, (T, B, M)."""
    memory: Any
    """The memory beside h, (T, B, ·)."""
    vectors: Any
    """d after the words, (T, B, D)."""
    gradients: Any
    """∂L_t/∂d_t, by which each word updates d, (T, B, D)."""


def predictions(
    model: Model,
    weights: Parameters,
    batch: Padded,
    document_rate: Any,
    start: Carried,
    vectors: Any = None,
    dropout: Dropout | None = None,
) -> Predictions:
    """Predict the words of padded sentences, the document vector learning from each.

    `start` is the state before the first words, constants for all gradients; of it, `gradient` and
    `since_step` are not used. With `vectors` (T, B, D), every word is predicted with the d given
    for it: the d updated after a word is returned, but not used.
    """

    def follow(inputs: Any, targets: Any, mask: Any, *before: Any) -> tuple[Any, ...]:
        factors, before = (before[:2], before[2:]) if dropout else ((1, 1), before)
        hidden, memory, document = before
        words = Words(inputs, weights.embeddings[inputs] * factors[0])
        hidden, memory = model.cell.step(weights, words, hidden, memory, model)
        fed = hidden * factors[1]
        log_probability = mask * _log_probability(model, weights, targets, fed, document)
        if model.network.steps_by_error:
            gradient = pt.grad(-log_probability.sum(), document)
        else:
            gradient = -mask[:, None] * _of_words(model, weights, targets)
        lost = np.asarray(1 - model.network.document_decay, document.dtype) * mask[:, None]
        updated = document - lost * document - document_rate * gradient
        if not model.network.through_updates:
            updated = disconnected_grad(updated)
        return hidden, memory, updated, log_probability, gradient

    def follow_given(
        inputs: Any, targets: Any, mask: Any, document: Any, *state: Any
    ) -> tuple[Any, ...]:
        return follow(inputs, targets, mask, *state, document)

    function: Callable[..., tuple[Any, ...]]
    if vectors is None:
        sequences = [*batch, *(dropout or ())]
        infos = [start.hidden, start.memory, start.vector, None, None]
        function = follow
    else:
        sequences = [*batch, vectors]
        infos = [start.hidden, start.memory, None, None, None]
        function = follow_given
    hidden, memory, documents, log_probabilities, gradients = pytensor.scan(
        function, sequences=sequences, outputs_info=infos, return_updates=False
    )
    return Predictions(log_probabilities, hidden, memory, documents, gradients)


def _log_probability(
    model: Model, weights: Parameters, targets: Any, hidden: Any, document: Any
) -> Any:
    """log P(c) + log P(w|c) of the words `targets` (B,), given h and d."""
    classes = model.classes
    of_word, words, within = map(pt.constant, (classes.of_word, classes.words, classes.within))
    target_class = of_word[targets]
    class_scores = hidden @ weights.class_output.T
    class_scores += document @ weights.class_document
    word_scores = _word_scores(weights, words[target_class], hidden, document)
    word_scores = pt.where(pt.constant(classes.exists)[target_class], word_scores, _NEVER)
    of_class = _log_softmax_of(class_scores, target_class)
    return of_class + _log_softmax_of(word_scores, within[targets])


def _of_words(model: Model, weights: Parameters, targets: Any) -> Any:
    """V_c[c] + V_o[w] of the words `targets`, (B, D); for the only word of a class, V_c[c]."""
    target_class = pt.constant(model.classes.of_word)[targets]
    has_others = pt.constant(model.classes.exists.sum(1) > 1)[target_class]
    words = pt.where(has_others[:, None], weights.word_document.T[targets], 0)
    return weights.class_document.T[target_class] + words


def _word_scores(weights: Parameters, rows: Any, hidden: Any, document: Any) -> Any:
    """The scores (B, L) of every sentence's candidate words; `rows` (B, L) are their ids."""
    output = weights.word_output[rows]
    online = weights.word_document.T[rows]
    return (output * hidden[:, None, :]).sum(2) + (online * document[:, None, :]).sum(2)


def _log_softmax_of(scores: Any, index: Any) -> Any:
    """log softmax(scores)[b, index[b]] for every row b."""
    return pt.special.log_softmax(scores, axis=1)[pt.arange(index.shape[0]), index]


def carried_after(start: Carried, result: Predictions, mask: Any) -> Carried:
    """The state after the last word of every sentence; `mask` is that of its batch (T, B).

    h and the memory are computed for all words, also for those of padding, whose values are left
    out here; d does not change on padding. A lane without a sentence ends with values of padding:
    nothing reads them, as its next sentence begins a unit of text.
    """
    last = mask.sum(0).astype("int64") - 1
    columns = pt.arange(last.shape[0])
    return start._replace(
        hidden=result.hidden[last, columns],
        memory=result.memory[last, columns],
        vector=result.vectors[-1],
    )
