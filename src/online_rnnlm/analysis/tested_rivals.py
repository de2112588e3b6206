"""The rivals of an experiment's corpora, with the results of their tests."""

from __future__ import annotations

from typing import NamedTuple

from online_rnnlm.analysis.missing import Missing
from online_rnnlm.config.evaluations import NONE
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.rivals.base import CorpusRival
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Evaluation, FailedEvaluation


class TestedRival(NamedTuple):
    """A rival of a corpus and its evaluation."""

    corpus: str
    rival: CorpusRival
    evaluation: Evaluation


def read_rivals(
    experiment: Experiment, directory: ExperimentDirectory
) -> tuple[list[TestedRival], list[Missing]]:
    """Read the rivals of all corpora; returns those that were tested, and those without a result.

    Raises UserError for files that are missing or damaged.
    """
    tested, missing = [], []
    for name, (corpus, rival) in rivals_of_corpora(experiment).items():
        path = directory.evaluation(name, NONE)
        found = records.read_one_of((Evaluation, FailedEvaluation), path)
        if isinstance(found, Evaluation):
            tested.append(TestedRival(corpus, rival, found))
        else:
            missing.append(Missing(rival.title, found.status, corpus, found.reason))
    return tested, missing
