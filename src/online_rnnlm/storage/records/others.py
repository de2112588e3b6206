"""The records of an experiment as a whole."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from online_rnnlm.storage.records.base import Part, Record


class CompiledKernels(Record):
    """Says for which floating-point types the kernels have been compiled."""

    file: ClassVar = "kernels.json, online_kernels.json"

    precisions: tuple[str, ...] = Field(description="`float32`, `float64`, both or none.")


class Differences(Part):
    """The largest differences from PyTensor; relative where a number is above 1."""

    training: float = Field(description="Of each update's log P, a batch's.")
    weights: float = Field(description="Of the weights after the updates.")
    log_probabilities: float = Field(description="Of log P of tokens of `valid` after them.")
    document_vectors: float | None = Field(
        default=None, description="Of the document vectors after these; `null` if it has none."
    )

    def largest(self) -> tuple[str, float]:
        """The largest of all, and what it is a difference of."""
        found = {kind: value for kind, value in self if value is not None}
        return max(found.items(), key=lambda item: item[1])


class CrossCheck(Record):
    """How far apart Theano, the kernels and PyTensor are on a run's first updates."""

    file: ClassVar = "cross_check/<run>.json"

    run: str = Field(description="Name of the run.")
    updates: int = Field(description="Number of updates.")
    sentences: int = Field(description="Number of sentences that they learn from.")
    tokens: int = Field(description="Number of tokens of these.")
    precision: str = Field(description="Floating-point type that all are computed in.")
    engines: dict[str, str] = Field(description="Versions of `pytensor` and `theano`.")
    largest_difference: dict[str, Differences] = Field(
        description="How far `theano` and `kernel` are from PyTensor."
    )
    allowed: float = Field(description="The largest difference that rounding explains.")


class Tracked(Record):
    """What of an experiment is in MLflow."""

    file: ClassVar = "tracking/tracked.json"

    store: str = Field(description="Address of the store, without a password.")
    runs: dict[str, str] = Field(
        description="MLflow's ids by name of the run; a corpus's tables, figures and report are "
        "`summary of <corpus>`."
    )


class ResultsFolder(Record):
    """What tells an experiment's entries in MLflow from others', wherever its folder is moved."""

    file: ClassVar = "tracking/directory.json"

    id: str = Field(description="A random name.")


class Captions(Record):
    """What each figure shows."""

    file: ClassVar = "figures/captions.json"
    missing: ClassVar = "draw the figures first"

    captions: dict[str, str] = Field(description="Captions by figure.")
