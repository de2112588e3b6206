"""The systems that are compared: each row of the main table is one.

A `System` is a network in one of its evaluations, which is a `TestedNetwork`, or a rival that is
trained on a corpus alone. A `FinishedNetwork` has a `FinishedRun` for each seed: a training with
its evaluations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd

from online_rnnlm.analysis.significance import percents_of_gains, t_interval
from online_rnnlm.config.evaluations import adaptations_of_state, main_adaptation
from online_rnnlm.config.rivals import Rival
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Part
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.experiments import ComparedSide, Interval
from online_rnnlm.storage.runs import RunResult

MetricName = Literal["perplexity", "perplexity_without_unk", "words_per_second"]
"""The metrics of a split that tables and figures show."""
BySeed: TypeAlias = "pd.Series[float]"
"""Values of the seeds, in their order."""


class FinishedRun(NamedTuple):
    """A finished run with the contents of its files."""

    run: Run
    end: RunResult
    evaluations: Mapping[str, Evaluation]
    """The run's evaluations by name, in the configuration's order, but for those that diverged."""

    @property
    def name(self) -> str:
        """The run's name, which is also that of its directory."""
        return self.run.name

    @property
    def seed(self) -> int:
        """The seed of the initial weights and of the order of the sentences."""
        return self.run.settings.seed


@dataclass(frozen=True, eq=False, kw_only=True)
class FinishedNetwork:
    """A network on one corpus, all of whose runs have finished: a row of the configuration."""

    runs: tuple[FinishedRun, ...]
    """The runs, in the seeds' order."""
    tested: dict[str, TestedNetwork] = field(default_factory=dict, init=False)
    """The network in each evaluation that all its runs have, by the evaluation's name, in the
    configuration's order; `reading` puts them there."""

    @property
    def first(self) -> FinishedRun:
        """The first seed's run, from which values that are the same for all seeds are read."""
        return self.runs[0]

    @property
    def settings(self) -> RunSettings:
        """The settings that the runs share; the seed is that of the first run."""
        return self.first.run.settings

    @property
    def corpus(self) -> str:
        """The corpus that the network is trained and tested on."""
        return self.settings.corpus

    @property
    def network_name(self) -> str:
        """The network's name for people, such as `100/20` or `LSTM 100/20 per article`."""
        return self.first.run.network_name

    @property
    def regime(self) -> tuple[str, str]:
        """The cell and the unit of text in training; networks of the same are compared."""
        return self.settings.cell, self.settings.unit_of_text

    @property
    def has_vector(self) -> bool:
        """True if the network has a document vector; one without is static."""
        return self.settings.document_size > 0

    @property
    def learns(self) -> bool:
        """True if the network has a document vector that learns from the error of each word."""
        return self.has_vector and self.settings.document_step == "error"

    @property
    def is_the_papers(self) -> bool:
        """True if this is the paper's model: its hidden layer, and a vector that learns."""
        return self.learns and self.settings.cell == "sigmoid"

    @property
    def parameters(self) -> int:
        """The network's number of parameters."""
        return self.first.end.parameters

    @property
    def main_evaluation(self) -> str:
        """The name of the evaluation in which its vector, if it has one, learns as in training."""
        return main_adaptation(self.settings.document_size).name

    @property
    def main(self) -> TestedNetwork:
        """The network in its main evaluation."""
        return self.tested[self.main_evaluation]

    def updating(self, parts: tuple[Part, ...], unit: UnitOfText) -> TestedNetwork | None:
        """The network with these parts updated after every word, and forgotten at a unit's end.

        It is that of the main evaluation if this does so; None if the network was not tested so.
        """
        for tested in self.tested.values():
            adaptation = tested.by_seed[0].adaptation
            is_of_parts = adaptation and (adaptation.parts, adaptation.after) == (parts, 1)
            if is_of_parts and tested.forgotten_at == unit:
                return tested
        return None

    @property
    def best_adapted(self) -> TestedNetwork:
        """The network with the adaptation of its vector, or of its slow context units, that is
        best on `valid`; no weights are updated. One that has neither is in its main evaluation."""
        adaptations = adaptations_of_state(self.settings, self.first.run.testing)
        tested = [self.tested[one.name] for one in adaptations if one.name in self.tested]
        return best_on_valid(tested)


@dataclass(frozen=True, eq=False, kw_only=True)
class System:
    """A rival that is trained on a corpus alone, or a network in one of its evaluations."""

    corpus: str
    title: str
    """The name in the table of perplexities, such as `100/0` or `100/0 + neural cache`."""
    by_seed: Sequence[Evaluation]
    """The results, one for each seed; one in all for a rival of a corpus."""
    parameters: int | None
    """Number of parameters, with those of models that are mixed in."""
    rival: Rival | None
    """The rival, which stands alone or is added to a network; None for a network by itself."""
    network: FinishedNetwork | None = None
    """The network, by itself or with a rival added; None for a rival of a corpus."""

    @property
    def network_alone(self) -> FinishedNetwork | None:
        """The network if nothing is added to it; None if there is a rival."""
        return None if self.rival else self.network

    def metric(self, name: MetricName, split: str) -> BySeed:
        """A metric of a split by seed; empty if the evaluations leave that split out."""
        splits = [found.splits[split] for found in self.by_seed if split in found.splits]
        return of_seeds(getattr(metrics, name) for metrics in splits)

    def perplexity(self, split: str = "test") -> BySeed:
        """The perplexity of a split by seed; empty if the evaluations leave that split out."""
        return self.metric("perplexity", split)

    @property
    def multiply_adds(self) -> float:
        """Multiply-adds per word in testing, mean over the seeds, which may have other caches."""
        return float(np.mean([found.costs.multiply_adds_per_word for found in self.by_seed]))


@dataclass(frozen=True, eq=False, kw_only=True)
class TestedNetwork(System):
    """A network in one of its evaluations; there is one object for each."""

    network: FinishedNetwork
    evaluation: str
    name: str
    """The network's name and, unless it is the main one, the evaluation in words, such as `100/20
    frozen` or `100/0 with a neural cache`."""
    parameters: int
    rounds: tuple[float, ...]
    """Time per token (s) of the first seed's run in each round of timing, all networks in turn:
    processor time or, on a GPU or by Theano, the time that passed. What is updated takes as long
    whatever the unit of text, so that each set of parts is timed at one. Empty of a mixture."""

    @property
    def seconds_per_word(self) -> float:
        """Time per token in testing (s): median of the rounds or, if there are none, the time that
        its evaluations took."""
        if self.rounds:
            return float(np.median(self.rounds))
        return 1 / self.metric("words_per_second", "test").mean()

    @property
    def words_per_second_in_turn(self) -> float:
        """Tokens per second, median of the rounds; NaN if it was not timed."""
        return 1 / float(np.median(self.rounds)) if self.rounds else math.nan

    def change_of_time(self, other: TestedNetwork) -> Interval | None:
        """The interval of the change from the other's time per token to this one's (%).

        It is Student's paired t, over the rounds, of the ratio's logarithm. None if one of both was
        not timed.
        """
        if not self.rounds or not other.rounds:
            return None
        pairs = zip(self.rounds, other.rounds, strict=True)
        return percents_of_gains(t_interval([math.log(theirs / ours) for ours, theirs in pairs]))

    @property
    def updates_weights(self) -> bool:
        """True if weights are updated, and nothing is added."""
        adaptation = self.by_seed[0].adaptation
        return adaptation is not None and bool(adaptation.weights)

    @property
    def forgotten_at(self) -> UnitOfText:
        """The unit of text at whose end what was updated is forgotten; with a rival, the stream."""
        adaptation = self.by_seed[0].adaptation
        if adaptation is None:  # caches are never reset
            return "stream"
        return adaptation.unit_of_text or self.network.settings.unit_of_text

    @property
    def kept_for(self) -> UnitOfText:
        """The unit of text for which anything is kept, a hidden state included."""
        return longest([self.network.settings.unit_of_text, self.forgotten_at])

    def described(self) -> ComparedSide:
        """The record of this side of a comparison: its names, test perplexity and costs."""
        return ComparedSide(
            network=self.network.network_name,
            evaluation=self.evaluation,
            name=self.name,
            test_perplexity=self.perplexity().mean(),
            parameters=self.parameters,
            multiply_adds_per_word=self.multiply_adds,
            seconds_per_word=self.seconds_per_word,
        )


def of_seeds(values: Iterable[float]) -> BySeed:
    """Values of the seeds in order."""
    return pd.Series([*values], dtype=float)


def longest(units: Iterable[UnitOfText]) -> UnitOfText:
    """The longest of some units of text: the stream, a document, or a sentence."""
    return max(units, key=get_args(UnitOfText).index)


def best_on_valid(tested: Sequence[TestedNetwork]) -> TestedNetwork:
    """The one with the lowest perplexity on `valid`, mean over the seeds."""
    return min(tested, key=lambda one: one.perplexity("valid").mean())
