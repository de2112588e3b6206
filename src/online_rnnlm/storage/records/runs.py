"""The records of a run."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

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
    cores: int = Field(
        description="Number of cores of the machine, even if the run may use only some of them."
    )
    system: str = Field(description="The operating system.")
    gpu: str | None = Field(default=None, description="Name of the GPU, if the run uses one.")


class RunRecord(Record):
    """The description of a run: its settings, identity, hardware and software.

    It is written when the run begins.
    """

    file: ClassVar = "runs/<run>/run.json"
    missing: ClassVar = "the run has not been trained yet: run the experiment first"

    name: str = Field(description="Name of the run, and of its folder.")
    identity: Digest = Field(
        description="sha256 of settings, corpus and code, which together decide the run's weights."
    )
    settings: RunSettings = Field(
        description="All settings that it is trained with: the keys of training in "
        "config/README.md, `corpus` and `seed`."
    )
    searched: Searched = Field(
        description="The settings that a run of the search tries; empty for a row's run."
    )
    candidates: tuple[str, ...] = Field(
        description="Names of the runs of the search from which a row's run takes the best "
        "settings; empty for other runs."
    )
    corpus_digest: Digest = Field(description="`digest` of the corpus's `statistics.json`.")
    code_digest: Digest = Field(description="sha256 of the code that decides the weights.")
    began: AwareDatetime = Field(description="Time at which training began, in UTC.")
    host: str = Field(description="Name of the computer.")
    slurm_jobs: tuple[str, ...] = Field(
        description="Ids of the Slurm jobs that have trained it, one after the other."
    )
    machine: Machine = Field(description="The hardware and system.")
    python: Annotated[str, Field(pattern=r"^\d+\.\d+\.")] = Field(
        description="Version of Python; its first two numbers are a part of `code_digest`."
    )
    packages: dict[str, str] = Field(
        description="Versions of the packages that the run is computed with, by package."
    )


class Epoch(Record):
    """One epoch of training."""

    file: ClassVar = "runs/<run>/metrics.jsonl"
    missing: ClassVar = "the run has not been trained yet: run the experiment first"

    epoch: int = Field(ge=1, description="Number of the epoch, from 1.")
    learning_rate: float = Field(description="Learning rate of the weights in this epoch.")
    train_perplexity: float = Field(description="Perplexity of `train`, while learning from it.")
    valid_perplexity: float = Field(description="Perplexity of `valid` after the epoch.")
    kept: bool = Field(description="True if the epoch's weights are the best so far and are kept.")
    words_per_second: float = Field(description="Number of tokens trained on per second.")
    seconds: Seconds = Field(description="Duration of training, without validation (s).")
    cpu_seconds: Seconds = Field(description="Processor time of training (s).")
    peak_memory_megabytes: float = Field(description="Peak memory of the process up to now (MB).")


class RunEnd(Record):
    """The values that the result of a finished run and that of a diverged one share."""

    file: ClassVar = "runs/<run>/result.json"
    missing: ClassVar = "the run has not been trained to its end: run the experiment first"

    identity: Digest = Field(
        description="The identity in `run.json`; a different one belongs to an older training."
    )
    files: dict[str, Digest] = Field(
        description="sha256 of `model.npz` and `metrics.jsonl`, by name."
    )
    ended: AwareDatetime = Field(description="Time at which training ended, in UTC.")
    epochs: Count = Field(description="Number of whole epochs.")


class RunResult(RunEnd):
    """The results of a finished run; written last, when all the run's files are complete."""

    status: Literal["finished"] = Field(default="finished", description="The run has finished.")
    best_epoch: int = Field(ge=1, description="Number of the epoch whose weights the model has.")
    valid_perplexity: float = Field(description="Perplexity of `valid` after that epoch.")
    parameters: Count = Field(description="Number of the model's parameters.")
    training_multiply_adds_per_word: float = Field(
        description="Multiply-adds per token in training, counted from the equations."
    )
    words_per_second: float = Field(
        description="Number of tokens trained on per second, median over the epochs."
    )
    seconds: Seconds = Field(description="Duration of all epochs, without validation (s).")
    cpu_seconds: Seconds = Field(description="Processor time of all epochs (s).")


class RunDivergence(RunEnd):
    """The end of a run that has diverged, in place of the results of a finished one.

    `model.npz` then holds the best weights before training diverged, or the initial ones. The run
    is not trained again, because it would diverge again.
    """

    status: Literal["diverged"] = Field(default="diverged", description="Training has diverged.")
    reason: str = Field(description="What diverged, and what can be tried, in one line.")


class Job(Part):
    """One Slurm job, as in Slurm's accounting."""

    job: str = Field(description="The job's id.")
    state: str = Field(description="Final state of the job, such as `COMPLETED` or `TIMEOUT`.")
    node: str = Field(description="The node that it ran on.")
    partition: str = Field(description="The partition that it was submitted to.")
    seconds: Seconds = Field(description="Duration of the job (s).")
    cpu_seconds: Seconds = Field(description="Processor time that it used (s).")
    memory_mb: float = Field(description="Sum of the peak memory of its steps (MB).")
    requested_memory_mb: float = Field(description="The memory that it asked for (MB).")
    requested_minutes: float | None = Field(
        description="The time that it asked for (minutes); `null` if it had no limit."
    )
    resources: str = Field(description="All resources that it was given, in Slurm's notation.")


class Accounting(Record):
    """The accounting by Slurm of the jobs that trained a run; written only if there are any."""

    file: ClassVar = "runs/<run>/accounting.json"

    jobs: tuple[Job, ...] = Field(description="The jobs, in the order in which they ran.")
