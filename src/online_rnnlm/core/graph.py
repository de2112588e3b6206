"""The model as one symbolic graph: the definition that every fast engine is tested against.

    h_t    = σ(E[w_t] + h_{t-1} W_hᵀ)                    h_0 = 0
    P(c)   = softmax(W_c h_t + V_c d_t)                   over classes
    P(w|c) = softmax(W_o[c] h_t + V_o[c] d_t)             over the words of class c
    L_t    = -log P(c_t) - log P(w_{t+1} | c_t)
    d_t+1  = d_t - α ∂L_t/∂d_t                            d_1 = 0 at each unit of text

The first line is the paper's hidden layer, `cells.sigmoid`; another cell replaces it. The document
vector d feeds the output layer alone: a static network has no V_c and V_o. PyTensor derives all
gradients. In those of the weights, the update of d counts as a constant, unless the model says
`through_updates`.
Sentences are the columns of (T, B) matrices. They are padded: `mask` is 1 where there is a token.

The original Theano compiles this file, too (`engines.theano_engine`): so this file keeps to Python
3.8, and so does what it calls of `classes`, `parameters` and `cells`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad, grad_clip

from online_rnnlm.core.cells import Words
from online_rnnlm.core.classes import classes_of_words
from online_rnnlm.core.parameters import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from online_rnnlm.core.cells import Cell

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

    cell: Cell
    """The hidden layer."""
    classes: WordClasses
    error_clip: float
    """Bound on each element of the deltas of the hidden units' inputs; 0 means no bound."""
    through_updates: bool = False
    """True if the gradients of the weights go through the updates of d; else each is a constant."""
    context_decay: float = 0.0
    """γ, the share of a slow context unit's value that the next word keeps."""

    def bounded(self, inputs: Any) -> Any:
        """Return the hidden units' inputs; the deltas that go back through them are bounded."""
        return grad_clip(inputs, -self.error_clip, self.error_clip) if self.error_clip else inputs


def pad(
    stream: NDArray[np.int32],
    offsets: NDArray[np.int64],
    sentences: NDArray[np.int64],
    dtype: str,
) -> Padded:
    """Put the sentences of a split into padded matrices; `mask` has the model's dtype."""
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


class Given(NamedTuple):
    """Values that are given to the graph instead of being computed by it."""

    states: tuple[Any, ...]
    """The cell's states before the first word, h first: (B, ·)."""
    documents: Any
    """d before every word, (T, B, D)."""


class Start(NamedTuple):
    """The states and d before the first words of the sentences; constants for all gradients."""

    states: tuple[Any, ...]
    """The cell's states before the first word, h first: (B, ·)."""
    document: Any
    """d before the first word, (B, D)."""


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
    states: tuple[Any, ...]
    """The cell's states that the words are predicted from, h first: (T, B, ·)."""
    document_vectors: Any
    """d after the words, (T, B, D)."""


def predictions(
    model: Model,
    weights: Parameters,
    batch: Padded,
    document_rate: Any,
    before: Start | Given | None = None,
    dropout: Dropout | None = None,
) -> Predictions:
    """Predict the words of padded sentences, the document vector learning from each.

    The states and d start at 0, or as `before` says. If that is `Given`, every word is predicted
    with the d given for it: the d updated after a word is returned, but not used.
    """

    def follow(inputs: Any, targets: Any, mask: Any, *before: Any) -> tuple[Any, ...]:
        factors, before = (before[:2], before[2:]) if dropout else ((1, 1), before)
        states = before[:-1]
        document = before[-1]
        words = Words(inputs, weights.embeddings[inputs] * factors[0])
        states = model.cell.step(weights, words, states, model)
        hidden = states[0] * factors[1]
        log_probability = mask * _log_probability(model, weights, targets, hidden, document)
        slope = pt.grad(-log_probability.sum(), document)
        updated = document - document_rate * slope
        if not model.through_updates:
            updated = disconnected_grad(updated)
        return (*states, updated, log_probability)

    def follow_given(
        inputs: Any, targets: Any, mask: Any, document: Any, *states: Any
    ) -> tuple[Any, ...]:
        return follow(inputs, targets, mask, *states, document)

    function: Callable[..., tuple[Any, ...]]
    if isinstance(before, Given):
        sequences = [*batch, before.documents]
        infos = [*before.states, None, None]
        function = follow_given
    else:
        start = before or _zeros(model, weights, batch.inputs.shape[1])
        sequences = [*batch, *(dropout or ())]
        infos = [*start.states, start.document, None]
        function = follow
    *states, documents, log_probabilities = pytensor.scan(
        function, sequences=sequences, outputs_info=infos, return_updates=False
    )
    return Predictions(log_probabilities, tuple(states), documents)


def _zeros(model: Model, weights: Parameters, width: Any) -> Start:
    """The cell's states (B, ·) and d (B, D) before a unit of text."""
    dtype = weights.recurrent.dtype
    states = (pt.zeros((width, size), dtype=dtype) for size in model.cell.states(weights))
    documents = pt.zeros((width, weights.class_document.shape[0]), dtype=dtype)
    return Start(tuple(states), documents)


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


def _word_scores(weights: Parameters, rows: Any, hidden: Any, document: Any) -> Any:
    """The scores (B, L) of every sentence's candidate words; `rows` (B, L) are their ids."""
    output = weights.word_output[rows]
    online = weights.word_document.T[rows]
    return (output * hidden[:, None, :]).sum(2) + (online * document[:, None, :]).sum(2)


def _log_softmax_of(scores: Any, index: Any) -> Any:
    """log softmax(scores)[b, index[b]] for every row b."""
    return pt.special.log_softmax(scores, axis=1)[pt.arange(index.shape[0]), index]


def last_states(result: Predictions, mask: Any) -> Start:
    """The states and d after the last word of every sentence; `mask` is that of its batch (T, B).

    They are computed for all words, also for those of padding, whose states are left out here; d
    does not change on padding.
    """
    last = mask.sum(0).astype("int64") - 1
    columns = pt.arange(last.shape[0])
    states = tuple(state[last, columns] for state in result.states)
    return Start(states, result.document_vectors[-1])
