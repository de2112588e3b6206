"""The rivals by name: models that a user would choose instead of the paper's.

A rival is a module of this package with a class `Rival`; its name is listed in `config/testing.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from online_rnnlm.config.evaluations import NONE
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.testing import CorpusRivalName, RunRivalName, TestingSettings
from online_rnnlm.storage.syntax import PACKAGE

if TYPE_CHECKING:  # needs numpy; planning without rivals does not
    from online_rnnlm.rivals.base import CorpusRival, Rival, RunRival


class OfCorpus(NamedTuple):
    """A rival, and the corpus that it is trained on."""

    corpus: str
    rival: CorpusRival


def rivals_of_corpora(experiment: Experiment) -> dict[str, OfCorpus]:
    """The rivals of an experiment's corpora, by the names of their evaluations' folders."""
    testing = experiment.testing
    rivals = [_made(name, testing, "CorpusRival") for name in testing.rivals_of_corpora]
    return {
        folder_of(corpus, rival): OfCorpus(corpus, rival)
        for corpus in experiment.corpora
        for rival in rivals
    }


def folder_of(corpus: str, rival: CorpusRival) -> str:
    """The name of the folder with the evaluation of a corpus's rival."""
    return f"{corpus}-{rival.name}"


def place_of(rival: Rival, run: str, corpus: str) -> tuple[str, str]:
    """The folder and the name of a rival's evaluation: a run's, or one of the run's corpus."""
    from online_rnnlm.rivals import base  # noqa: PLC0415

    if isinstance(rival, base.CorpusRival):
        return folder_of(corpus, rival), NONE
    return run, rival.name


def is_rival(evaluation: str) -> bool:
    """True if a run's evaluation scores a rival that extends the run's model."""
    return evaluation in get_args(RunRivalName)


def rival_in(evaluation: str, testing: TestingSettings) -> RunRival | None:
    """The rival that a run's evaluation scores; None if it scores the run's model alone."""
    if not is_rival(evaluation):
        return None
    rival: RunRival = _made(evaluation, testing, "RunRival")
    return rival


def rivals_in(evaluations: Iterable[str], testing: TestingSettings) -> list[RunRival]:
    """The rivals that a run's evaluations score."""
    found = (rival_in(evaluation, testing) for evaluation in evaluations)
    return [rival for rival in found if rival is not None]


def mixed_rivals(evaluations: Iterable[str], testing: TestingSettings) -> list[Rival]:
    """The rivals that the mixtures among these evaluations have as parts."""
    names = dict.fromkeys(part for name in evaluations for part in testing.parts_of(name))
    of_corpora = get_args(CorpusRivalName)
    return [
        _made(name, testing, "CorpusRival" if name in of_corpora else "RunRival") for name in names
    ]


def modules_for(evaluations: Collection[str], testing: TestingSettings) -> list[str]:
    """The modules, below the package, of all rivals that a run's evaluations depend on."""
    rivals = [*rivals_in(evaluations, testing), *mixed_rivals(evaluations, testing)]
    return list(dict.fromkeys(rival.module for rival in rivals))


def _made(name: str, testing: TestingSettings, kind: str) -> Any:
    """Make the rival of that name; raises TypeError if it is no `kind`, a class of `base`."""
    from online_rnnlm.rivals import base  # noqa: PLC0415

    rival = import_module(f"{PACKAGE}.rivals.{name}").Rival(testing)
    if not isinstance(rival, getattr(base, kind)):
        raise TypeError(f"{rival.module}: its `Rival` must be a {kind}")
    return rival
