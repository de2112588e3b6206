"""Training and testing an n-gram model on a corpus, its files those of any evaluation."""

from __future__ import annotations

import hashlib
import logging
import time

from online_rnnlm.config.evaluations import NONE
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.evaluation import evaluate as evaluation
from online_rnnlm.evaluation.scoring import HELD_OUT, Outcome
from online_rnnlm.rivals.kneser_ney import KneserNey
from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.records import Costs

logger = logging.getLogger(__name__)


def evaluate_ngram(
    experiment: ExperimentDirectory, name: str, corpus_directory: CorpusDirectory, order: int
) -> None:
    """Train a modified Kneser-Ney model of this order on `train`, test it, write its evaluation."""
    corpus = load_corpus(corpus_directory)
    model = KneserNey.train(corpus.splits["train"], corpus.vocabulary_size, order)
    logger.info("%s: %d parameters", name, model.parameters)
    logs, seconds = {}, {}
    for split in HELD_OUT:
        began = time.perf_counter()
        logs[split] = model.log_probabilities(corpus.splits[split])
        seconds[split] = time.perf_counter() - began
    costs = Costs(
        parameters_touched_per_word=0, multiply_adds_per_word=model.multiply_adds_per_word
    )
    digest = f"{order} {corpus.digest} {code_digest('evaluation.ngram:evaluate_ngram')}"
    identity = hashlib.sha256(digest.encode()).hexdigest()
    result = Outcome(logs, seconds, costs, parameters=model.parameters)
    evaluation.write(experiment, name, identity, NONE, corpus, result)
