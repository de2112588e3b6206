"""A row of the comparison: one model on one corpus, with its runs and their results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.rivals import Rival
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.runs import RunResult

MetricName = Literal["perplexity", "perplexity_without_unk", "words_per_second"]
"""The metrics of a split that tables and figures show."""


@dataclass(frozen=True)
class Metric:
    """A metric's values: one for each seed, in the seeds' order."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Arithmetic mean; NaN if there is no value."""
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def deviation(self) -> float:
        """Sample standard deviation; NaN if there are fewer than two values."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan


def metric_of(by_seed: Sequence[Evaluation], name: MetricName, split: str) -> Metric:
    """A metric of a split over the seeds' evaluations; empty if they leave that split out."""
    of_split = [evaluation.splits[split] for evaluation in by_seed if split in evaluation.splits]
    return Metric(tuple(float(getattr(metrics, name)) for metrics in of_split))


def multiply_adds_of(by_seed: Sequence[Evaluation]) -> float:
    """Multiply-adds per word, mean over the seeds' evaluations, which may have other caches."""
    return float(np.mean([evaluation.costs.multiply_adds_per_word for evaluation in by_seed]))


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


@dataclass(frozen=True)
class FinishedRow:
    """A model of the comparison on one corpus: a run for each seed, in the seeds' order."""

    runs: tuple[FinishedRun, ...]

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
        """The corpus that the model is trained and tested on."""
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
        """True if the model has a document vector; a row without one is static."""
        return self.settings.document_size > 0

    @property
    def is_the_papers(self) -> bool:
        """True if this is the paper's model: its hidden layer, and a document vector."""
        return self.has_vector and self.settings.cell == "sigmoid"

    @property
    def parameters(self) -> int:
        """Number of the model's parameters."""
        return self.first.end.parameters

    @property
    def final(self) -> str:
        """The name of the main evaluation, in which a document vector learns as in training."""
        return final_evaluation(self.settings.document_size)

    @property
    def evaluations(self) -> list[str]:
        """The names of the evaluations that each of the row's runs has, in the configuration's
        order."""
        names = self.first.evaluations
        return [name for name in names if all(name in run.evaluations for run in self.runs)]

    def by_seed(self, evaluation: str) -> list[Evaluation]:
        """The results of each seed's run in an evaluation."""
        return [run.evaluations[evaluation] for run in self.runs]

    def perplexity(self, split: str, evaluation: str | None = None) -> Metric:
        """Perplexity of a split in an evaluation, by default the main one."""
        return metric_of(self.by_seed(evaluation or self.final), "perplexity", split)


class System(NamedTuple):
    """A competitor in a comparison: a row, a row with a rival, or a rival of a corpus."""

    corpus: str
    by_seed: Sequence[Evaluation]
    """Its results, one for each seed; one in all for a corpus's rival."""
    parameters: int | None
    row: FinishedRow | None = None
    rival: Rival | None = None

    @property
    def name(self) -> str:
        """The name in tables, such as `100/0` or `100/0 + neural cache`."""
        parts = []
        if self.row is not None:
            parts.append(self.row.label)
        if self.rival is not None:
            parts.append(self.rival.title)
        return " + ".join(parts)

    def perplexity(self, split: str) -> Metric:
        """The system's perplexity on a split."""
        return metric_of(self.by_seed, "perplexity", split)

    @property
    def multiply_adds(self) -> float:
        """Multiply-adds per word in testing, mean over the seeds."""
        return multiply_adds_of(self.by_seed)


class Side(NamedTuple):
    """A row in one of its evaluations."""

    row: FinishedRow
    evaluation: str

    @property
    def by_seed(self) -> list[Evaluation]:
        """The side's results, one for each seed."""
        return self.row.by_seed(self.evaluation)

    def perplexity(self, split: str = "test") -> Metric:
        """The side's perplexity on a split, one value for each seed."""
        return self.row.perplexity(split, self.evaluation)

    @property
    def multiply_adds(self) -> float:
        """Multiply-adds per word in testing, mean over the seeds."""
        return multiply_adds_of(self.by_seed)

    @property
    def seconds(self) -> float:
        """Time per token in testing (s) at the mean speed of the seeds' evaluations."""
        return 1 / metric_of(self.by_seed, "words_per_second", "test").mean

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
