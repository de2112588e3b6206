"""A row of the comparison: one model on one corpus, with its runs and what they have reached."""

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
        """Arithmetic mean; NaN of no value."""
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def deviation(self) -> float:
        """Sample standard deviation; NaN of fewer than two values."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan


def metric_of(evaluations: Iterable[Evaluation], name: MetricName, split: str) -> Metric:
    """A metric of a split in the evaluations of the seeds; empty if they leave that split out."""
    found = (evaluation.splits.get(split) for evaluation in evaluations)
    return Metric(tuple(float(getattr(metrics, name)) for metrics in found if metrics is not None))


@dataclass(frozen=True)
class FinishedRun:
    """A finished run and what its files say."""

    run: Run
    record: RunRecord
    result: RunResult
    epochs: tuple[Epoch, ...]
    evaluations: Mapping[str, Evaluation]
    """By name, in the configuration's order; a run of the search has none."""

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.run.name

    @property
    def seed(self) -> int:
        """The seed of its weights and of the order of its sentences."""
        return self.run.settings.seed


@dataclass(frozen=True)
class Row:
    """A model of the comparison on one corpus: a run for each seed, in the seeds' order."""

    runs: tuple[FinishedRun, ...]

    @property
    def first(self) -> FinishedRun:
        """The first seed's run; what no seed changes can be asked of it."""
        return self.runs[0]

    @property
    def settings(self) -> RunSettings:
        """The settings that its runs share; the seed is the first run's."""
        return self.first.run.settings

    @property
    def corpus(self) -> str:
        """The corpus that it is trained and tested on."""
        return self.settings.corpus

    @property
    def label(self) -> str:
        """Its name in tables and figures, such as `100/20` or `100/20 hidden`."""
        return self.first.run.model

    @property
    def hidden_size(self) -> int:
        """Number of hidden units, M."""
        return self.settings.hidden_size

    @property
    def document_size(self) -> int:
        """Length of the document vector, D; 0 without one."""
        return self.settings.document_size

    @property
    def has_vector(self) -> bool:
        """Whether it has a document vector; a row without one is static."""
        return self.document_size > 0

    @property
    def is_the_papers(self) -> bool:
        """Whether it is the paper's model: its document vector feeds the output layer alone."""
        return self.has_vector and self.settings.document_layer == "output"

    @property
    def parameters(self) -> int:
        """Number of the model's parameters."""
        return self.first.result.parameters

    @property
    def multiply_adds_per_word(self) -> float:
        """What a word costs in testing, in the evaluation that counts."""
        return self.by_seed(self.final)[0].costs.multiply_adds_per_word

    @property
    def final(self) -> str:
        """The evaluation that counts as its result: its vector learns as in training."""
        return final_evaluation(self.document_size)

    @property
    def evaluations(self) -> list[str]:
        """The names of its evaluations, in the configuration's order."""
        return list(self.first.evaluations)

    def by_seed(self, evaluation: str) -> list[Evaluation]:
        """What each seed's run has reached in an evaluation."""
        return [run.evaluations[evaluation] for run in self.runs]

    def metric(self, name: MetricName, split: str, evaluation: str) -> Metric:
        """A metric of a split in an evaluation; without values if that leaves the split out."""
        return metric_of(self.by_seed(evaluation), name, split)

    def perplexity(self, split: str, evaluation: str | None = None) -> Metric:
        """Perplexity of a split, in the evaluation that counts if no other is given."""
        return self.metric("perplexity", split, evaluation or self.final)
