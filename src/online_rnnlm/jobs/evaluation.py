"""The evaluations of a run, with an adaptation or a rival, and of a corpus's rival.

A rival is loaded by its name: so it is in no other evaluation's fingerprint (`config.code`).
"""

from __future__ import annotations

import hashlib

from online_rnnlm.config.evaluations import decisive_settings
from online_rnnlm.config.rivals import CorpusRival, RunRivalName
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.adaptation import NONE, Adaptation
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs.adaptations import evaluate_adaptation
from online_rnnlm.jobs.evaluation_files import EvaluationFiles
from online_rnnlm.jobs.network import Failed, Network, Tested, load_rival
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.paths import ExperimentDirectory
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
    try:
        tested = _test(Network(experiment, record, corpus, weights, testing), evaluation)
    except Failed as failed:
        files.write_failed(f"{name}, {files.evaluation}: {failed.reason}", failed.curve)
    else:
        files.write(tested)


def _test(network: Network, evaluation: Adaptation | RunRivalName) -> Tested:
    """Test a network with an adaptation or a rival; raises Failed if it has no scores."""
    if isinstance(evaluation, Adaptation):
        return evaluate_adaptation(network, evaluation)
    rival = network.testing.rivals_by_name[evaluation]
    found: Tested = load_rival(rival.module).evaluate(network, evaluation)
    return found


def evaluate_corpus_rival(
    experiment: ExperimentDirectory, trained: CorpusRival, testing: TestingSettings
) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation."""
    corpus = load_corpus(experiment.corpus(trained.corpus_folder), testing.other_texts)
    named = f"{trained.rival.name} {corpus.digest}"
    identity = hashlib.sha256(named.encode()).hexdigest()
    files = EvaluationFiles(experiment, corpus, trained.name, identity, NONE)
    files.write(load_rival(trained.rival.module).evaluate(corpus, testing))
