"""The modules whose code decides each result: its fingerprint is that of these.

A module counts with all that it imports (`storage.code.fingerprint`), so only those are named here
in which a job begins, and those that are loaded by name: a source, an engine, a cell, a rival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import (
    engine_for,
    main_adaptation,
    timed_evaluations,
    usable_anywhere,
)
from online_rnnlm.config.rivals import CORPUS_RIVALS, CorpusRivalName, RunRivalName
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.engines import KERNELS

if TYPE_CHECKING:
    from online_rnnlm.config.corpora import CorpusSettings
    from online_rnnlm.config.experiment import Experiment
    from online_rnnlm.config.testing import TestingSettings
    from online_rnnlm.config.training import RunSettings

Modules = tuple[str, ...]


def of_corpus(settings: CorpusSettings) -> Modules:
    """Return the modules that decide the arrays of a corpus."""
    kind = settings.source.kind.replace("-", "_")
    return ("corpora.stages", f"corpora.sources.{kind}")


def of_training(settings: RunSettings) -> Modules:
    """Return the modules that decide the weights of a run."""
    return ("core.training", *_of_network(settings))


def of_evaluation(
    settings: RunSettings, evaluation: Adaptation | RunRivalName, testing: TestingSettings
) -> Modules:
    """Return the modules that decide an evaluation of a run."""
    return ("jobs.evaluation", *_that_score(settings, evaluation, testing))


def of_rival(rival: CorpusRivalName) -> Modules:
    """Return the modules that decide the evaluation of a rival of a corpus."""
    return ("jobs.evaluation", f"rivals.{rival}")


def of_timings(experiment: Experiment) -> Modules:
    """Return the modules that decide what is timed, and how."""
    tests = {
        module
        for network in experiment.networks
        for evaluation in timed_evaluations(network.settings, network.testing).values()
        for module in _that_score(network.settings, evaluation, network.testing)
    }
    return ("jobs.timing", *sorted(tests))


def of_audits(experiment: Experiment) -> Modules:
    """Return the modules that decide the audits of networks."""
    networks = [usable_anywhere(network.settings) for network in experiment.networks]
    tests = {module for settings in networks for module in _of_network(settings)}
    return ("auditing.networks", *sorted(tests))


def of_report(_: Experiment) -> Modules:
    """Return the modules that decide the tables, and all that is made after them.

    They depend on all of `config` and `storage`, since making them again takes seconds.
    """
    return ("analysis", "config", "storage")


def of_plan(experiment: Experiment) -> set[Modules]:
    """Return the modules that decide each result of an experiment."""
    found = {KERNELS, of_timings(experiment), of_audits(experiment), of_report(experiment)}
    found |= {of_corpus(settings) for settings in experiment.corpora.values()}
    found |= {of_rival(rival) for rival in CORPUS_RIVALS if rival in experiment.testing.rivals}
    for network in experiment.networks:
        found.add(of_training(network.settings))
        for evaluation in network.evaluations.values():
            found.add(of_evaluation(network.settings, evaluation, network.testing))
    return found


def _of_network(settings: RunSettings) -> Modules:
    """Return the modules by which an engine trains or scores a network."""
    return (f"core.engines.{settings.engine}_engine", f"core.cells.{settings.cell}")


def _that_score(
    settings: RunSettings, evaluation: Adaptation | RunRivalName, testing: TestingSettings
) -> Modules:
    """Return the modules by which a network is scored in an evaluation."""
    if isinstance(evaluation, Adaptation):
        return _of_test(settings, evaluation)
    rival = testing.rivals_by_name[evaluation].module
    return (f"rivals.{rival}", *_of_test(settings, main_adaptation(settings.document_size)))


def _of_test(settings: RunSettings, adaptation: Adaptation) -> Modules:
    """Return the modules by which a network is scored so."""
    settings = engine_for(settings, adaptation)
    learning = ENGINES[settings.engine].updating_modules if adaptation.weights else ()
    return (*_of_network(settings), *learning)
