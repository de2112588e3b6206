"""What a word costs: multiply-adds and changed parameters, counted from the equations.

M hidden units, K classes, L words in the target's class, D elements of the document vector d;
D_h and D_o of them feed the hidden and the output layer: D or 0 each. The products with weights are

    E[w_t] + h_{t-1} W_hᵀ + d_t V_hᵀ      M (M + D_h)          an embedding is only looked up
    W_c h_t + V_c d_t,  W_o[c] h_t + V_o[c] d_t      (K + L) (M + D_o)

The first line is the sigmoid cell's; another cell gives its own count, `Cell.multiply_adds`.
Going back, each product is done once for the error of what went in and once for the gradient of
its weights. Of what is done to single elements, only the step of d counts: exponentials, softmax,
sigmoid and the optimiser count as nothing.

All counts are those of a word in the midst of a long sentence. At the first word h_0 = 0, and the
products with W_h are left out, except where weights learn after every word: there, a loss that
has fewer than `steps` states to go back through costs what it goes through. A word that is alone in
its class needs no score: L is 0 for it.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.corpora.corpus import Corpus, Split, scored_words
from online_rnnlm.model.cells import load_cell
from online_rnnlm.model.parameters import shapes
from online_rnnlm.model.sizes import Sizes

Integers = NDArray[np.int64]


def _hidden_layer(sizes: Sizes) -> int:
    """Multiply-adds of a step of the cell."""
    return load_cell(sizes.cell).multiply_adds(sizes)


def _hidden_document(sizes: Sizes) -> int:
    """Those of them that are products with V_h."""
    rows, columns = shapes(sizes).hidden_document
    return int(rows * columns)


def _values(sizes: Sizes, group: str) -> int:
    """Values of the cell's parameters of a group, for `embeddings` those of a single word."""
    every = shapes(sizes)._asdict()
    names = load_cell(sizes.cell).GROUPS[group]
    one_word = group == "embeddings"
    return sum((1 if one_word else every[n][0]) * every[n][1] for n in names)


def _output_layer(sizes: Sizes, mean_class_size: float) -> float:
    return (sizes.classes + mean_class_size) * (sizes.hidden + sizes.output_document)


def _errors_of_states(sizes: Sizes, mean_class_size: float) -> float:
    """∂L_t/∂h_t, back through the scores."""
    return (sizes.classes + mean_class_size) * sizes.hidden


def multiply_adds_per_word(sizes: Sizes, mean_class_size: float) -> float:
    """Multiply-adds to predict one word and, where there is one, to update the document vector.

    `mean_class_size` is L, averaged over the text. ∂L_t/∂d_t goes back through V_c and V_o and, if
    d feeds the hidden layer, through h_t and V_h; d's step costs D.
    """
    outputs = sizes.classes + mean_class_size
    forward = _hidden_layer(sizes) + _output_layer(sizes, mean_class_size)
    back = outputs * sizes.output_document + _hidden_document(sizes)
    if sizes.hidden_document:
        back += _errors_of_states(sizes, mean_class_size)
    return forward + back + sizes.document


def training_multiply_adds_per_word(sizes: Sizes, mean_class_size: float) -> float:
    """Multiply-adds to learn from one word in training, the optimiser's arithmetic aside.

    Every product is done three times: forward, for the error of what went in, and for the gradient
    of the weights. d's slopes are errors of what went in, so only its step comes on top.
    """
    products = _hidden_layer(sizes) + _output_layer(sizes, mean_class_size)
    return 3 * products + sizes.document


def update_multiply_adds_per_word(
    sizes: Sizes,
    mean_class_size: float,
    groups: Collection[str],
    steps: int,
    *,
    after_sentence: bool = False,
) -> float:
    """Multiply-adds that learning in testing adds to `multiply_adds_per_word`.

    `groups` are those of `parameters.GROUPS` that learn. After every word, the loss goes back
    through `steps` hidden states; those before the last are computed anew, with the weights as
    they are by then. After a sentence, it goes back through each once, and none is computed anew;
    that d takes a single step then is not taken off. A gradient and its step are one: the outer
    product is added to the weights.
    """
    total = 0.0
    if "embeddings" in groups or "recurrent" in groups:
        back = 1 if after_sentence else steps - 1
        again = 0 if after_sentence else steps - 1
        total += back * (_hidden_layer(sizes) - _hidden_document(sizes))
        total += again * _hidden_layer(sizes)
        if not sizes.hidden_document:  # else d's slope has needed them anyway
            total += _errors_of_states(sizes, mean_class_size)
    if "recurrent" in groups:
        total += _hidden_layer(sizes) * (1 if after_sentence else steps)
    if "output" in groups:
        total += _output_layer(sizes, mean_class_size)
    return total


def touched_per_word(
    sizes: Sizes, mean_class_size: float, groups: Collection[str], document: bool, steps: int
) -> float:
    """Parameters that a word changes while `groups` learn after every word, and d if `document`.

    The elements of d count as parameters here. The words that the loss reaches are taken to be
    distinct: one that comes twice has one embedding.
    """
    total = float(sizes.document if document else 0)
    if "embeddings" in groups:
        total += steps * _values(sizes, "embeddings")
    if "recurrent" in groups:
        total += _values(sizes, "recurrent")
    if "output" in groups:
        total += _output_layer(sizes, mean_class_size)
    return total


def touched_after_sentences(
    sizes: Sizes, corpus: Corpus, split: Split, groups: Collection[str], document: bool
) -> float:
    """Parameters changed after each sentence, a word of the split: what sentences share is shared.

    A sentence changes the embeddings of its distinct words, and W_o and V_o for the words of its
    distinct classes. Every sentence is taken to have a state to go back to.
    """
    stream, sentences = np.asarray(split.stream), len(split.offsets) - 1
    number = np.repeat(np.arange(sentences), np.diff(split.offsets))
    total = sentences * float(sizes.document if document else 0)
    if "embeddings" in groups:
        read = _distinct(number, stream[:-1].astype(np.int64))
        total += len(read) * _values(sizes, "embeddings")
    if "recurrent" in groups:
        total += sentences * _values(sizes, "recurrent")
    if "output" in groups:
        classes = _distinct(number, corpus.word_classes[stream[1:]])
        scored = int(scored_words(corpus.class_offsets)[classes].sum())
        total += (sentences * sizes.classes + scored) * (sizes.hidden + sizes.output_document)
    return float(total) / len(number)


def _distinct(sentences: Integers, values: Integers) -> Integers:
    """The values, each once a sentence; both int64 (N,)."""
    pairs: Integers = np.unique(np.column_stack((sentences, values)), axis=0)
    return np.ascontiguousarray(pairs[:, 1])
