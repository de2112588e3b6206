"""The rivals by name: what a user may add to a static network instead of a document vector.

A rival is a module of this package with a class `Rival`; its name is listed in `config/testing.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, get_args

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import RunRivalName, TestingSettings
from online_rnnlm.core.way import NONE
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord

if TYPE_CHECKING:  # needs numpy; planning without rivals does not
    from online_rnnlm.rivals.base import Rival


NETWORK = "network"
"""The name of a mixture's part that is the network, its vector learning as in training."""


class OfCorpus(NamedTuple):
    """A rival, and the corpus that it is trained on."""

    corpus: str
    corpus_folder: str
    """The name of the corpus's folder."""
    rival: Rival

    @property
    def name(self) -> str:
        """The name of the folder with its evaluation."""
        return f"{self.corpus_folder}-{self.rival.name}"


def rivals_of_corpora(experiment: Experiment) -> dict[str, OfCorpus]:
    """Return the rivals of an experiment's corpora, by the names of their evaluations' folders."""
    testing = experiment.testing
    found = [
        OfCorpus(corpus, experiment.digits.folder_of(corpus), rival)
        for corpus in filter(testing.concerns, experiment.corpora)
        for rival in rivals_named(testing.rivals_of_corpora, testing)
    ]
    return {one.name: one for one in found}


def evaluate_rival(experiment: ExperimentDirectory, of_corpus: OfCorpus) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation."""
    # These need numpy and pandas, which planning does not.
    from online_rnnlm.corpora.corpus import load_corpus  # noqa: PLC0415
    from online_rnnlm.jobs.evaluate import EvaluationFiles  # noqa: PLC0415

    rival = of_corpus.rival
    corpus = load_corpus(experiment.corpus(of_corpus.corpus_folder), rival.testing.other_texts)
    identity = hashlib.sha256(f"{rival.name} {corpus.digest}".encode()).hexdigest()
    files = EvaluationFiles(experiment, corpus, of_corpus.name, identity, NONE)
    rival.evaluate(corpus, files)


def parts_of(
    run: Run | RunRecord, evaluation: str, testing: TestingSettings
) -> dict[str, tuple[str, str]]:
    """Return the parts of a run's mixture by name, each with its evaluation's folder and name."""
    places = {NETWORK: (run.name, final_evaluation(run.settings.document_size))}
    for rival in mixed_rivals(evaluation, testing):
        if is_rival(rival.name):
            places[rival.name] = (run.name, rival.name)
        else:
            corpus = run.settings.corpus
            places[rival.name] = (OfCorpus(corpus, run.corpus_folder, rival).name, NONE)
    return places


def is_rival(evaluation: str) -> bool:
    """Return True if a run's evaluation scores a rival that adds to the run's network."""
    return evaluation in get_args(RunRivalName)


def rival_in(evaluation: str, testing: TestingSettings) -> Rival | None:
    """Return the rival that a run's evaluation scores; None if it scores the run's model alone."""
    return rivals_named([evaluation], testing)[0] if is_rival(evaluation) else None


def mixed_rivals(mixture: str, testing: TestingSettings) -> list[Rival]:
    """Return the rivals that a mixture has as parts; none if it is another evaluation."""
    return rivals_named(testing.parts_of(mixture), testing)


def rivals_named(names: Iterable[str], testing: TestingSettings) -> list[Rival]:
    """Make the rivals of these names."""
    return [import_module(f"{__name__}.{name}").Rival(testing) for name in names]
