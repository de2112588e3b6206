"""The tests of the rivals: the function of each, and the evaluation of one of a corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial

from online_rnnlm.config.rivals import CorpusRival, CorpusRivalName, RunRivalName
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.way import NONE
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.jobs.evaluation_files import EvaluationFiles
from online_rnnlm.jobs.network import Network, Tested
from online_rnnlm.rivals import (
    dynamic_evaluation,
    kneser_ney,
    mixture,
    neural_cache,
    unigram_cache,
)
from online_rnnlm.storage.paths import ExperimentDirectory

TESTS_OF_RUN_RIVALS: Mapping[RunRivalName, Callable[[Network], Tested]] = {
    "unigram_cache": unigram_cache.evaluate,
    "neural_cache": neural_cache.evaluate,
    "short_neural_cache": neural_cache.evaluate_short,
    "dynamic_evaluation": dynamic_evaluation.evaluate,
    "ngram_mixture": mixture.evaluate_ngrams,
    "mixture": mixture.evaluate,
}
"""The function that tests a network with each rival added to it."""

TESTS_OF_CORPUS_RIVALS: Mapping[CorpusRivalName, Callable[[Corpus, TestingSettings], Tested]] = {
    "kneser_ney": kneser_ney.evaluate,
}
"""The function that trains each rival on a corpus, and tests it there."""


def evaluate_corpus_rival(
    experiment: ExperimentDirectory, trained: CorpusRival, testing: TestingSettings
) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation."""
    corpus = load_corpus(experiment.corpus(trained.corpus_folder), testing.other_texts)
    named = f"{trained.rival.name} {corpus.digest}"
    identity = hashlib.sha256(named.encode()).hexdigest()
    files = EvaluationFiles(experiment, corpus, trained.name, identity, NONE)
    files.write(partial(TESTS_OF_CORPUS_RIVALS[trained.kind], corpus, testing))
