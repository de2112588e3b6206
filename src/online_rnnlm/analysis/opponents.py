"""The choice of the networks to compare: the one that a report is about, and the opponents of a
network with a vector."""

from __future__ import annotations

import math
from collections import Counter

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import FinishedNetwork


def headline_on(results: Results, corpus: str) -> FinishedNetwork:
    """The network of a corpus that the report is about, whatever its results are.

    Preferred, in this order: networks whose vector learns, of the paper's hidden layer, trained per
    sentence; of the size of hidden layer that most networks of the corpus have; the first of those
    left in the configuration.
    """
    left = results.networks_on(corpus)
    left = [network for network in left if network.learns] or left
    left = [network for network in left if network.is_the_papers] or left
    left = [network for network in left if network.settings.unit_of_text == "sentence"] or left
    sizes = Counter(one.settings.hidden_size for one in results.networks_on(corpus))
    return max(left, key=lambda network: sizes[network.settings.hidden_size])


def headline_with_vector(results: Results) -> FinishedNetwork:
    """The headline of the first corpus; raises NothingToShowError if no vector of it learns."""
    headline = headline_on(results, results.first_corpus)
    if not headline.learns:
        raise NothingToShowError("No network with a vector has finished.")
    return headline


def static_like(results: Results, vector: FinishedNetwork) -> list[FinishedNetwork]:
    """The static networks on a network's corpus with its cell and unit of text, the smallest first.

    Of those of one size, such as those of two engines, the better one on `valid` comes first.
    """
    alike = [
        network
        for network in results.networks_on(vector.corpus)
        if network.regime == vector.regime and not network.has_vector
    ]
    return sorted(alike, key=lambda one: (one.parameters, one.main.perplexity("valid").mean()))


def as_large_as(results: Results, vector: FinishedNetwork) -> list[FinishedNetwork]:
    """Those of `static_like` with at least as many parameters as a network."""
    static = static_like(results, vector)
    return [network for network in static if network.parameters >= vector.parameters]


def updated_static_like(results: Results, vector: FinishedNetwork) -> FinishedNetwork | None:
    """The static network that is nearest to a network in parameters, of those that have at least as
    many hidden units, and of which weights were updated in testing; None if there is none."""
    updated = [
        network
        for network in static_like(results, vector)
        if network.settings.hidden_size >= vector.settings.hidden_size
        and any(tested.updates_weights for tested in network.tested.values())
    ]

    def distance(network: FinishedNetwork) -> float:
        return abs(math.log(network.parameters / vector.parameters))

    return min(updated, key=distance, default=None)


def static_of_as_many_units(results: Results, vector: FinishedNetwork) -> FinishedNetwork | None:
    """The static network with as many hidden and slow units as a network, if there is one."""
    units = (vector.settings.hidden_size, vector.settings.network.context_units)
    for static in static_like(results, vector):
        if (static.settings.hidden_size, static.settings.network.context_units) == units:
            return static
    return None


def opponents_of(results: Results, vector: FinishedNetwork) -> list[FinishedNetwork]:
    """The static networks that are shown beside a network: first that of as many units, then that
    of as many parameters.

    The largest static one takes the place of the second if none has as many. There is one if both
    are the same, and none without static networks.
    """
    static = static_like(results, vector)
    if not static:
        return []
    largest = max(static, key=lambda network: network.parameters)
    as_large = as_large_as(results, vector) or [largest]
    shown = [static_of_as_many_units(results, vector), as_large[0]]
    return [*dict.fromkeys(network for network in shown if network is not None)]


def slow_units_like(results: Results, vector: FinishedNetwork) -> list[FinishedNetwork]:
    """The networks with slow units in a network's vector's place, in the experiment's order.

    There are none beside another cell than the paper's.
    """
    shape = (vector.settings.hidden_size, vector.settings.unit_of_text)
    return [
        network
        for network in results.networks_on(vector.corpus)
        if vector.settings.cell == "sigmoid"
        and network.settings.cell == "slow_context"
        and not network.has_vector
        and (network.settings.hidden_size, network.settings.unit_of_text) == shape
    ]


def without_errors_like(results: Results, vector: FinishedNetwork) -> FinishedNetwork | None:
    """The network of the same shape whose vector's step leaves the error out, if there is one."""

    def shape(network: FinishedNetwork) -> tuple[str, str, int, int, int]:
        settings = network.settings
        sizes = (settings.hidden_size, settings.network.context_units, settings.document_size)
        return *network.regime, *sizes

    for network in results.networks_on(vector.corpus):
        if network.settings.document_step == "words" and shape(network) == shape(vector):
            return network
    return None
