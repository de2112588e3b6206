"""The rivals by name: what a user may add to a static network instead of a document vector.

A rival is a module of this package with a class `Rival`; its name is listed in `config/testing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import RunRivalName, TestingSettings
from online_rnnlm.core.way import NONE
from online_rnnlm.storage.runs import RunRecord

if TYPE_CHECKING:  # needs numpy; planning without rivals does not
    from online_rnnlm.rivals.base import CorpusRival, Rival, RunRival


NETWORK = "network"
"""The name of a mixture's part that is the network, its vector learning as in training."""


class OfCorpus(NamedTuple):
    """A rival, and the corpus that it is trained on."""

    corpus: str
    corpus_folder: str
    """The name of the corpus's folder."""
    rival: CorpusRival


def rivals_of_corpora(experiment: Experiment) -> dict[str, OfCorpus]:
    """The rivals of an experiment's corpora, by the names of their evaluations' folders."""
    testing = experiment.testing
    found = {}
    for corpus in filter(testing.concerns, experiment.corpora):
        folder = experiment.digits.folder_of(corpus)
        for rival in rivals_named(testing.rivals_of_corpora, testing):
            found[folder_of(folder, rival)] = OfCorpus(corpus, folder, rival)
    return found


def folder_of(corpus_folder: str, rival: Rival) -> str:
    """The name of the folder with the evaluation of a corpus's rival."""
    return f"{corpus_folder}-{rival.name}"


def place_of(rival: Rival, run: str, corpus_folder: str) -> tuple[str, str]:
    """The folder and the name of a rival's evaluation: a run's, or one of the run's corpus."""
    if is_rival(rival.name):
        return run, rival.name
    return folder_of(corpus_folder, rival), NONE


def parts_of(
    run: Run | RunRecord, evaluation: str, testing: TestingSettings
) -> dict[str, tuple[str, str]]:
    """The parts of a run's mixture by name, each with its evaluation's folder and name."""
    places = {NETWORK: (run.name, final_evaluation(run.settings.document_size))}
    for rival in mixed_rivals([evaluation], testing):
        places[rival.name] = place_of(rival, run.name, run.corpus_folder)
    return places


def is_rival(evaluation: str) -> bool:
    """True if a run's evaluation scores a rival that extends the run's model."""
    return evaluation in get_args(RunRivalName)


def rival_in(evaluation: str, testing: TestingSettings) -> RunRival | None:
    """The rival that a run's evaluation scores; None if it scores the run's model alone."""
    return rivals_named([evaluation], testing)[0] if is_rival(evaluation) else None


def mixed_rivals(evaluations: Iterable[str], testing: TestingSettings) -> list[Rival]:
    """The rivals that the mixtures among these evaluations have as parts."""
    names = dict.fromkeys(part for name in evaluations for part in testing.parts_of(name))
    return rivals_named(names, testing)


def rivals_named(names: Iterable[str], testing: TestingSettings) -> list[Any]:
    """Make the rivals of these names."""
    return [import_module(f"{__name__}.{name}").Rival(testing) for name in names]
