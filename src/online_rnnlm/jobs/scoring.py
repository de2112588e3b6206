"""The scoring of a text with a network: as trained, while parts of it learn, or with a rival."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from online_rnnlm.config.evaluations import engine_for, final_way
from online_rnnlm.config.testing import RunRivalName, TestingSettings
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.perplexity import perplexity
from online_rnnlm.core.scoring import NetworkScorer
from online_rnnlm.core.sizes import Sizes, sizes_for
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import GROUPS, Way
from online_rnnlm.jobs import cost
from online_rnnlm.jobs.outcome import Failure, Floats, Network, Outcome
from online_rnnlm.process.devices import require
from online_rnnlm.rivals import rivals_named
from online_rnnlm.rivals.base import LearningRival, MixedRival, ScoredText
from online_rnnlm.storage.evaluations import Costs, Trial
from online_rnnlm.storage.paths import HELD_OUT, SPLITS

logger = logging.getLogger(__name__)


def outcome(
    network: Network, evaluation: Way | RunRivalName, testing: TestingSettings
) -> Outcome | Failure:
    """Score the splits in a way, or with a rival.

    A text of another kind on which the network diverges is left out.
    """
    advice = ""
    found: Outcome | list[Trial]
    if isinstance(evaluation, Way) and evaluation.unit_of_text is None:
        found = _as_trained(network, evaluation)
    elif isinstance(evaluation, Way):
        key = "learning_rate" if evaluation.groups else "document_rate"
        advice = f"; try smaller rates in `testing.{key}s`"
        found = _at_best_rates(network, evaluation, testing)
    else:
        rival = rivals_named([evaluation], testing)[0]
        if isinstance(rival, LearningRival):
            found = _with_learning_rival(network, rival)
        else:
            found = _with_mixed_rival(network, rival)
    name = evaluation.name if isinstance(evaluation, Way) else evaluation
    if isinstance(found, list):
        reason = f"{network.name}, {name}: diverged on valid at every rate{advice}"
        return Failure(reason, found)
    logs = dict(found.log_probabilities)
    for split in [split for split, scores in logs.items() if perplexity(scores) is None]:
        message = f"{network.name}, {name}: diverged on {split}{advice}"
        if split in SPLITS:
            return Failure(message, found.curve)
        logger.warning("%s", message)
        del logs[split]
    return replace(found, log_probabilities=logs)


def _as_trained(network: Network, way: Way) -> Outcome:
    """Score with fixed weights; the document vector learns as in training, or is held at 0."""
    scorer = _scorer(network, way)
    scores, seconds = {}, {}
    for name, split in network.corpus.splits.items():
        scores[name], seconds[name] = _scored(scorer, split)
    logs = {name: s.log_probabilities for name, s in scores.items()}
    vectors = {name: scores[name].document_vectors for name in HELD_OUT if way.vector_learns}
    return Outcome(logs, seconds, _costs_of(network, way), document_vectors=vectors)


def _at_best_rates(network: Network, way: Way, testing: TestingSettings) -> Outcome | list[Trial]:
    """Score while something learns, at the rates that are best on `valid`.

    The rate of the weights is chosen first, while the vector has that of its training, and then the
    rate of the vector. Returns what was tried if it diverges at every rate.
    """

    def at(rates: Mapping[str, float], name: str) -> tuple[Floats, float]:
        tried = replace(
            way,
            weight_rate=rates.get("learning_rate"),
            vector_rate=rates.get("document_rate"),
        )
        scores, seconds = _scored(_scorer(network, tried), network.corpus.splits[name])
        return scores.log_probabilities, seconds

    best: dict[str, float] = {}
    tried: list[tuple[Trial, tuple[Floats, float]]] = []
    grid = {"learning_rate": testing.learning_rates} if way.groups else {}
    if way.vector_learns and network.settings.document_size:
        grid["document_rate"] = testing.document_rates
    for key, values in grid.items():
        for rates in [{**best, key: value} for value in values]:
            found = at(rates, "valid")
            tried.append((Trial(settings=rates, valid_perplexity=perplexity(found[0])), found))
        trial, on_valid = min(tried, key=lambda one: one[0].valid_perplexity or math.inf)
        if trial.valid_perplexity is None:
            return [one for one, _ in tried]
        best = dict(trial.settings)
    tested = {n: on_valid if n == "valid" else at(best, n) for n in network.corpus.held_out}
    return Outcome(
        {name: scores for name, (scores, _) in tested.items()},
        {name: seconds for name, (_, seconds) in tested.items()},
        _costs_of(network, way),
        chosen=best,
        curve=[one for one, _ in tried],
    )


def _scorer(network: Network, way: Way, *, hidden_states: bool = False) -> NetworkScorer:
    settings = engine_for(network.settings, way)
    require(settings)
    return NetworkScorer(
        settings, network.corpus, network.weights, way, hidden_states=hidden_states
    )


def _scored(scorer: NetworkScorer, split: Split) -> tuple[Scores, float]:
    """Score all sentences of a split; return the scores and the seconds that it took."""
    scorer.score(split, np.arange(0))  # this loads the compiled code, so that it is not timed
    began = time.perf_counter()
    scores = scorer.score(split)
    return scores, time.perf_counter() - began


def _with_mixed_rival(network: Network, rival: MixedRival) -> Outcome:
    """Score with fixed weights and a rival, whose settings are those that are best on `valid`.

    A document vector learns as in training.
    """
    way = final_way(network.settings.document_size)
    scorer = _scorer(network, way, hidden_states=rival.needs_hidden_states)
    texts, seconds = {}, {}
    for name in network.corpus.held_out:
        split = network.corpus.splits[name]
        scores, seconds[name] = _scored(scorer, split)
        texts[name] = ScoredText(split.stream[1:], scores.log_probabilities, scores.hidden_states)
    rival.fit(texts["valid"])
    logs, more = timed(rival.score, texts)
    seconds = {name: seconds[name] + more[name] for name in texts}
    costs = _costs_of(network, way)
    adds = costs.multiply_adds_per_word + rival.cost(network.settings.hidden_size)
    costs = costs.model_copy(update={"multiply_adds_per_word": adds})
    return Outcome(logs, seconds, costs, chosen=rival.chosen, curve=rival.curve)


def _with_learning_rival(network: Network, rival: LearningRival) -> Outcome:
    """Score with weights that learn and decay, by the settings that are best on `valid`.

    A row that decays later, when it is needed, costs as much as one that decays at once.
    """
    from online_rnnlm.core.engines.kernels import dynamic  # noqa: PLC0415  # loads kernels

    scorer = dynamic.DynamicScorer(network.settings, network.corpus, network.weights)
    splits = network.corpus.splits
    texts = {name: partial(scorer.score, splits[name]) for name in network.corpus.held_out}
    rival.fit(texts["valid"])
    logs, seconds = timed(rival.score, texts)
    split = network.corpus.splits["test"]
    offsets, _ = dynamic.segments_for(split, network.settings, rival.chosen["tokens"])
    costs = _costs_after_stretches(
        network, Split(split.stream, offsets), per_step=rival.multiply_adds_per_step
    )
    return Outcome(logs, seconds, costs, chosen=rival.chosen, curve=rival.curve)


def timed(
    score: Callable[[Any], Floats], texts: Mapping[str, Any]
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Score each text; return the scores and the seconds that each took."""
    logs, seconds = {}, {}
    for name, text in texts.items():
        began = time.perf_counter()
        logs[name] = score(text)
        seconds[name] = time.perf_counter() - began
    return logs, seconds


def _costs_of(network: Network, way: Way) -> Costs:
    """Compute the costs while a network learns in a way."""
    vector = way.vector_learns and network.settings.document_size > 0
    sizes, mean = _scored_sizes(network, vector=vector), network.corpus.mean_class_size("test")
    steps = way.steps if way.groups else 0
    after_sentence = way.after == "sentence"
    if after_sentence:
        sentences = network.corpus.splits["test"]
        touched = cost.touched_after_sentences(sizes, network.corpus, sentences, way.groups, vector)
    else:
        touched = cost.touched_per_word(sizes, mean, way.groups, vector, steps)
        touched /= way.words_a_step
    updates = cost.update_multiply_adds_per_word(
        sizes, mean, way.groups, steps, after_sentence=after_sentence
    )
    return Costs(
        parameters_touched_per_word=touched,
        multiply_adds_per_word=cost.multiply_adds_per_word(sizes, mean) + updates,
    )


def _costs_after_stretches(network: Network, stretches: Split, *, per_step: int) -> Costs:
    """Compute the costs if all weights learn after every stretch, and the vector after every word.

    `per_step` are the multiply-adds of a step of one weight, beside those of its gradient.
    """
    sizes = _scored_sizes(network, vector=network.settings.document_size > 0)
    mean, groups = network.corpus.mean_class_size("test"), frozenset(GROUPS)
    weights = cost.touched_after_sentences(sizes, network.corpus, stretches, groups, document=False)
    updates = cost.update_multiply_adds_per_word(sizes, mean, groups, 1, after_sentence=True)
    adds = cost.multiply_adds_per_word(sizes, mean) + updates + per_step * weights
    return Costs(parameters_touched_per_word=weights + sizes.document, multiply_adds_per_word=adds)


def _scored_sizes(network: Network, *, vector: bool) -> Sizes:
    """Return the sizes to count; a vector that does not learn is 0 and need not be multiplied."""
    sizes = sizes_for(network.settings, network.corpus)
    return sizes if vector else sizes.without_document()
