"""The rivals: what a user may add to a static network instead of a document vector.

A configuration lists some by their names in `testing.rivals`; tables, figures and files have other
names for them, which are here. `jobs/evaluation.py` tests with each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

RunRivalName = Literal[
    "unigram_cache",
    "neural_cache",
    "short_neural_cache",
    "dynamic_evaluation",
    "ngram_mixture",
    "mixture",
]
"""Rivals that are added to a run's network. Mixtures are the last, since they are made of the
others."""

CorpusRivalName = Literal["kneser_ney"]
"""Rivals that are trained on a corpus."""

RivalName = Literal[RunRivalName, CorpusRivalName]

RUN_RIVALS: tuple[RunRivalName, ...] = get_args(RunRivalName)
CORPUS_RIVALS: tuple[CorpusRivalName, ...] = get_args(CorpusRivalName)

DYNAMIC: RunRivalName = "dynamic_evaluation"
SHORT_CACHE: RunRivalName = "short_neural_cache"
NGRAM_MIXTURE: RunRivalName = "ngram_mixture"
MIXTURE: RunRivalName = "mixture"
NGRAMS: CorpusRivalName = "kneser_ney"
MIXTURES = (NGRAM_MIXTURE, MIXTURE)
NOT_MIXED = (SHORT_CACHE, *MIXTURES)
"""Rivals that `mixture` leaves out: the longer cache and the n-gram model are its parts already."""

CACHES: Mapping[RunRivalName, str] = {
    "unigram_cache": "unigram cache",
    "neural_cache": "neural cache",
    "short_neural_cache": "short neural cache",
}
"""The caches, and what tables call each. They score with the network in its main evaluation."""
_NOTE_ON_CACHES = (
    "With a cache: the network as it is, its vector learning if it has one, mixed with the words "
    "just read."
)


@dataclass(frozen=True, kw_only=True)
class Rival:
    """The names of a rival, and what it is made of."""

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
    module: str
    """Name of the module of `rivals/` that tests with it."""
    of_corpus: bool = False
    """True if it is trained on a corpus alone; else it is added to a run's network."""
    parts: tuple[Rival, ...] = ()
    """The rivals that a mixture mixes with a network."""

    def folder_on(self, corpus_folder: str) -> str:
        """Return the name of the folder with its evaluation, if it is trained on that corpus."""
        return f"{corpus_folder}-{self.name}"


def rivals_for(compared: Collection[str], kneser_ney_order: int) -> dict[str, Rival]:
    """Return all rivals by their names in `testing.rivals`, for an experiment with some of them."""
    ngrams = f"{kneser_ney_order}-gram"
    single: dict[str, Rival] = {
        **{
            name: Rival(
                name=name,
                label=label,
                title=label,
                phrase=f"a {label}",
                note=_NOTE_ON_CACHES,
                module="neural_cache" if name == SHORT_CACHE else name,
            )
            for name, label in CACHES.items()
        },
        "dynamic_evaluation": Rival(
            name="dynamic_evaluation",
            label="dynamic evaluation",
            title="dynamic evaluation",
            phrase="dynamic evaluation",
            note="With dynamic evaluation: all weights learn after every few words, by steps "
            "scaled with their usual gradients, and decay to the trained weights.",
            module="dynamic_evaluation",
        ),
        "kneser_ney": Rival(
            name=f"kneser_ney{kneser_ney_order}",
            label=ngrams,
            title=f"{ngrams}, modified Kneser-Ney",
            phrase=f"a {ngrams}",
            note="An n-gram model's parameters are its n-grams and a weight for each of their "
            "histories; it has no seed.",
            module="kneser_ney",
            of_corpus=True,
        ),
    }
    mixtures: dict[str, Rival] = {
        "ngram_mixture": Rival(
            name="ngram_mixture",
            label=ngrams,
            title=ngrams,
            phrase=f"a {ngrams} model mixed in",
            note="A network + an n-gram model: a mixture of both, by the weights that are best on "
            "valid.",
            module="mixture",
            parts=(single[NGRAMS],),
        ),
        "mixture": Rival(
            name="mixture",
            label="mixture",
            title="mixture",
            phrase="all rivals mixed in",
            note="In a mixture: the network, with the adaptation of its vector, or of its slow "
            "units, that is best on valid, and each of its other rivals but a short neural cache, "
            "with the weights that are best on valid.",
            module="mixture",
            parts=tuple(
                single[name]
                for name in (*RUN_RIVALS, *CORPUS_RIVALS)
                if name in compared and name not in NOT_MIXED
            ),
        ),
    }
    return {**single, **mixtures}


@dataclass(frozen=True, kw_only=True)
class CorpusRival:
    """A rival that is trained on a corpus of an experiment.

    Its only evaluation is named `none`, as nothing learns in it.
    """

    kind: CorpusRivalName
    """Its name in `testing.rivals`."""
    rival: Rival
    corpus: str
    corpus_folder: str
    """The name of the corpus's folder."""

    @property
    def name(self) -> str:
        """The name of the folder with its evaluation."""
        return self.rival.folder_on(self.corpus_folder)
