"""The cost of a word: multiply-adds and changed parameters, counted from the equations.

M hidden units, C slow context units, K classes, L words in the target's class, D elements of the
document vector d. The products with weights are

    E[w_t] + h_{t-1} W_hᵀ                            M²          an embedding is only looked up
    W_c h_t + V_c d_t,  W_o[c] h_t + V_o[c] d_t      (K + L) (M + C + D)

The first line is the sigmoid cell's; in another cell, each weight of `recurrent` counts once.
Backpropagation does each product twice: once for the gradient of its input, and once for the
gradient of its weights. Of the element-wise operations, only the step of d counts: exponentials,
softmax, sigmoid and the optimizer count as nothing.

All counts are for a word in the middle of a long sentence. The first words of a sentence cost less:
as h_0 = 0, the first word needs no products with W_h. Where weights learn after every word, these
products are done, but the loss is propagated through fewer than `steps` states. A word that is
alone in its class needs no score: L is 0 for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import WEIGHTS, Adaptation
from online_rnnlm.core.arrays import Integers
from online_rnnlm.core.sizes import Sizes, shapes_by_name
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import Corpus, scored_words
from online_rnnlm.storage.evaluations import Costs


def _hidden_layer(sizes: Sizes) -> int:
    """Multiply-adds of a step of the cell: each weight of `recurrent` is multiplied once."""
    return math.prod(shapes_by_name(sizes)["recurrent"])


def _embedding(sizes: Sizes) -> int:
    """Number of values in a word's row of the embeddings."""
    return shapes_by_name(sizes)["embeddings"][1]


def _output_layer(sizes: Sizes, mean_class_size: float) -> float:
    return (sizes.classes + mean_class_size) * (sizes.output + sizes.document)


def _vector_products(sizes: Sizes, mean_class_size: float) -> float:
    return (sizes.classes + mean_class_size) * sizes.document


def multiply_adds_per_word(sizes: Sizes, mean_class_size: float, *, by_error: bool = True) -> float:
    """Multiply-adds to predict one word and to update the document vector, if there is one.

    `mean_class_size` is L, averaged over the text. If d steps `by_error`, the document gradient
    ∂L_t/∂d_t is propagated through V_c and V_o. d's step costs D; it is counted for every word,
    even if a step is taken after several.
    """
    forward = _hidden_layer(sizes) + _output_layer(sizes, mean_class_size)
    back = _vector_products(sizes, mean_class_size) if by_error else 0
    return forward + back + sizes.document


def training_multiply_adds_per_word(
    sizes: Sizes, mean_class_size: float, *, by_error: bool = True, goes_through: bool = False
) -> float:
    """Multiply-adds to learn from one word in training, without the optimizer's arithmetic.

    Every product is done three times: forward, for the gradient of its input, and for the gradient
    of its weights. The document gradient is among the gradients of inputs, so only d's step is
    added; if d does not step `by_error`, there is none. Gradients that go through the steps of d do
    each product with V_c and V_o three times more.
    """
    products = 3 * (_hidden_layer(sizes) + _output_layer(sizes, mean_class_size))
    of_vector = (3 if goes_through else 0) - (0 if by_error else 1)
    again = of_vector * _vector_products(sizes, mean_class_size)
    return products + again + sizes.document


def update_multiply_adds_per_word(
    sizes: Sizes,
    mean_class_size: float,
    groups: Collection[str],
    steps: int,
    *,
    after_sentence: bool = False,
) -> float:
    """Multiply-adds that learning in testing adds to `multiply_adds_per_word`.

    `groups` are the parts of `core.adaptation.WEIGHTS` that are updated. After a word, the loss is
    propagated through `steps` hidden states, and all but the last of these are computed again with
    the current weights. After a sentence, it is propagated through each state once, and none is
    computed again. A gradient and its step count once: the outer
    product is added directly to the weights.
    """
    total = 0.0
    if "embeddings" in groups or "recurrent" in groups:
        total += _hidden_layer(sizes) * (1 if after_sentence else 2 * (steps - 1))
        total += (sizes.classes + mean_class_size) * sizes.output  # ∂L_t/∂h_t, through the scores
    if "recurrent" in groups:
        total += _hidden_layer(sizes) * (1 if after_sentence else steps)
    if "output" in groups:
        total += _output_layer(sizes, mean_class_size)
    return total


def touched_per_word(
    sizes: Sizes, mean_class_size: float, groups: Collection[str], document: bool, steps: int
) -> float:
    """Number of parameters that a word changes if `groups`, and d if `document`, learn after it.

    The elements of d count as parameters here. The words that the loss reaches are assumed to be
    distinct, so that each has an embedding of its own.
    """
    total = float(sizes.document if document else 0)
    if "embeddings" in groups:
        total += steps * _embedding(sizes)
    if "recurrent" in groups:
        total += _hidden_layer(sizes)
    if "output" in groups:
        total += _output_layer(sizes, mean_class_size)
    return total


def touched_after_sentences(
    sizes: Sizes, corpus: Corpus, split: Split, groups: Collection[str], document: bool
) -> float:
    """Number of parameters changed after each sentence, divided by the split's words.

    A sentence changes the embeddings of its distinct words, and W_o and V_o for the words of its
    distinct classes: each counts once, however often it occurs in the sentence. Every sentence is
    assumed to change W_h.
    """
    stream = np.asarray(split.stream)
    sentences = split.sentences
    sentence_of = np.repeat(np.arange(sentences), np.diff(split.offsets))
    total = sentences * float(sizes.document if document else 0)
    if "embeddings" in groups:
        read = _distinct(sentence_of, stream[:-1].astype(np.int64))
        total += len(read) * _embedding(sizes)
    if "recurrent" in groups:
        total += sentences * _hidden_layer(sizes)
    if "output" in groups:
        classes = _distinct(sentence_of, corpus.word_classes[stream[1:]])
        scored = int(scored_words(corpus.class_offsets)[classes].sum())
        total += (sentences * sizes.classes + scored) * (sizes.output + sizes.document)
    return float(total) / len(sentence_of)


def _distinct(sentences: Integers, values: Integers) -> Integers:
    """The distinct values of every sentence; both arguments are int64 (N,)."""
    pairs: Integers = np.unique(np.column_stack((sentences, values)), axis=0)
    return np.ascontiguousarray(pairs[:, 1])


def costs_of(settings: RunSettings, corpus: Corpus, adaptation: Adaptation) -> Costs:
    """Count the mean costs of a word of `test` when a network is tested with an adaptation."""
    sizes = Sizes.of(settings.network, corpus.vocabulary_size, corpus.classes)
    vector = adaptation.updates_vector and settings.document_size > 0
    if not vector:  # it is 0, and need not be multiplied
        sizes = sizes.without_document()
    mean = corpus.mean_class_size(corpus.splits["test"])
    steps = adaptation.steps if adaptation.weights else 0
    after_sentence = adaptation.after == "sentence"
    if after_sentence:
        sentences = corpus.splits["test"]
        touched = touched_after_sentences(sizes, corpus, sentences, adaptation.weights, vector)
    else:
        touched = (
            touched_per_word(sizes, mean, adaptation.weights, vector, steps)
            / adaptation.words_a_step
        )
    updates = update_multiply_adds_per_word(
        sizes, mean, adaptation.weights, steps, after_sentence=after_sentence
    )
    by_error = settings.network.steps_by_error
    predicting = multiply_adds_per_word(sizes, mean, by_error=by_error)
    return Costs(
        parameters_touched_per_word=touched,
        multiply_adds_per_word=predicting + updates,
    )


def costs_after_stretches(
    settings: RunSettings, corpus: Corpus, stretches: Split, *, per_step: int
) -> Costs:
    """Count the costs if all weights learn after every stretch, and the vector after every word.

    `per_step` are the multiply-adds of a step of one weight, beside those of its gradient. A row
    that decays later, when it is needed, costs as much as one that decays at once.
    """
    sizes = Sizes.of(settings.network, corpus.vocabulary_size, corpus.classes)
    mean = corpus.mean_class_size(corpus.splits["test"])
    groups = frozenset(WEIGHTS)
    weights = touched_after_sentences(sizes, corpus, stretches, groups, document=False)
    updates = update_multiply_adds_per_word(sizes, mean, groups, 1, after_sentence=True)
    by_error = settings.network.steps_by_error
    predicting = multiply_adds_per_word(sizes, mean, by_error=by_error)
    adds = predicting + updates + per_step * weights
    return Costs(parameters_touched_per_word=weights + sizes.document, multiply_adds_per_word=adds)
