"""The ways to score a text with a network: as trained, while parts of it learn, or with a rival."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from online_rnnlm.config.evaluations import (
    DOCUMENT_VECTOR,
    OnlineEvaluation,
    online_evaluation,
    parts_named,
)
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import Reading
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines import registry
from online_rnnlm.engines.base import OnlineSettings, Scores, joined_scores
from online_rnnlm.engines.lanes import parts_of_documents
from online_rnnlm.evaluation.costs import (
    costs_after_sentences,
    costs_after_words,
    costs_as_trained,
)
from online_rnnlm.evaluation.outcome import Failure, Floats, Network, Outcome
from online_rnnlm.model import weight_files
from online_rnnlm.model.perplexity import perplexity
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.rivals import rival_in
from online_rnnlm.rivals.base import LearningRival, MixedRival, ScoredText
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, RunDirectory
from online_rnnlm.storage.records import RunRecord, Trial

logger = logging.getLogger(__name__)


def outcome(
    record: RunRecord,
    run: RunDirectory,
    corpus: Corpus,
    evaluation: str,
    testing: TestingSettings,
) -> Outcome | Failure:
    """Score the splits in the way that an evaluation's name says.

    Raises UserError if the model is damaged, or has diverged in training.
    """
    network = Network(record.name, record.settings, corpus, weight_files.read_trained(run, corpus))
    online, rival = online_evaluation(evaluation), rival_in(evaluation, testing)
    if online is not None:
        return _learning(network, online, testing)
    if isinstance(rival, LearningRival):
        from online_rnnlm.evaluation.dynamic import learning_with  # noqa: PLC0415  # loads kernels

        found = learning_with(network, rival)
    elif isinstance(rival, MixedRival):
        found = _with_rival(network, rival)
    else:
        found = _as_trained(network, learns=evaluation == DOCUMENT_VECTOR)
    return _unless_diverged(found, f"{network.name}, {evaluation}")


def _unless_diverged(found: Outcome, what: str, advice: str = "") -> Outcome | Failure:
    """Return the outcome, or a divergence if a split has no perplexity."""
    for split, scores in found.log_probabilities.items():
        if perplexity(scores) is None:
            return Failure(f"{what}: diverged on {split}{advice}", found.curve)
    return found


def _as_trained(network: Network, *, learns: bool) -> Outcome:
    """Score with fixed weights; the document vector learns as in training, or is held at 0."""
    rate = network.settings.document_rate if learns else 0.0
    score = partial(
        registry.scorer(network.settings, network.corpus), network.weights, document_rate=rate
    )
    scores, seconds = {}, {}
    for name in SPLITS:
        scores[name], seconds[name] = _in_parts(score, network.corpus.splits[name], name)
    logs = {name: s.log_probabilities for name, s in scores.items()}
    vectors = {name: scores[name].document_vectors for name in HELD_OUT if learns}
    return Outcome(
        logs, seconds, costs_as_trained(network, learns=learns), document_vectors=vectors
    )


def _in_parts(
    score: Callable[[Split, NDArray[np.int64]], Scores], split: Split, label: str
) -> tuple[Scores, float]:
    """Score all sentences of a split; return the scores and the seconds that it took."""
    numbers = np.arange(split.sentences)
    score(split, numbers[:0])  # this loads the compiled code, so that loading is not timed
    began = time.perf_counter()
    parts = []
    with tqdm(total=split.sentences, desc=label, unit="sentence", disable=None) as bar:
        for part in parts_of_documents(split):
            parts.append(score(split, part))
            bar.update(len(part))
    seconds = time.perf_counter() - began
    return joined_scores(parts), seconds


def _learning(
    network: Network, online: OnlineEvaluation, testing: TestingSettings
) -> Outcome | Failure:
    """Score while parts of the model learn from the text, at the rate that is best on `valid`."""
    parts = parts_named(online.updates, network.settings.document_size)
    groups = parts - {DOCUMENT_VECTOR}
    key = "learning_rate" if groups else "document_rate"
    rates = testing.learning_rates if groups else testing.document_rates
    tried = {rate: _at_rate(network, online, testing, rate, "valid") for rate in rates}
    reached = {rate: perplexity(scores) for rate, (scores, _) in tried.items()}
    curve = [Trial(settings={key: rate}, valid_perplexity=reached[rate]) for rate in rates]
    what, advice = f"{network.name}, {online.name}", f"; try smaller rates in `testing.{key}s`"
    if not any(reached.values()):
        return Failure(f"{what}: diverged on valid at every rate{advice}", curve)
    best = min(rates, key=lambda rate: reached[rate] or math.inf)
    valid, test = tried[best], _at_rate(network, online, testing, best, "test")
    learns = DOCUMENT_VECTOR in parts
    if online.learn_after == "sentence":
        sentences = network.corpus.splits["test"]
        costs = costs_after_sentences(network, sentences, groups, learns=learns)
    else:
        costs = costs_after_words(network, groups, learns=learns, steps=testing.steps)
    found = Outcome(
        {"valid": valid[0], "test": test[0]},
        {"valid": valid[1], "test": test[1]},
        costs,
        chosen={key: best},
        curve=curve,
    )
    return _unless_diverged(found, what, advice)


def _at_rate(
    network: Network, online: OnlineEvaluation, testing: TestingSettings, rate: float, name: str
) -> tuple[Floats, float]:
    """Score a split at a rate; return the tokens' log-probabilities and the seconds it took."""
    run, split = network.settings, network.corpus.splits[name]
    vector_alone = (online.updates, online.learn_after) == (DOCUMENT_VECTOR, "word")
    if vector_alone and online.unit_of_text != "stream":
        state = run.reading.state and online.unit_of_text == "document"
        reading = Reading(online.unit_of_text, state=state, vector=True)
        score = registry.scorer(run, network.corpus, reading)
        scores, seconds = _in_parts(
            partial(score, network.weights, document_rate=rate), split, f"{name}, rate {rate:g}"
        )
        return scores.log_probabilities, seconds
    settings = OnlineSettings.of_parts(
        parts_named(online.updates, run.document_size),
        rate,
        run.document_rate,
        bptt_steps=testing.steps,
        learn_after=online.learn_after,
        unit_of_text=online.unit_of_text,
        carries_state=run.reading.state,
    )
    scorer = registry.online_scorer(run, network.corpus, network.weights, settings)
    scorer.score(split, np.arange(0))  # this loads the compiled code, so that it is not timed
    began = time.perf_counter()
    found = scorer.score(split, np.arange(split.sentences))
    return found.log_probabilities, time.perf_counter() - began


def _with_rival(network: Network, rival: MixedRival) -> Outcome:
    """Score with fixed weights and a rival, whose settings are those that are best on `valid`.

    A document vector learns as in training.
    """
    texts, found, seconds = {}, {}, {}
    for name in HELD_OUT:
        texts[name], seconds[name] = _scored_text(network, name, states=rival.needs_hidden_states)
    rival.fit(texts["valid"])
    for name in HELD_OUT:
        began = time.perf_counter()
        found[name] = rival.score(texts[name])
        seconds[name] += time.perf_counter() - began
    costs = costs_as_trained(network, learns=network.settings.document_size > 0)
    width = sizes_for(network.settings, network.corpus).output
    adds = costs.multiply_adds_per_word + rival.cost(width)
    costs = costs.model_copy(update={"multiply_adds_per_word": adds})
    return Outcome(found, seconds, costs, chosen=rival.chosen, curve=rival.curve)


def _scored_text(network: Network, name: str, *, states: bool) -> tuple[ScoredText, float]:
    """Score a split as in training, for a rival; return its text and the seconds it took."""
    split, rate = network.corpus.splits[name], network.settings.document_rate
    scorer = registry.scorer(network.settings, network.corpus, hidden_states=states)
    scores, seconds = _in_parts(partial(scorer, network.weights, document_rate=rate), split, name)
    return ScoredText(split.stream[1:], scores.log_probabilities, scores.hidden_states), seconds
