"""The evaluations of a run: the adaptations and the rivals that its network is tested with, and the
engine that scores with an adaptation."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any, get_args

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.rivals import MIXTURES, NGRAMS, RunRivalName
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import UNITS, RunSettings
from online_rnnlm.core.adaptation import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    PARTS,
    WEIGHTS,
    Adaptation,
    Part,
)
from online_rnnlm.core.settings import UnitOfText

NETWORK = "network"
"""The name of a mixture's part that is the network."""


def parts_in_network(document_size: int) -> tuple[Part, ...]:
    """Return the parts that a network has: without a document vector, the weights only."""
    return PARTS if document_size else WEIGHTS


def parts_named(names: Collection[str], document_size: int) -> tuple[Part, ...]:
    """Return the parts that these names stand for; `all` stands for every part.

    Parts that the network lacks are left out. If every part of the network is named, return
    `PARTS`.
    """
    present = parts_in_network(document_size)
    chosen = tuple(part for part in present if part in names or ALL in names)
    return PARTS if chosen == present else chosen


def in_words(adaptation: Adaptation) -> str:
    """Return the words after a network's name, such as `frozen`, `kept for the article`, or `with
    everything learning after every word, kept for the stream`.

    The text is empty if its vector is updated as in training. Without a vector, slow context units
    are what is kept.
    """
    if adaptation.unit_of_text is None:
        return "" if adaptation.parts else "frozen"
    kept = f"kept for the {UNITS[adaptation.unit_of_text]}"
    stretches = {1: "word", "sentence": "sentence"}
    learning = (
        f"learning after every {stretches.get(adaptation.after, f'{adaptation.after} words')}"
    )
    if not adaptation.weights:
        return kept if adaptation.after == 1 else f"{learning}, {kept}"
    parts = [part.replace("_", " ") for part in adaptation.parts]
    named = "everything" if adaptation.parts == PARTS else " and ".join(parts)
    return f"with {named} {learning}, {kept}"


def main_adaptation(document_size: int) -> Adaptation:
    """Return the adaptation of the main evaluation, which counts as a run's result.

    The document vector is updated as in training; in a network without one, nothing is.
    """
    return Adaptation(parts=(DOCUMENT_VECTOR,)) if document_size else Adaptation()


def evaluations_of(
    settings: RunSettings, testing: TestingSettings
) -> dict[str, Adaptation | RunRivalName]:
    """Return all evaluations of a run, by name.

    Each is the adaptation of the network, or the name of the rival that is added to it. Every run
    has the evaluation `none`, in which nothing is updated, and its main one. `testing` adds the
    adaptations of `updates`, with the rates that are best on `valid`, and the rivals. With
    `updates`, a network without a vector also has its slow context units kept for longer.
    """
    adaptations = [Adaptation(), main_adaptation(settings.document_size)]
    if testing.updates and settings.network.context_units and not settings.document_size:
        length = get_args(UnitOfText).index
        adaptations += [
            Adaptation(unit_of_text=unit)
            for unit in testing.unit_of_text
            if length(unit) > length(settings.unit_of_text)
        ]
    subsets = [parts_named(subset, settings.document_size) for subset in testing.updates]
    # The graph could update those of any cell, but hundreds of times as slowly.
    weights_can_be_updated = ENGINES["kernel"].can_update_weights(settings.cell)
    for parts, after, unit in itertools.product(subsets, testing.learn_after, testing.unit_of_text):
        adaptation = Adaptation(
            parts,
            after=1 if after == "word" else after,
            unit_of_text=unit,
            steps=testing.steps,
        )
        # An update after a sentence has no effect if it is forgotten at the sentence's end.
        lost = adaptation.after == unit == "sentence"
        possible = not adaptation.weights or (
            weights_can_be_updated and adaptation.after in (1, "sentence")
        )
        if parts and possible and not lost:
            adaptations.append(adaptation)
    return {adaptation.name: adaptation for adaptation in adaptations} | {
        rival: rival for rival in testing.run_rivals
    }


def adaptations_of_state(settings: RunSettings, testing: TestingSettings) -> list[Adaptation]:
    """Return the adaptations that change no weights, only what the network keeps in its state: its
    vector, if it has one, or its slow context units. The main one is first.

    A mixture takes the one that is best on `valid`. A network that has neither has the main one
    alone, and one with a vector is not left frozen.
    """
    main = main_adaptation(settings.document_size)
    return [
        one
        for one in evaluations_of(settings, testing).values()
        if isinstance(one, Adaptation) and one.parts == main.parts
    ]


def timed_evaluations(
    settings: RunSettings, testing: TestingSettings
) -> dict[str, Adaptation | RunRivalName]:
    """Return those evaluations of a run that are timed, by name.

    They are `adaptations_of_state`, one adaptation for each other set of parts, since the unit of
    text hardly changes the time, and the rivals but for mixtures, whose parts have their own times.
    """
    timed = {one.name: one for one in adaptations_of_state(settings, testing)}
    parts = {one.parts for one in timed.values()}
    found: dict[str, Adaptation | RunRivalName] = {}
    for name, evaluation in evaluations_of(settings, testing).items():
        if isinstance(evaluation, Adaptation):
            if name in timed or evaluation.parts not in parts:
                found[name] = evaluation
                parts.add(evaluation.parts)
        elif evaluation not in MIXTURES:
            found[name] = evaluation
    return found


def decisive_settings(
    evaluation: Adaptation | RunRivalName, testing: TestingSettings
) -> dict[str, Any]:
    """Return the settings of `testing` that decide an evaluation's scores, as values for JSON."""
    if not isinstance(evaluation, Adaptation):
        rivals = testing.rivals_by_name
        parts = [name for name, rival in rivals.items() if rival in rivals[evaluation].parts]
        order = {"kneser_ney_order": testing.kneser_ney_order} if NGRAMS in parts else {}
        return {**order, "parts": parts} if parts else {}
    keys: set[str] = set()
    if evaluation.unit_of_text is not None:
        if evaluation.weights:
            keys |= {"steps", "learning_rates"}
        if evaluation.updates_vector:
            keys |= {"document_rates"}
    return testing.model_dump(mode="json", include=keys)


def parts_of_mixture(
    mixture: str, testing: TestingSettings, *, run: str, corpus_folder: str, document_size: int
) -> dict[str, tuple[str, str]]:
    """Return the folder and the name of the evaluation of each part of a run's mixture.

    That of the network is its main evaluation. The mixture takes the one of `adaptations_of_state`
    that is best on `valid` in its place, and needs the main one to count costs.
    """
    places = {NETWORK: (run, main_adaptation(document_size).name)}
    for part in testing.rivals_by_name[mixture].parts:
        if part.of_corpus:
            places[part.name] = (part.folder_on(corpus_folder), NONE)
        else:
            places[part.name] = (run, part.name)
    return places


def engine_for(settings: RunSettings, adaptation: Adaptation) -> RunSettings:
    """Return the settings with the engine that is to score with an adaptation.

    It is the run's own if that one can, else the fastest that can, on a CPU. Evaluations, timings
    and the tool all ask here, since engines differ in the last bits.
    """
    engine = ENGINES[settings.engine]
    updates_weights = bool(adaptation.weights)
    if updates_weights:
        able = engine.can_update_weights(settings.cell)
    else:
        able = adaptation.after == 1 or engine.steps_after_words
    return settings if able else usable_anywhere(settings, updates_weights=updates_weights)


def usable_anywhere(settings: RunSettings, *, updates_weights: bool = False) -> RunSettings:
    """Return the same network's settings for a machine that has only a CPU and this package.

    The engine is the fastest that needs no more, and can update weights if it is asked to.
    """
    speeds = {}
    for name, engine in ENGINES.items():
        on_cpu = engine.devices.get("cpu")
        if on_cpu is None or on_cpu.modules or engine.is_elsewhere:
            continue
        is_able = engine.can_update_weights if updates_weights else engine.has_cell
        if is_able(settings.cell):
            speeds[name] = on_cpu.multiply_adds_a_second
    fastest = max(speeds, key=lambda name: speeds[name])
    return settings.model_copy(update={"engine": fastest, "device": "cpu"})
