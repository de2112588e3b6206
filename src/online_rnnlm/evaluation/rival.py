"""The training and testing of a rival of a corpus; it writes the files of an evaluation."""

from __future__ import annotations

import hashlib
import logging
import time

from online_rnnlm.config.evaluations import NONE
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.evaluation import evaluate as evaluation
from online_rnnlm.evaluation.outcome import Failure, Outcome
from online_rnnlm.rivals import OfCorpus
from online_rnnlm.rivals.base import Impossible
from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory
from online_rnnlm.storage.records import Costs

logger = logging.getLogger(__name__)


def evaluate_rival(experiment: ExperimentDirectory, name: str, of_corpus: OfCorpus) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation under `name`.

    If the rival is impossible for the corpus, the reason takes the place of the metrics.
    """
    corpus = load_corpus(experiment.corpus(of_corpus.corpus))
    rival = of_corpus.rival
    code = code_digest("evaluation.rival:evaluate_rival", rival.module)
    digest = f"{rival.name} {corpus.digest} {code}"
    identity = hashlib.sha256(digest.encode()).hexdigest()
    try:
        rival.fit(corpus)
    except Impossible as error:
        failure = Failure(f"{name}: {error}", status="impossible")
        evaluation.write_failure(experiment, name, identity, NONE, failure)
        return
    cost = rival.cost()
    logger.info("%s: %d parameters", name, cost.parameters)
    logs, seconds = {}, {}
    for split in HELD_OUT:
        began = time.perf_counter()
        logs[split] = rival.score(corpus.splits[split])
        seconds[split] = time.perf_counter() - began
    costs = Costs(parameters_touched_per_word=0, multiply_adds_per_word=cost.multiply_adds_per_word)
    result = Outcome(
        logs, seconds, costs, chosen=rival.chosen, curve=rival.curve, parameters=cost.parameters
    )
    evaluation.write(experiment, name, identity, NONE, corpus, result)
