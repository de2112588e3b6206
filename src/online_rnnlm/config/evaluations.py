"""The evaluations of a run: the ways in which its network is tested, and the rivals added to it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.rivals import NGRAMS, RunRivalName, rivals_of
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import UNITS, RunSettings
from online_rnnlm.core.way import ALL, DOCUMENT_VECTOR, GROUPS, NONE, PARTS, Part, Way

if TYPE_CHECKING:
    from online_rnnlm.config.experiment import Experiment

FROZEN = Way()
"""Nothing learns."""
AS_TRAINED = Way(parts=(DOCUMENT_VECTOR,))
"""The document vector learns as in training."""
NETWORK = "network"
"""The name of a mixture's part that is the network."""


def parts_in_network(document_size: int) -> tuple[Part, ...]:
    """Return the parts that a network has: without a document vector, the weights only."""
    return PARTS if document_size else GROUPS


def parts_named(names: Collection[str], document_size: int) -> tuple[Part, ...]:
    """Return the parts that these names stand for; `all` stands for every part.

    Parts that the network lacks are left out. If every part of the network is named, return
    `PARTS`.
    """
    present = parts_in_network(document_size)
    chosen = tuple(part for part in present if part in names or ALL in names)
    return PARTS if chosen == present else chosen


def in_words(way: Way) -> str:
    """Return the words after a network's name, such as `frozen`, `kept for the article`, or `with
    everything learning after every word, kept for the stream`.

    The text is empty if its vector learns as in training.
    """
    if way.unit_of_text is None:
        return "" if way.parts else "frozen"
    kept = f"kept for the {UNITS[way.unit_of_text]}"
    stretches = {1: "word", "sentence": "sentence"}
    learning = f"learning after every {stretches.get(way.after, f'{way.after} words')}"
    if way.only_vector_learns:
        return kept if way.after == 1 else f"{learning}, {kept}"
    parts = [part.replace("_", " ") for part in way.parts]
    named = "everything" if way.parts == PARTS else " and ".join(parts)
    return f"with {named} {learning}, {kept}"


def main_way(document_size: int) -> Way:
    """Return the way of the main evaluation, which counts as a run's result: a document vector
    learns as in training."""
    return AS_TRAINED if document_size else FROZEN


def ways_always(document_size: int) -> tuple[Way, ...]:
    """Return the ways in which every run is tested: frozen and, with a vector, as trained."""
    return (FROZEN, AS_TRAINED) if document_size else (FROZEN,)


def _tested_ways(settings: RunSettings, testing: TestingSettings) -> Iterator[Way]:
    """Yield the ways of `testing.updates`; their rates are those that are best on `valid`."""
    if not testing.concerns(settings.corpus):
        return
    subsets = [parts_named(subset, settings.document_size) for subset in testing.updates]
    # The graph could let those of any cell learn, but hundreds of times as slowly.
    weights_can_learn = ENGINES["kernel"].scores_online(settings.cell)
    for parts, after, unit in itertools.product(subsets, testing.learn_after, testing.unit_of_text):
        way = Way(
            parts,
            after=1 if after == "word" else after,
            unit_of_text=unit,
            steps=testing.steps,
        )
        # Learning after a sentence has no effect if it is forgotten at the sentence's end.
        lost = way.after == unit == "sentence"
        can_learn = not way.groups or (weights_can_learn and way.after in (1, "sentence"))
        if parts and can_learn and not lost:
            yield way


def evaluations_of(
    settings: RunSettings, testing: TestingSettings
) -> dict[str, Way | RunRivalName]:
    """Return all of a run's evaluations by name: those of every run, and those of `testing`.

    Each is the way in which the network is tested, or the name of the rival that is added to it.
    """
    ways = [*ways_always(settings.document_size), *_tested_ways(settings, testing)]
    found: dict[str, Way | RunRivalName] = {way.name: way for way in ways}
    if testing.concerns(settings.corpus):
        found |= {rival: rival for rival in testing.run_rivals}
    return found


def decisive_settings(evaluation: Way | RunRivalName, testing: TestingSettings) -> dict[str, Any]:
    """Return what of `testing` decides the numbers of an evaluation, as values for JSON."""
    if not isinstance(evaluation, Way):
        parts = testing.mixed_in(evaluation)
        order = {"kneser_ney_order": testing.kneser_ney_order} if NGRAMS in parts else {}
        return {**order, "parts": [*parts]} if parts else {}
    keys: set[str] = set()
    if evaluation.unit_of_text is not None:
        if evaluation.groups:
            keys |= {"steps", "learning_rates"}
        if evaluation.vector_learns:
            keys |= {"document_rates"}
    return testing.model_dump(mode="json", include=keys)


def parts_of_mixture(
    mixture: str, testing: TestingSettings, *, run: str, corpus_folder: str, document_size: int
) -> dict[str, tuple[str, str]]:
    """Return the parts of a run's mixture by name, each with its evaluation's folder and name.

    The network is there in its main evaluation, which the mixture replaces by the best on `valid`.
    """
    places = {NETWORK: (run, main_way(document_size).name)}
    for part in rivals_of(testing)[mixture].parts:
        if part.of_corpus:
            places[part.name] = (part.folder_on(corpus_folder), NONE)
        else:
            places[part.name] = (run, part.name)
    return places


def ways_of(experiment: Experiment) -> dict[str, Way]:
    """Return the ways in which any run of an experiment is tested, by the evaluation's name."""
    return {
        name: evaluation
        for row in experiment.planned_rows
        for name, evaluation in evaluations_of(row.settings, experiment.testing).items()
        if isinstance(evaluation, Way)
    }


def ways_of_network(settings: RunSettings, testing: TestingSettings) -> list[Way]:
    """Return the main way to test a network, and those in which its vector learns alone.

    They are timed, and a mixture has the network in the best of them on `valid`.
    """
    others = (way for way in _tested_ways(settings, testing) if way.only_vector_learns)
    return list(dict.fromkeys([main_way(settings.document_size), *others]))
