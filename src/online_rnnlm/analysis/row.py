"""A network of the comparison with its results, and what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from online_rnnlm.analysis.significance import percents_of_gains, t_interval
from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.rivals import Rival
from online_rnnlm.storage.claims import Interval
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.runs import RunResult

MetricName = Literal["perplexity", "perplexity_without_unk", "words_per_second"]
"""The metrics of a split that tables and figures show."""


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


@dataclass(frozen=True, eq=False)
class FinishedRow:
    """A row of the comparison: one network on one corpus, with a run for each seed."""

    runs: tuple[FinishedRun, ...]
    """The runs, in the seeds' order."""
    sides: dict[str, Side] = field(default_factory=dict)
    """The row in each evaluation that all of its runs have, in the configuration's order."""

    @property
    def first(self) -> FinishedRun:
        """The first seed's run, from which values that are the same for all seeds are read."""
        return self.runs[0]

    @property
    def settings(self) -> RunSettings:
        """The settings that the row's runs share; the seed is that of the first run."""
        return self.first.run.settings

    @property
    def corpus(self) -> str:
        """The corpus that the network is trained and tested on."""
        return self.settings.corpus

    @property
    def label(self) -> str:
        """The network's name for people, such as `100/20` or `LSTM 100/20 per article`."""
        return self.first.run.model

    @property
    def regime(self) -> tuple[str, str]:
        """The cell and the unit of text in training; rows are compared with those of the same."""
        return self.settings.cell, self.settings.unit_of_text

    @property
    def has_vector(self) -> bool:
        """True if the network has a document vector; a row without one is static."""
        return self.settings.document_size > 0

    @property
    def is_the_papers(self) -> bool:
        """True if this is the paper's model: its hidden layer, and a document vector."""
        return self.has_vector and self.settings.cell == "sigmoid"

    @property
    def parameters(self) -> int:
        """The network's number of parameters."""
        return self.first.end.parameters

    @property
    def best_way(self) -> Side:
        """The row with nothing added, its vector, if it has one, learning in the way that is best
        on `valid`."""
        ways = [side for side in self.sides.values() if side.only_vector_learns]
        return best_on_valid(ways or [self.main])

    @property
    def main(self) -> Side:
        """The row in its main evaluation: its vector, if it has one, learns as in training."""
        return self.sides[final_evaluation(self.settings.document_size)]


@dataclass(frozen=True, eq=False, kw_only=True)
class System:
    """A competitor in comparisons: a rival of a corpus or, as a `Side`, a network."""

    corpus: str
    title: str
    """The name in the table of perplexities, such as `100/0` or `100/0 + neural cache`."""
    by_seed: Sequence[Evaluation]
    """The results, one for each seed; one in all for a rival of a corpus."""
    parameters: int | None
    """Number of parameters, with those of models that are mixed in."""
    rival: Rival | None
    """The rival, which stands alone or is added to a network; None for a network by itself."""

    def metric(self, name: MetricName, split: str) -> pd.Series[float]:
        """A metric of a split by seed; empty if the evaluations leave that split out."""
        splits = [found.splits[split] for found in self.by_seed if split in found.splits]
        return pd.Series([getattr(metrics, name) for metrics in splits], dtype=float)

    def perplexity(self, split: str = "test") -> pd.Series[float]:
        """The perplexity of a split by seed; empty if the evaluations leave that split out."""
        return self.metric("perplexity", split)

    @property
    def multiply_adds(self) -> float:
        """Multiply-adds per word in testing, mean over the seeds, which may have other caches."""
        return float(np.mean([found.costs.multiply_adds_per_word for found in self.by_seed]))


@dataclass(frozen=True, eq=False, kw_only=True)
class Side(System):
    """A row in one of its evaluations; there is one object for each."""

    row: FinishedRow
    evaluation: str
    name: str
    """The network's name and, if that is not the main one, the way in which it is tested, such as
    `100/20 frozen` or `100/0 with a neural cache`."""
    parameters: int
    rounds: tuple[float, ...]
    """Time per token (s) in each round in which the networks were timed in turn; empty for a side
    that was not timed, such as one with a rival."""

    @property
    def seconds_per_word(self) -> float:
        """Time per token in testing (s): median of the rounds, or that of the evaluations."""
        if self.rounds:
            return float(np.median(self.rounds))
        return 1 / self.metric("words_per_second", "test").mean()

    def change_of_time(self, other: Side) -> Interval | None:
        """The interval of the change from the other's time per token to this one's (%).

        It is Student's paired t, over the rounds, of the ratio's logarithm. None if one of both was
        not timed.
        """
        if not self.rounds or not other.rounds:
            return None
        pairs = zip(self.rounds, other.rounds, strict=True)
        return percents_of_gains(t_interval([math.log(theirs / ours) for ours, theirs in pairs]))

    @property
    def only_vector_learns(self) -> bool:
        """True if nothing but the document vector learns, and nothing is added."""
        way = self.by_seed[0].way
        return way is not None and way.only_vector_learns

    @property
    def kept_for(self) -> UnitOfText:
        """The unit of text at whose end the side forgets what it has read; with a rival, never."""
        way = self.by_seed[0].way
        if way is None:
            return "stream"
        trained = self.row.settings.unit_of_text
        return longest([trained, way.unit_of_text or trained])


def longest(units: Iterable[UnitOfText]) -> UnitOfText:
    """The longest of some units of text: the stream, a document, or a sentence."""
    return max(units, key=get_args(UnitOfText).index)


def best_on_valid(sides: Sequence[Side]) -> Side:
    """The side with the lowest perplexity on `valid`, mean over the seeds."""
    return min(sides, key=lambda side: side.perplexity("valid").mean())
