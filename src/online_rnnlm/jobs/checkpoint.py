"""The checkpoint of a training run on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.training import Progress, Unfinished
from online_rnnlm.process.stop_signals import Watch
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord

logger = logging.getLogger(__name__)

_KINDS = ("weights", "accumulators")
_COUNTS = ("batches", "tokens", "log_probability")
_UNFINISHED = "unfinished."
_CARRIED = "unfinished.carried."
_WAITING = "unfinished.waiting"


@dataclass
class Spent:
    """The time that an epoch has taken so far, without validation."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Started:
    """All that a checkpoint holds of a run that has begun."""

    progress: Progress
    """The state of training."""
    epochs: list[Epoch] = field(default_factory=list)
    """The records of the finished epochs, as in `metrics.jsonl`."""
    spent: Spent = field(default_factory=Spent)
    """The time spent on the epoch that has begun."""


class _About(BaseModel):
    """The content of a checkpoint without the arrays."""

    run: RunRecord
    epochs: list[Epoch]
    spent: Spent
    unfinished: dict[str, int | float] | None
    """The numbers of an `Unfinished`, by name."""


class Checkpoints:
    """The writer of a run's checkpoints; it knows when one is due within an epoch."""

    def __init__(
        self, directory: RunDirectory, record: RunRecord, seconds: float, watch: Watch
    ) -> None:
        self._directory = directory
        self._record = record
        self._seconds = seconds
        self._next = time.monotonic() + seconds
        self.watch = watch

    @property
    def due(self) -> bool:
        """True if the time for a checkpoint has come, or the process has been told to end."""
        return time.monotonic() >= self._next or self.watch.told is not None

    def save(self, started: Started) -> None:
        """Write a checkpoint now."""
        save(started, self._directory, self._record)
        self._next = time.monotonic() + self._seconds


def save(started: Started, directory: RunDirectory, record: RunRecord) -> None:
    """Write a run's checkpoint and record, whole or not at all, in place of the previous one."""
    progress = started.progress
    begun = progress.unfinished
    about = _About(
        run=record,
        epochs=started.epochs,
        spent=started.spent,
        unfinished={name: getattr(begun, name) for name in _COUNTS} if begun else None,
    )
    arrays = _arrays("", progress)
    if begun:
        arrays |= _arrays(_UNFINISHED, begun)
        arrays |= {f"{_CARRIED}state{i}": state for i, state in enumerate(begun.carried.states)}
        arrays[f"{_CARRIED}documents"] = begun.carried.documents
        arrays |= {f"{_WAITING}{i}": array for i, array in enumerate(begun.waiting)}
    with replacing(directory.state) as temporary, temporary.open("wb") as file:
        np.savez(file, about=np.array(about.model_dump_json()), **arrays)


def load(directory: RunDirectory, identity: str) -> tuple[Started, RunRecord] | None:
    """Read the checkpoint of the run of that identity, and its record; None if there is none.

    A checkpoint that fails zip's checksums is ignored, with a warning.
    """
    try:
        with directory.state.open("rb") as file, np.load(file) as arrays:
            return _read(arrays, identity)
    except FileNotFoundError:
        return None
    except Exception as error:  # Python's readers raise a dozen kinds for damaged archives.
        logger.warning("%s: damaged: training begins anew: %s", directory.state, error)
        return None


def _read(file: Mapping[str, Any], identity: str) -> tuple[Started, RunRecord] | None:
    """Read an undamaged checkpoint; return None if it is not of the run of that identity."""
    try:
        about = _About.model_validate_json(str(file["about"]), strict=True)
    except ValidationError:  # another version of this program has written it
        return None
    if about.run.identity != identity:
        return None
    weights, accumulators = _parameters(file, "")
    progress = Progress(weights, accumulators, [one.valid_perplexity for one in about.epochs])
    if about.unfinished is not None:
        counts: Any = about.unfinished
        weights, accumulators = _parameters(file, _UNFINISHED)
        waiting = _numbered(file, _WAITING)
        progress.unfinished = Unfinished(weights, accumulators, _carried(file), waiting, **counts)
    return Started(progress, about.epochs, about.spent), about.run


def _arrays(prefix: str, of: Progress | Unfinished) -> dict[str, Any]:
    named = {kind: getattr(of, kind)._asdict() for kind in _KINDS}
    return {f"{prefix}{kind}.{n}": a for kind, arrays in named.items() for n, a in arrays.items()}


def _carried(file: Mapping[str, Any]) -> Carried:
    """Read the states and vectors after the segments that were read last."""
    return Carried(_numbered(file, f"{_CARRIED}state"), file[f"{_CARRIED}documents"])


def _numbered(file: Mapping[str, Any], prefix: str) -> tuple[Any, ...]:
    """Read the arrays whose names are a prefix and a number."""
    count = sum(name.startswith(prefix) for name in file)
    return tuple(file[f"{prefix}{number}"] for number in range(count))


def _parameters(file: Mapping[str, Any], prefix: str) -> tuple[Parameters, Parameters]:
    """Read the weights and the accumulators."""
    weights, accumulators = (
        Parameters(*(file[f"{prefix}{kind}.{name}"] for name in Parameters._fields))
        for kind in _KINDS
    )
    return weights, accumulators
