"""The records of a run."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.records.base import Digest, Number, Part, Record

Count = Annotated[int, Field(ge=0)]
Searched = dict[str, str | Number]
"""Settings of training that a search tries, by name."""
Seconds = Annotated[float, Field(ge=0)]


class Machine(Part):
    """The hardware and system that a run is computed on."""

    processor: str = Field(description="Name of the processor.")
    cores: int = Field(description="Cores of the machine, whatever the run may use of them.")
    system: str = Field(description="The operating system.")
    gpu: str | None = Field(default=None, description="Name of the GPU, if the run is on one.")


class RunRecord(Record):
    """What a run is, and what it is computed with; there from the run's beginning on."""

    file: ClassVar = "runs/<run>/run.json"
    missing: ClassVar = "the run has not been trained yet: run the experiment first"

    name: str = Field(description="Name of the run, and of its folder.")
    identity: Digest = Field(
        description="sha256 over settings, corpus and code: all that decides the run's weights."
    )
    settings: RunSettings = Field(
        description="The settings that it is trained with, all of them: the keys of training in "
        "config/README.md, `corpus` and `seed`."
    )
    searched: Searched = Field(
        description="Of a run of the search, the settings that it tries; else empty."
    )
    candidates: tuple[str, ...] = Field(
        description="Of a row's run, the runs of the search that its settings are chosen from."
    )
    corpus_digest: Digest = Field(description="`digest` of the corpus's `statistics.json`.")
    code_digest: Digest = Field(description="sha256 over the code that decides the weights.")
    began: AwareDatetime = Field(description="When training began, in UTC.")
    host: str = Field(description="Name of the computer.")
    slurm_jobs: tuple[str, ...] = Field(
        description="Ids of the Slurm jobs that have trained it, one after the other."
    )
    machine: Machine = Field(description="The hardware and system.")
    python: Annotated[str, Field(pattern=r"^\d+\.\d+\.")] = Field(
        description="Version of Python; its first two numbers are a part of the code's digest."
    )
    packages: dict[str, str] = Field(
        description="Versions of the packages that it is computed with, by package."
    )


class Epoch(Record):
    """One epoch of training."""

    file: ClassVar = "runs/<run>/metrics.jsonl"
    missing: ClassVar = "the run has not been trained yet: run the experiment first"

    epoch: int = Field(ge=1, description="Number of the epoch, from 1.")
    learning_rate: float = Field(description="Learning rate of the weights in this epoch.")
    train_perplexity: float = Field(description="Perplexity of `train`, while learning from it.")
    valid_perplexity: float = Field(description="Perplexity of `valid` after the epoch.")
    kept: bool = Field(description="Whether the epoch's weights are the best so far, and kept.")
    words_per_second: float = Field(description="Tokens trained on in a second.")
    seconds: Seconds = Field(description="How long training took, without validation (s).")
    cpu_seconds: Seconds = Field(description="The processor's time for it (s).")
    peak_memory_megabytes: float = Field(
        description="The most memory that the process has had so far (MB)."
    )


class RunResult(Record):
    """What a finished run has reached; written last: it says that the run's files are complete."""

    file: ClassVar = "runs/<run>/result.json"
    missing: ClassVar = "the run has not been trained to its end: run the experiment first"

    identity: Digest = Field(description="That of `run.json`; another one is an older training's.")
    files: dict[str, Digest] = Field(
        description="sha256 of `model.npz` and `metrics.jsonl`, by name."
    )
    ended: AwareDatetime = Field(description="When training ended, in UTC.")
    epochs: Count = Field(description="Number of epochs.")
    best_epoch: int = Field(ge=1, description="The epoch whose weights the model has.")
    valid_perplexity: float = Field(description="Perplexity of `valid` after that epoch.")
    parameters: Count = Field(description="Number of the model's parameters.")
    training_multiply_adds_per_word: float = Field(
        description="Multiply-adds to train on a token, counted from the equations."
    )
    words_per_second: float = Field(
        description="Tokens trained on in a second, median over the epochs."
    )
    seconds: Seconds = Field(description="How long all epochs took, without validation (s).")
    cpu_seconds: Seconds = Field(description="The processor's time for it (s).")


class RunFailure(Record):
    """Why a run could not go on; removed when it is trained again.

    A training that has diverged is not tried again: it would diverge again.
    """

    file: ClassVar = "runs/<run>/failure.json"

    identity: Digest = Field(description="That of `run.json`.")
    ended: AwareDatetime = Field(description="When training ended, in UTC.")
    message: str = Field(description="Why, in one line.")
    diverged: bool = Field(description="Whether a number left what can be computed.")


class Job(Part):
    """One Slurm job, as Slurm's accounting tells it."""

    job: str = Field(description="The job's id.")
    state: str = Field(description="How it ended, such as `COMPLETED` or `TIMEOUT`.")
    node: str = Field(description="The node that it ran on.")
    partition: str = Field(description="The partition that it was submitted to.")
    seconds: Seconds = Field(description="How long it ran (s).")
    cpu_seconds: Seconds = Field(description="The processors' time that it used (s).")
    memory_mb: float = Field(description="The most memory of each of its steps, added up (MB).")
    requested_memory_mb: float = Field(description="The memory that it asked for (MB).")
    requested_minutes: float | None = Field(
        description="The time that it asked for (minutes); `null` if it had no limit."
    )
    resources: str = Field(description="All that it was given, in Slurm's words.")


class Accounting(Record):
    """What Slurm's accounting tells of the jobs that trained a run, where there are such jobs."""

    file: ClassVar = "runs/<run>/accounting.json"

    jobs: tuple[Job, ...] = Field(description="The jobs, one after the other.")
