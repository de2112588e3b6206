"""The rivals by name: what a user may add to a static network instead of a document vector.

A rival is a function of a module of this folder, which its entry in the table of `rivals_of` names;
the rival's own name is listed in `config/testing.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

from online_rnnlm.config.evaluations import main_way
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import RivalName, RunRivalName, TestingSettings
from online_rnnlm.core.way import NONE
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord

NETWORK = "network"
"""The name of a mixture's part that is the network, its vector learning in the best way."""


@dataclass(frozen=True)
class Rival:
    """A model to compare with: the function that tests it, its names, and what it is made of."""

    test: str
    """The function that tests it, such as `neural_cache.evaluate_short`, by its module here. It is
    given a network to which the rival adds, or a corpus, if the rival is trained on that alone, and
    `testing`."""
    name: str
    """The name of its files, and of its part in a mixture."""
    label: str
    """Its name in legends and tables, such as `unigram cache`."""
    title: str
    """Its name in a table's row: the label, or one that says more."""
    phrase: str
    """Its name after `with`, such as `a unigram cache`."""
    note: str
    """A sentence below every table that contains it; rivals may share one."""
    of_corpus: bool = False
    """True if it is trained on a corpus alone; else it adds to a run's network."""
    contains_network: bool = False
    """True if it scores with a network's usual scores, so that its costs have those of the network
    in them."""
    parts: tuple[Rival, ...] = ()
    """The rivals that a mixture mixes with a network."""


def rivals_of(testing: TestingSettings) -> dict[str, Rival]:
    """Return all rivals by their names in `testing.rivals`."""
    ngrams = f"{testing.kneser_ney_order}-gram"
    rivals: dict[RivalName, Rival] = {
        "unigram_cache": _cache("unigram_cache", "unigram_cache.evaluate", "unigram cache"),
        "neural_cache": _cache("neural_cache", "neural_cache.evaluate", "neural cache"),
        "short_neural_cache": _cache(
            "short_neural_cache", "neural_cache.evaluate_short", "short neural cache"
        ),
        "dynamic_evaluation": Rival(
            test="dynamic_evaluation.evaluate",
            name="dynamic_evaluation",
            label="dynamic evaluation",
            title="dynamic evaluation",
            phrase="dynamic evaluation",
            note="With dynamic evaluation: all weights learn after every few words, by steps "
            "scaled with their usual gradients, and decay to the trained weights.",
        ),
        "ngram_mixture": Rival(
            test="mixture.evaluate_ngrams",
            name="ngram_mixture",
            label=ngrams,
            title=ngrams,
            phrase=f"a {ngrams} model mixed in",
            note="A network + an n-gram model: a mixture of both, by the weights that are best on "
            "valid.",
        ),
        "mixture": Rival(
            test="mixture.evaluate",
            name="mixture",
            label="mixture",
            title="mixture",
            phrase="all rivals mixed in",
            note="In a mixture: the network, its vector in the way of learning that is best on "
            "valid, and each of its other rivals but a short neural cache, with the weights that "
            "are best on valid.",
        ),
        "kneser_ney": Rival(
            test="kneser_ney.evaluate",
            name=f"kneser_ney{testing.kneser_ney_order}",
            label=ngrams,
            title=f"{ngrams}, modified Kneser-Ney",
            phrase=f"a {ngrams}",
            note="An n-gram model's parameters are its n-grams and a weight for each of their "
            "histories; it has no seed.",
            of_corpus=True,
        ),
    }
    return {
        name: replace(rival, parts=tuple(rivals[part] for part in testing.mixed_in(name)))
        for name, rival in rivals.items()
    }


def _cache(name: RunRivalName, test: str, label: str) -> Rival:
    return Rival(
        test=test,
        name=name,
        label=label,
        title=label,
        phrase=f"a {label}",
        note="With a cache: the network as it is, its vector learning if it has one, mixed with "
        "the words just read.",
        contains_network=True,
    )


@dataclass(frozen=True)
class CorpusRival:
    """A rival, and the corpus that it is trained on."""

    corpus: str
    corpus_folder: str
    """The name of the corpus's folder."""
    rival: Rival

    @property
    def name(self) -> str:
        """The name of the folder with its evaluation."""
        return f"{self.corpus_folder}-{self.rival.name}"


def rivals_of_corpora(experiment: Plan) -> dict[str, CorpusRival]:
    """Return the rivals of an experiment's corpora, by the names of their evaluations' folders."""
    testing = experiment.testing
    rivals = rivals_of(testing)
    found = [
        CorpusRival(corpus, experiment.digits.folder_of(corpus), rivals[name])
        for corpus in filter(testing.concerns, experiment.corpora)
        for name in testing.corpus_rivals
    ]
    return {one.name: one for one in found}


def parts_of_mixture(
    run: Run | RunRecord, mixture: str, testing: TestingSettings
) -> dict[str, tuple[str, str]]:
    """Return the parts of a run's mixture by name, each with its evaluation's folder and name.

    The network is there in its main evaluation.
    """
    places = {NETWORK: (run.name, main_way(run.settings.document_size).name)}
    for part in rivals_of(testing)[mixture].parts:
        if part.of_corpus:
            trained = CorpusRival(run.settings.corpus, run.corpus_folder, part)
            places[part.name] = (trained.name, NONE)
        else:
            places[part.name] = (run.name, part.name)
    return places


def load_test(rival: Rival) -> Any:
    """Return the function that tests a rival."""
    module, _, function = rival.test.partition(".")
    return getattr(import_module(f"{__name__}.{module}"), function)


def evaluate_rival(
    experiment: ExperimentDirectory, trained: CorpusRival, testing: TestingSettings
) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation."""
    # These need numpy and pandas, which planning does not.
    from online_rnnlm.corpora.corpus import load_corpus  # noqa: PLC0415
    from online_rnnlm.jobs.evaluation_files import EvaluationFiles  # noqa: PLC0415

    corpus = load_corpus(experiment.corpus(trained.corpus_folder), testing.other_texts)
    named = f"{trained.rival.name} {corpus.digest}"
    identity = hashlib.sha256(named.encode()).hexdigest()
    files = EvaluationFiles(experiment, corpus, trained.name, identity, NONE)
    files.write(partial(load_test(trained.rival), corpus, testing))
