"""The test of a trained network with an adaptation."""

from __future__ import annotations

from collections.abc import Mapping

from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.jobs.cost import costs_of
from online_rnnlm.jobs.network import Failed, Network, Tested, at_rates, best_trial
from online_rnnlm.storage.evaluations import Trial
from online_rnnlm.storage.paths import HELD_OUT


def evaluate_adaptation(network: Network, adaptation: Adaptation) -> Tested:
    """Test a network with an adaptation, at the best rates on `valid` if they are not known.

    If nothing is updated, or the vector as in training, `train` is scored, too.
    """
    if adaptation.unit_of_text is not None:
        return _test_at_best_rates(network, adaptation)
    scores, seconds = network.score(adaptation, network.corpus.splits)
    learnt = HELD_OUT if adaptation.updates_vector else ()
    return Tested(
        _log_probabilities(scores),
        seconds,
        costs_of(network.settings, network.corpus, adaptation),
        vectors={name: scores[name].document_vectors for name in learnt},
    )


def _test_at_best_rates(network: Network, adaptation: Adaptation) -> Tested:
    """Test with an adaptation, at the rates that are best on `valid`.

    The rate of the weights is chosen first, while the vector has that of its training, and then the
    rate of the vector; there is none where only slow context units are kept for longer.
    Raises Failed if every rate diverges.
    """
    testing = network.testing
    grid = {"learning_rate": testing.learning_rates} if adaptation.weights else {}
    if adaptation.updates_vector and network.settings.document_size:
        grid["document_rate"] = testing.document_rates
    first = "learning_rates" if adaptation.weights else "document_rates"
    advice = f"; try smaller rates in `testing.{first}`" if grid else ""
    best: dict[str, float] = {}
    curve: list[Trial] = []
    for key, values in grid.items():
        for value in values:
            rates = {**best, key: value}
            scores, _ = network.score(at_rates(adaptation, rates), ["valid"])
            reached = perplexity(scores["valid"].log_probabilities)
            curve.append(Trial(settings=rates, valid_perplexity=reached))
        trial = best_trial(curve)
        if trial.valid_perplexity is None:
            raise Failed(f"diverged on valid at every rate{advice}", curve)
        best = dict(trial.settings)
    scores, seconds = network.score(at_rates(adaptation, best), network.corpus.held_out)
    return Tested(
        _log_probabilities(scores),
        seconds,
        costs_of(network.settings, network.corpus, adaptation),
        chosen=best,
        curve=curve,
        advice=advice,
    )


def _log_probabilities(scores: Mapping[str, Scores]) -> dict[str, Floats]:
    """Return the log-probabilities of each text."""
    return {name: found.log_probabilities for name, found in scores.items()}
