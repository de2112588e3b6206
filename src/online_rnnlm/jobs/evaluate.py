"""The test of a trained run, in a way or with a rival."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from online_rnnlm.config.evaluations import decisive_settings
from online_rnnlm.config.rivals import RunRivalName
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.perplexity import perplexity
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs.cost import costs_of
from online_rnnlm.jobs.evaluation_files import EvaluationFiles
from online_rnnlm.jobs.network import Failed, Floats, Network, Tested, best_trial
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Trial
from online_rnnlm.storage.paths import HELD_OUT, CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import RunDivergence, RunRecord, read_end


def evaluate(
    experiment: ExperimentDirectory,
    name: str,
    corpus_directory: CorpusDirectory,
    evaluation: Way | RunRivalName,
    testing: TestingSettings,
    test: Callable[[Network], Tested],
) -> None:
    """Test a run in a way, or with a rival added to it, and write the evaluation's files.

    `test` is what tests the network: `evaluate_way` of the way, or the rival's own function. Raises
    UserError if the model or a part of a mixture is missing or damaged, or if the run was not
    trained on this corpus.
    """
    run = experiment.run(name)
    record = records.read(RunRecord, run.record)
    end = read_end(run)
    corpus = load_corpus(corpus_directory, testing.other_texts)
    files = EvaluationFiles(
        experiment,
        corpus,
        run=name,
        identity=record.identity,
        evaluation=evaluation.name if isinstance(evaluation, Way) else evaluation,
        way=evaluation if isinstance(evaluation, Way) else None,
        tested_with=decisive_settings(evaluation, testing),
        document_size=record.settings.document_size,
    )
    if isinstance(end, RunDivergence):
        files.write_failed(end.reason)
        return
    weights = weight_files.read_trained(run, corpus.digest)
    files.write(partial(test, Network(experiment, record, corpus, weights, testing)))


def evaluate_way(way: Way, network: Network) -> Tested:
    """Test a network in a way, at the rates that are best on `valid` if they are not known.

    If nothing learns, or the vector learns as in training, `train` is scored, too.
    """
    if way.unit_of_text is not None:
        return _test_at_best_rates(way, network)
    scores, seconds = network.score(way, network.corpus.splits)
    learnt = HELD_OUT if way.vector_learns else ()
    return Tested(
        _log_probabilities(scores),
        seconds,
        costs_of(network.settings, network.corpus, way),
        vectors={name: scores[name].document_vectors for name in learnt},
    )


def _test_at_best_rates(way: Way, network: Network) -> Tested:
    """Test while something learns, at the rates that are best on `valid`.

    The rate of the weights is chosen first, while the vector has that of its training, and then the
    rate of the vector. Raises Failed if every rate diverges.
    """
    testing = network.testing
    grid = {"learning_rate": testing.learning_rates} if way.groups else {}
    if way.vector_learns and network.settings.document_size:
        grid["document_rate"] = testing.document_rates
    first = "learning_rates" if way.groups else "document_rates"
    advice = f"; try smaller rates in `testing.{first}`"
    best: dict[str, float] = {}
    curve: list[Trial] = []
    for key, values in grid.items():
        for value in values:
            rates = {**best, key: value}
            scores, _ = network.score(_at_rates(way, rates), ["valid"])
            reached = perplexity(scores["valid"].log_probabilities)
            curve.append(Trial(settings=rates, valid_perplexity=reached))
        trial = best_trial(curve)
        if trial.valid_perplexity is None:
            raise Failed(f"diverged on valid at every rate{advice}", curve)
        best = dict(trial.settings)
    scores, seconds = network.score(_at_rates(way, best), network.corpus.held_out)
    return Tested(
        _log_probabilities(scores),
        seconds,
        costs_of(network.settings, network.corpus, way),
        chosen=best,
        curve=curve,
        advice=advice,
    )


def _at_rates(way: Way, rates: Mapping[str, float]) -> Way:
    """Return a way with the rates of a trial, by the names of their settings."""
    weight_rate = rates.get("learning_rate")
    return replace(way, weight_rate=weight_rate, vector_rate=rates.get("document_rate"))


def _log_probabilities(scores: Mapping[str, Scores]) -> dict[str, Floats]:
    """Return the log-probabilities of each text."""
    return {name: found.log_probabilities for name, found in scores.items()}
