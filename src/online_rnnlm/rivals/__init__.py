"""The rivals by name: what a user may add to a static network instead of a document vector.

A rival is a function of a module of this folder, which `TESTS` names. It has an entry in the table
`rivals_of`, and its name is listed in `config/testing.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, NamedTuple

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import RivalName, RunRivalName, TestingSettings
from online_rnnlm.core.way import NONE
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord

TESTS: Mapping[RivalName, str] = {
    "unigram_cache": "unigram_cache.evaluate",
    "neural_cache": "neural_cache.evaluate",
    "short_neural_cache": "neural_cache.evaluate_short",
    "dynamic_evaluation": "dynamic_evaluation.evaluate",
    "ngram_mixture": "mixture.evaluate_ngrams",
    "mixture": "mixture.evaluate",
    "kneser_ney": "kneser_ney.evaluate",
}
"""By rival, the module and the function that fits it, scores the texts and counts its costs."""
NETWORK = "network"
"""The name of a mixture's part that is the network, its vector learning in the best way."""


@dataclass(frozen=True)
class Rival:
    """The names of a model to compare with, and what it is made of."""

    setting: RivalName
    """Its name in `testing.rivals`."""
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
    rivals = [
        _cache("unigram_cache", "unigram cache"),
        _cache("neural_cache", "neural cache"),
        _cache("short_neural_cache", "short neural cache"),
        Rival(
            setting="dynamic_evaluation",
            name="dynamic_evaluation",
            label="dynamic evaluation",
            title="dynamic evaluation",
            phrase="dynamic evaluation",
            note="With dynamic evaluation: all weights learn after every few words, by steps "
            "scaled with their usual gradients, and decay to the trained weights.",
        ),
        Rival(
            setting="ngram_mixture",
            name="ngram_mixture",
            label=ngrams,
            title=ngrams,
            phrase=f"a {ngrams} model mixed in",
            note="A network + an n-gram model: a mixture of both, by the weights that are best on "
            "valid.",
        ),
        Rival(
            setting="mixture",
            name="mixture",
            label="mixture",
            title="mixture",
            phrase="all rivals mixed in",
            note="In a mixture: the network, its vector in the way of learning that is best on "
            "valid, and each of its other rivals but a short neural cache, with the weights that "
            "are best on valid.",
        ),
        Rival(
            setting="kneser_ney",
            name=f"kneser_ney{testing.kneser_ney_order}",
            label=ngrams,
            title=f"{ngrams}, modified Kneser-Ney",
            phrase=f"a {ngrams}",
            note="An n-gram model's parameters are its n-grams and a weight for each of their "
            "histories; it has no seed.",
            of_corpus=True,
        ),
    ]
    table = {rival.setting: rival for rival in rivals}
    return {
        name: replace(rival, parts=tuple(table[part] for part in testing.mixed_in(name)))
        for name, rival in table.items()
    }


def _cache(name: RunRivalName, label: str) -> Rival:
    return Rival(
        setting=name,
        name=name,
        label=label,
        title=label,
        phrase=f"a {label}",
        note="With a cache: the network as it is, its vector learning if it has one, mixed with "
        "the words just read.",
        contains_network=True,
    )


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


def rivals_of_corpora(experiment: Plan) -> dict[str, OfCorpus]:
    """Return the rivals of an experiment's corpora, by the names of their evaluations' folders."""
    testing = experiment.testing
    rivals = rivals_of(testing)
    found = [
        OfCorpus(corpus, experiment.digits.folder_of(corpus), rivals[name])
        for corpus in filter(testing.concerns, experiment.corpora)
        for name in testing.corpus_rivals
    ]
    return {one.name: one for one in found}


def parts_of(
    run: Run | RunRecord, mixture: str, testing: TestingSettings
) -> dict[str, tuple[str, str]]:
    """Return the parts of a run's mixture by name, each with its evaluation's folder and name.

    The network is there in its main evaluation.
    """
    places = {NETWORK: (run.name, final_evaluation(run.settings.document_size))}
    for part in rivals_of(testing)[mixture].parts:
        if part.of_corpus:
            of_corpus = OfCorpus(run.settings.corpus, run.corpus_folder, part)
            places[part.name] = (of_corpus.name, NONE)
        else:
            places[part.name] = (run.name, part.name)
    return places


def load_test(rival: RivalName) -> Any:
    """Return the function that tests a network with a rival, or a rival of a corpus."""
    module, _, function = TESTS[rival].partition(".")
    return getattr(import_module(f"{__name__}.{module}"), function)


def evaluate_rival(
    experiment: ExperimentDirectory, of_corpus: OfCorpus, testing: TestingSettings
) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation."""
    # These need numpy and pandas, which planning does not.
    from online_rnnlm.corpora.corpus import load_corpus  # noqa: PLC0415
    from online_rnnlm.jobs.evaluate import EvaluationFiles  # noqa: PLC0415

    name = of_corpus.rival.name
    corpus = load_corpus(experiment.corpus(of_corpus.corpus_folder), testing.other_texts)
    identity = hashlib.sha256(f"{name} {corpus.digest}".encode()).hexdigest()
    files = EvaluationFiles(experiment, corpus, of_corpus.name, identity, NONE)
    files.write(load_test(of_corpus.rival.setting)(corpus, testing))
