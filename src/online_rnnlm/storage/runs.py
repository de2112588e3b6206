"""The records of a run, and their readers, which refuse files that have changed since it ended."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from online_rnnlm.config.code import of_training
from online_rnnlm.config.runs import Digits, Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Digest, Number, Part, Record

Count = Annotated[int, Field(ge=0)]
Searched = dict[str, str | Number]
"""Settings of training that a search tries, by name."""
Seconds = Annotated[float, Field(ge=0)]


class Machine(Part):
    """The hardware and system that a run is computed on."""

    processor: str
    """Name of the processor."""
    cores: int
    """Number of cores of the machine, even if the run may use only some of them."""
    system: str
    """The operating system."""
    gpu: str | None = None
    """Name of the GPU, if the run uses one."""


class RunRecord(Record):
    """The description of a run: its settings, identity, hardware and software.

    It is written when the run begins.
    """

    missing: ClassVar = "the run has not been trained yet: run the experiment first"

    name: str
    """Name of the run, and of its folder."""
    identity: Digest
    """sha256 of settings, corpus and code, which together decide the run's weights; its first
    digits end the run's name."""
    settings: RunSettings
    """All settings that it is trained with: the keys of training in config/README.md, `corpus` and
    `seed`."""
    searched: Searched
    """The settings that a run of the search tries; empty for a row's run."""
    candidates: tuple[str, ...]
    """Names of the runs of the search from which a row's run takes the best settings; empty for
    other runs."""
    corpus_folder: str
    """Name of the corpus's folder, in `corpora/`."""
    corpus_digest: Digest
    """`digest` of the corpus's `statistics.json`."""
    code_digest: Digest
    """Fingerprint of the code that decides the weights: sha256 of the modules that they are trained
    by."""
    began: AwareDatetime
    """Time at which training began, in UTC."""
    host: str
    """Name of the computer."""
    slurm_jobs: tuple[str, ...]
    """Ids of the Slurm jobs that have trained it, one after the other."""
    machine: Machine
    """The hardware and system."""
    python: Annotated[str, Field(pattern=r"^\d+\.\d+\.")]
    """Version of Python."""
    packages: dict[str, str]
    """Versions of the packages that the run is computed with, by package."""


class Epoch(Record):
    """One epoch of training."""

    missing: ClassVar = "the run has not been trained yet: run the experiment first"

    epoch: int = Field(ge=1)
    """Number of the epoch, from 1."""
    learning_rate: float
    """Learning rate of the weights at the epoch's start."""
    train_perplexity: float
    """Perplexity of `train`, while learning from it."""
    valid_perplexity: float
    """Perplexity of `valid` after the epoch."""
    kept: bool
    """True if the epoch's weights are the best so far and are kept."""
    words_per_second: float
    """Number of tokens trained on per second."""
    seconds: Seconds
    """Duration of training, without validation (s)."""
    cpu_seconds: Seconds
    """Processor time of training (s)."""
    peak_memory_megabytes: float
    """Peak memory of the process up to now (MB)."""
    ended: AwareDatetime | None = None
    """Time at which it ended, in UTC; `null` in records of earlier versions."""


class RunResult(Record):
    """The results of a run that has ended; written last, when all the run's files are complete.

    If the run has diverged, `model.npz` holds the best weights before that, or the initial ones. It
    is not trained again, because it would diverge again.
    """

    missing: ClassVar = "the run has not been trained to its end: run the experiment first"

    identity: Digest
    """The identity in `run.json`."""
    files: dict[str, Digest]
    """sha256 of `model.npz` and `metrics.jsonl`, by name."""
    ended: AwareDatetime
    """Time at which training ended, in UTC."""
    reason: str = ""
    """If the run has diverged, a line that names the divergence and what can be tried; else
    empty."""
    epochs: Count
    """Number of whole epochs."""
    best_epoch: Count
    """Number of the epoch whose weights the model has; 0 if it has the initial weights."""
    valid_perplexity: float | None
    """Perplexity of `valid` after that epoch; `null` if the run has diverged."""
    parameters: Count
    """Number of the model's parameters."""
    training_multiply_adds_per_word: float
    """Multiply-adds per token in training, counted from the equations."""
    words_per_second: float
    """Number of tokens trained on per second, median over the epochs; 0 if there is none."""
    seconds: Seconds
    """Duration of all epochs, without validation (s)."""
    cpu_seconds: Seconds
    """Processor time of all epochs (s)."""

    @property
    def reached(self) -> float:
        """The perplexity of `valid`, by which runs are chosen; infinite if it has diverged."""
        return math.inf if self.valid_perplexity is None else self.valid_perplexity


def refuse_foreign(
    directory: RunDirectory, record: RunRecord, planned: Run, digits: Digits
) -> None:
    """Raise UserError if a run is not the planned one, whose folder it lies in.

    Its settings, corpus or code are then others than those that the folder's name stands for.
    """
    is_of_code = record.code_digest.startswith(digits.of_code(of_training(planned.settings)))
    if record.identity != planned.identity or not is_of_code:
        raise UserError(
            f"{directory.record}: made by other code or settings than its folder's name says: "
            "delete the folder, and start the experiment again"
        )


def read_end(run: RunDirectory) -> RunResult | None:
    """Read how a run has ended; None if it has not. Raises UserError for a damaged file."""
    return records.read(RunResult, run.result) if run.result.is_file() else None


def has_finished(run: RunDirectory) -> bool:
    """True if a run has ended and has not diverged; raises UserError for a damaged file."""
    end = read_end(run)
    return end is not None and not end.reason


def read_finished(run: RunDirectory) -> RunResult:
    """Read a finished run's results; raises UserError if it has not finished, or has diverged."""
    end = records.read(RunResult, run.result)
    if end.reason:
        raise UserError(f"{run.result}: {end.reason}")
    return end


def read_epochs(run: RunDirectory) -> list[Epoch]:
    """Read the records of the epochs that a run has finished so far.

    Raises UserError if they are missing or damaged, or have changed since the run ended.
    """
    end = read_end(run)
    if end is not None:
        check(run.metrics, end.files, run.result)
    return records.read_lines(Epoch, run.metrics)
