"""The evaluations of a run, with an adaptation or a rival, and of a corpus's rival.

A rival is loaded by its name: so it is in no other evaluation's fingerprint (`config.code`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from online_rnnlm.config.evaluations import decisive_settings
from online_rnnlm.config.rivals import CorpusRival, RunRivalName
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.adaptation import NONE, Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs.cost import costs_of
from online_rnnlm.jobs.evaluation_files import EvaluationFiles
from online_rnnlm.jobs.network import (
    Failed,
    Network,
    Tested,
    at_rates,
    best_trial,
    load_rival,
)
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Trial
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, read_end


def evaluate_run(
    experiment: ExperimentDirectory,
    name: str,
    evaluation: Adaptation | RunRivalName,
    testing: TestingSettings,
) -> None:
    """Test a run with an adaptation, or with a rival added to it, and write the evaluation's files.

    If the run has diverged, or its test fails, the files are there, but they are empty, and the
    record has the reason. Raises UserError if the model or a part of a mixture is missing or
    damaged, or if the run was not trained on this corpus.
    """
    run = experiment.run(name)
    record = records.read(RunRecord, run.record)
    end = read_end(run)
    corpus = load_corpus(experiment.corpus(record.corpus_folder), testing.other_texts)
    files = EvaluationFiles(
        experiment,
        corpus,
        run=name,
        identity=record.identity,
        evaluation=evaluation.name if isinstance(evaluation, Adaptation) else evaluation,
        adaptation=evaluation if isinstance(evaluation, Adaptation) else None,
        tested_with=decisive_settings(evaluation, testing),
        document_size=record.settings.document_size,
    )
    if end is not None and end.reason:
        files.write_failed(end.reason)
        return
    weights = weight_files.read_trained(run, corpus.digest)
    network = Network(experiment, record, corpus, weights, testing)
    try:
        if isinstance(evaluation, Adaptation):
            tested = _test_adaptation(network, evaluation)
        else:
            rival = load_rival(testing.rivals_by_name[evaluation].module)
            tested = rival.evaluate(network, evaluation)
    except Failed as failed:
        files.write_failed(f"{name}, {files.evaluation}: {failed.reason}", failed.curve)
    else:
        files.write(tested)


def _test_adaptation(network: Network, adaptation: Adaptation) -> Tested:
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


def evaluate_corpus_rival(
    experiment: ExperimentDirectory, trained: CorpusRival, testing: TestingSettings
) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation."""
    corpus = load_corpus(experiment.corpus(trained.corpus_folder), testing.other_texts)
    named = f"{trained.rival.name} {corpus.digest}"
    identity = hashlib.sha256(named.encode()).hexdigest()
    files = EvaluationFiles(experiment, corpus, trained.name, identity, NONE)
    files.write(load_rival(trained.rival.module).evaluate(corpus, testing))
