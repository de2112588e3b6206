"""The records of the table of engines."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.records.base import Digest, Part, Record
from online_rnnlm.storage.records.runs import Count, Machine, Seconds

Distance = Annotated[float, Field(ge=0)]


class Differences(Part):
    """The largest differences from the reference, relative where a value is above 1."""

    loss: Distance = Field(
        description="Largest difference of log P of the batches that the updates learn from."
    )
    parameters: dict[str, Distance] = Field(
        description="Largest difference of each parameter after the updates, by its name; those "
        "that the network does not have are left out."
    )
    log_probabilities: Distance = Field(
        description="Largest difference of log P of tokens of `valid` after the updates, while the "
        "vector learns."
    )
    document_vectors: Distance | None = Field(
        description="Largest difference of the document vectors after sentences of `valid`; `null` "
        "if the network has none."
    )

    @property
    def parameter(self) -> str:
        """The name of the parameter with the largest difference; of equal ones the first."""
        return max(self.parameters, key=self.parameters.__getitem__)

    def largest(self) -> tuple[str, float]:
        """Return the name and the value of the largest of all differences."""
        found = {"loss": self.loss, **self.parameters, "log_probabilities": self.log_probabilities}
        if self.document_vectors is not None:
            found["document_vectors"] = self.document_vectors
        return max(found.items(), key=lambda item: item[1])


class Measured(Part):
    """The results of an engine that has computed the updates."""

    differences: Differences = Field(description="The differences from the reference.")
    words_per_second: float = Field(
        gt=0, description="Words learnt from per second, when the updates are made again."
    )
    compile_seconds: Seconds = Field(
        description="Time of making the trainer and of the first updates, less that of the same "
        "updates when they are made again (s)."
    )


class EngineMeasurement(Record):
    """The updates of one network by one engine, compared with the reference."""

    file: ClassVar = "engines/<measurement>.json"
    missing: ClassVar = "run `make engines` first"

    engine: str = Field(description="Name of the engine in the table.")
    precision: str = Field(description="Floating-point type.")
    network: RunSettings = Field(
        description="The settings of the row, with the batch and the document size that were "
        "measured; `engine`, `device` and `precision` are those of the reference."
    )
    corpus_digest: Digest = Field(description="`digest` of the corpus's `statistics.json`.")
    updates: Count = Field(description="Number of updates.")
    words: Count = Field(description="Number of words that the updates learn from.")
    reference: str = Field(
        description="Engine of the reference, in float64: `pytensor-c`, or `pytensor-numba` where "
        "there is no g++."
    )
    compiled: bool = Field(description="`true` if the engine has compiled the network.")
    why_not: str | None = Field(
        description="The reason why it has not; `null` if it has. It may have computed without."
    )
    measured: Measured | None = Field(
        description="The results; `null` if the engine cannot compute the network here."
    )
    allowed: float = Field(description="Largest difference in float64 that rounding can explain.")
    empty_caches: bool = Field(description="`true` if it has compiled into an empty folder.")
    packages: dict[str, str] = Field(description="Versions of the packages that it computes with.")
    machine: Machine = Field(description="The hardware and system.")
    ended: AwareDatetime = Field(description="Time at which the measurement ended, in UTC.")
