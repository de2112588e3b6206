"""The results of an experiment's finished runs, from which tables, figures and claims are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from online_rnnlm.analysis.scores import Scores
from online_rnnlm.analysis.significance import (
    Chance,
    gain_over_text_and_seeds,
    pooled_over_networks,
)
from online_rnnlm.analysis.systems import (
    FinishedNetwork,
    FinishedRun,
    System,
    TestedNetwork,
    longest,
)
from online_rnnlm.config.plan import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.experiments import Comparison
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult

NO_NETWORK = "No network has finished."


class NothingToShowError(Exception):
    """The error that a table or figure has nothing to show, since what it is about is missing."""


class Missing(NamedTuple):
    """A run of a row, or an evaluation, that has diverged."""

    what: str
    """A short name, such as `100/20, seed 1`."""
    corpus: str
    line: str
    """The whole reason in one line: what is missing, why, and what can be tried."""


@dataclass(frozen=True)
class Results:
    """The results of an experiment's runs."""

    experiment: Plan
    directory: ExperimentDirectory
    scores: Scores
    """The log-probabilities, by which systems are compared."""
    networks: Sequence[FinishedNetwork]
    """The networks of the comparison, in the configuration's order. One is left out if any seed's
    run has diverged, or its test, frozen or with the vector learning as in training."""
    candidates: Sequence[tuple[Run, RunResult]]
    """The runs of the search for settings and how they ended, in the configuration's order; one
    that has diverged is not chosen, and is not among what is missing."""
    missing: Sequence[Missing]
    rivals: Sequence[System]
    """The rivals of the corpora; those of runs are among the evaluations of a network."""
    corpora: Mapping[str, Statistics]
    in_words: Mapping[str, str]
    """By the name of an evaluation, the words that follow a network's name, such as `frozen` or
    `with a neural cache`; an empty text for the main evaluation."""

    @property
    def several_seeds(self) -> bool:
        """True if metrics are means over several seeds, and so have a spread."""
        return len(self.experiment.all_seeds) > 1

    @property
    def several_corpora(self) -> bool:
        """True if the networks are trained on more than one corpus."""
        return len(self.corpora) > 1

    @property
    def compared_corpora(self) -> list[str]:
        """The corpora on which a network has finished."""
        return [corpus for corpus in self.corpora if self.networks_on(corpus)]

    @property
    def first_corpus(self) -> str:
        """The first corpus on which a network has finished: it is shown where only one can be.

        Raises NothingToShowError if there is none.
        """
        if not self.networks:
            raise NothingToShowError(NO_NETWORK)
        return self.compared_corpora[0]

    @property
    def missing_note(self) -> list[str]:
        """A note for a table or a caption that names what is missing; none if nothing is."""
        named = []
        for missing in self.missing:
            where = f" on {missing.corpus}" if self.several_corpora else ""
            named.append(f"{missing.what}{where} (diverged)")
        return [f"Missing: {'; '.join(named)}."] if named else []

    @property
    def runs(self) -> list[FinishedRun]:
        """Every run of the comparison, network by network."""
        return [run for network in self.networks for run in network.runs]

    def networks_on(self, corpus: str) -> list[FinishedNetwork]:
        """The networks on a corpus."""
        return [network for network in self.networks if network.corpus == corpus]

    def systems_on(self, corpus: str) -> Iterator[System]:
        """Yield the networks on a corpus as in training, those with rivals, then its own rivals."""
        networks = self.networks_on(corpus)
        yield from (network.main for network in networks)
        yield from (one for network in networks for one in network.tested.values() if one.rival)
        yield from (system for system in self.rivals if system.corpus == corpus)

    def compare(self, ours: TestedNetwork, theirs: TestedNetwork) -> Comparison:
        """Compare two systems of one corpus on its test text.

        Raises UserError as `Scores.by_piece` does.
        """
        kept_for = longest([ours.kept_for, theirs.kept_for])
        pieces = self.scores.pieces(ours.corpus, kept_for)
        scores = self.scores.by_piece(pieces, ours, theirs)
        of_seeds = self.chance_in_seeds(ours, theirs)
        gain = gain_over_text_and_seeds(scores.ours, scores.theirs, scores.tokens, of_seeds)
        return Comparison(
            ours=ours.described(),
            theirs=theirs.described(),
            change_percent=gain.change_percent,
            interval_percent=gain.interval_percent,
            nats_per_token=gain.nats_per_token,
            interval_nats_per_token=gain.interval,
            p_value=gain.p_value,
            seeds=len(ours.network.runs),
            drawn=pieces.name,
            pieces=pieces.count,
            tokens=int(scores.tokens.sum()),
            seconds_change_percent=ours.change_of_time(theirs),
        )

    def chance_in_seeds(self, ours: TestedNetwork, theirs: TestedNetwork) -> Chance | None:
        """The squared standard error of a gain by the seeds of the two sides; None with one seed.

        Two networks share no weights, so that their seeds are not paired: the variance of a seed is
        that of `_by_seed`, and is divided by the number of either side's. One network that is
        tested in two ways has the same weights on both sides, so that its seeds are paired.
        """
        if ours.network is theirs.network:
            gains = np.log(theirs.perplexity()) - np.log(ours.perplexity())
            found = pooled_over_networks([gains.tolist()])
            return found and Chance(found.variance / len(gains), found.freedom)
        found = self._by_seed[ours.corpus]
        seeds = (len(ours.network.runs), len(theirs.network.runs))
        return found and Chance(sum(found.variance / each for each in seeds), found.freedom)

    @cached_property
    def _by_seed(self) -> Mapping[str, Chance | None]:
        """By corpus, the variance of the logarithm of a network's test perplexity between seeds.

        It is pooled within all networks on the corpus, each tested as in training: a few seeds of
        two networks alone say too little of it (`pooled_over_networks`).
        """
        return {
            corpus: pooled_over_networks(
                np.log(network.main.perplexity()).tolist() for network in self.networks_on(corpus)
            )
            for corpus in self.corpora
        }
