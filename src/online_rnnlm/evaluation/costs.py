"""The costs of a word in testing: mean multiply-adds and changed parameters, over `test`."""

from __future__ import annotations

from collections.abc import Collection

from online_rnnlm.corpora.corpus import Split
from online_rnnlm.evaluation.outcome import Network
from online_rnnlm.model.cost import (
    multiply_adds_per_word,
    touched_after_sentences,
    touched_per_word,
    update_multiply_adds_per_word,
)
from online_rnnlm.model.parameters import GROUPS
from online_rnnlm.model.sizes import Sizes, sizes_for
from online_rnnlm.storage.records import Costs


def costs_as_trained(network: Network, *, learns: bool) -> Costs:
    """Compute the costs with fixed weights; the vector learns or is held at 0."""
    sizes, mean = _scored_sizes(network, learns), network.corpus.mean_class_size("test")
    return Costs(
        parameters_touched_per_word=touched_per_word(sizes, mean, (), learns, 0),
        multiply_adds_per_word=multiply_adds_per_word(sizes, mean),
    )


def costs_after_words(
    network: Network, groups: Collection[str], *, learns: bool, steps: int
) -> Costs:
    """Compute the costs if these groups of weights learn after every word."""
    sizes, mean = _scored_sizes(network, learns), network.corpus.mean_class_size("test")
    updates = update_multiply_adds_per_word(sizes, mean, groups, steps)
    return Costs(
        parameters_touched_per_word=touched_per_word(sizes, mean, groups, learns, steps),
        multiply_adds_per_word=multiply_adds_per_word(sizes, mean) + updates,
    )


def costs_after_sentences(
    network: Network, sentences: Split, groups: frozenset[str], *, learns: bool
) -> Costs:
    """Compute the costs if these groups of weights, and the vector, learn after every sentence."""
    sizes, mean = _scored_sizes(network, learns), network.corpus.mean_class_size("test")
    touched = touched_after_sentences(sizes, network.corpus, sentences, groups, learns)
    updates = update_multiply_adds_per_word(sizes, mean, groups, 1, after_sentence=True)
    return Costs(
        parameters_touched_per_word=touched,
        multiply_adds_per_word=multiply_adds_per_word(sizes, mean) + updates,
    )


def costs_after_stretches(network: Network, stretches: Split, *, per_step: int) -> Costs:
    """Compute the costs if all weights learn after every stretch, and the vector after every word.

    `per_step` are the multiply-adds of a step of one weight, beside those of its gradient.
    """
    learns, groups = network.settings.document_size > 0, frozenset(GROUPS)
    sizes, mean = _scored_sizes(network, learns), network.corpus.mean_class_size("test")
    weights = touched_after_sentences(sizes, network.corpus, stretches, groups, document=False)
    updates = update_multiply_adds_per_word(sizes, mean, groups, 1, after_sentence=True)
    adds = multiply_adds_per_word(sizes, mean) + updates + per_step * weights
    return Costs(parameters_touched_per_word=weights + sizes.document, multiply_adds_per_word=adds)


def _scored_sizes(network: Network, learns: bool) -> Sizes:
    """Return the sizes to count; a vector that does not learn is 0 and need not be multiplied."""
    sizes = sizes_for(network.settings, network.corpus)
    return sizes if learns else sizes.without_document()
