"""A row of the comparison: one model on one corpus, with its runs and their results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.records import Epoch, Evaluation, RunRecord, RunResult

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


def metric_of(evaluations: Iterable[Evaluation], name: MetricName, split: str) -> Metric:
    """A metric of a split over the seeds' evaluations; empty if they leave that split out."""
    found = (evaluation.splits.get(split) for evaluation in evaluations)
    return Metric(tuple(float(getattr(metrics, name)) for metrics in found if metrics is not None))


def multiply_adds_of(evaluations: Iterable[Evaluation]) -> Metric:
    """Multiply-adds a word over the seeds' evaluations, which may have chosen other caches."""
    return Metric(tuple(found.costs.multiply_adds_per_word for found in evaluations))


@dataclass(frozen=True)
class FinishedRun:
    """A finished run with the contents of its files."""

    run: Run
    record: RunRecord
    result: RunResult
    epochs: tuple[Epoch, ...]
    evaluations: Mapping[str, Evaluation]
    """The run's evaluations by name, in the configuration's order, without those that diverged; a
    run of the search has none."""

    @property
    def name(self) -> str:
        """The run's name, which is also that of its directory."""
        return self.run.name

    @property
    def seed(self) -> int:
        """The seed of the initial weights and of the order of the sentences."""
        return self.run.settings.seed


@dataclass(frozen=True)
class Row:
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
        """The row's name in tables and figures, such as `100/20` or `100/20 hidden`."""
        return self.first.run.model

    @property
    def hidden_size(self) -> int:
        """Number of hidden units, M."""
        return self.settings.hidden_size

    @property
    def layer(self) -> tuple[str, int]:
        """The cell and the number of context units; rows are compared with those of the same."""
        return self.settings.cell, self.settings.context_size

    @property
    def units(self) -> str:
        """The hidden layer in words, such as `100 hidden units` or `100 LSTM units`."""
        cell, context = self.layer
        kind = "hidden" if cell == "sigmoid" else cell.upper()
        return f"{self.hidden_size} {kind}{f' and {context} context' * (context > 0)} units"

    @property
    def document_size(self) -> int:
        """Length of the document vector, D; 0 if there is none."""
        return self.settings.document_size

    @property
    def has_vector(self) -> bool:
        """True if the model has a document vector; a row without one is static."""
        return self.document_size > 0

    @property
    def is_the_papers(self) -> bool:
        """True if this is the paper's model: its document vector feeds only the output layer, and
        its hidden layer is the paper's."""
        return (
            self.has_vector
            and self.settings.document_layer == "output"
            and self.has_the_papers_layer
        )

    @property
    def has_the_papers_layer(self) -> bool:
        """True if the hidden layer is the paper's: sigmoid units and no context units."""
        return self.layer == ("sigmoid", 0)

    @property
    def parameters(self) -> int:
        """Number of the model's parameters."""
        return self.first.result.parameters

    @property
    def multiply_adds_per_word(self) -> float:
        """Multiply-adds per word in testing, in the main evaluation."""
        return self.by_seed(self.final)[0].costs.multiply_adds_per_word

    @property
    def final(self) -> str:
        """The name of the main evaluation, in which a document vector learns as in training."""
        return final_evaluation(self.document_size)

    @property
    def evaluations(self) -> list[str]:
        """The names of the evaluations that each of the row's runs has, in the configuration's
        order."""
        found = self.first.evaluations
        return [name for name in found if all(name in run.evaluations for run in self.runs)]

    def by_seed(self, evaluation: str) -> list[Evaluation]:
        """The results of each seed's run in an evaluation."""
        return [run.evaluations[evaluation] for run in self.runs]

    def metric(self, name: MetricName, split: str, evaluation: str) -> Metric:
        """A metric of a split in an evaluation; empty if the evaluation leaves that split out."""
        return metric_of(self.by_seed(evaluation), name, split)

    def perplexity(self, split: str, evaluation: str | None = None) -> Metric:
        """Perplexity of a split in an evaluation, by default the main one."""
        return self.metric("perplexity", split, evaluation or self.final)
