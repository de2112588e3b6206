"""The progress of a training run, and its checkpoint on disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters, under
from online_rnnlm.process.stop_signals import Watch
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import Epoch

logger = logging.getLogger(__name__)

_KINDS = ("weights", "accumulators")
_COUNTS = ("batches", "tokens", "log_probability", "seconds", "cpu_seconds")
_UNFINISHED = "unfinished."
_CARRIED = "unfinished.carried."


@dataclass
class Unfinished:
    """The state of an epoch that has begun and is not finished."""

    weights: Parameters
    """The weights now."""
    accumulators: Parameters
    carried: Carried
    """The states and vectors after the segments that were read last, by lane."""
    batches: int = 0
    """Number of batches trained on so far, in the epoch's order."""
    tokens: int = 0
    """Number of their words."""
    log_probability: float = 0.0
    """Sum of the log P of these words, added in their order."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Progress:
    """The complete state of a training run, between two epochs or within one.

    The order of the text follows from seed and epoch, so no random state is stored.
    """

    weights: Parameters
    """The best weights so far, from which the next epoch starts unless it has begun."""
    accumulators: Parameters
    epochs: list[Epoch] = field(default_factory=list)
    """The records of the finished epochs, as in `metrics.jsonl`."""
    unfinished: Unfinished | None = None
    """The state of the next epoch, if it has begun."""

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.epochs)


class _About(BaseModel):
    """The content of a checkpoint without the arrays."""

    identity: str
    epochs: list[Epoch]
    unfinished: dict[str, int | float] | None
    """The numbers of an `Unfinished`, by name."""


class Checkpoints:
    """The writer of a run's checkpoints; it knows when one is due within an epoch."""

    def __init__(
        self, directory: RunDirectory, identity: str, seconds: float, watch: Watch
    ) -> None:
        self._directory, self._identity, self._seconds = directory, identity, seconds
        self._next = time.monotonic() + seconds
        self.watch = watch

    @property
    def due(self) -> bool:
        """True if the time for a checkpoint has come, or the process has been told to end."""
        return time.monotonic() >= self._next or self.watch.told is not None

    def save(self, progress: Progress) -> None:
        """Write a checkpoint now."""
        save(progress, self._directory, self._identity)
        self._next = time.monotonic() + self._seconds


def save(progress: Progress, directory: RunDirectory, identity: str) -> None:
    """Write a run's checkpoint, whole or not at all, in place of the previous one."""
    begun = progress.unfinished
    about = _About(
        identity=identity,
        epochs=progress.epochs,
        unfinished={name: getattr(begun, name) for name in _COUNTS} if begun else None,
    )
    arrays = _arrays("", progress)
    if begun:
        arrays |= _arrays(_UNFINISHED, begun)
        arrays |= {f"{_CARRIED}state{i}": state for i, state in enumerate(begun.carried.states)}
        arrays[f"{_CARRIED}documents"] = begun.carried.documents
    with replacing(directory.state) as temporary, temporary.open("wb") as file:
        np.savez(file, about=np.array(about.model_dump_json()), **arrays)


def load(directory: RunDirectory, identity: str) -> Progress | None:
    """Read the checkpoint of the run of that identity; None if there is none.

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


def remove(directory: RunDirectory) -> None:
    """Remove a run's checkpoint."""
    directory.state.unlink(missing_ok=True)


def _read(file: Mapping[str, Any], identity: str) -> Progress | None:
    """Read an undamaged checkpoint; return None if it is not of the run of that identity."""
    try:
        about = _About.model_validate_json(str(file["about"]), strict=True)
    except ValidationError:  # another version of this program has written it
        return None
    if about.identity != identity:
        return None
    progress = Progress(*_parameters(file, ""), about.epochs)
    if about.unfinished is not None:
        counts: Any = about.unfinished
        progress.unfinished = Unfinished(*_parameters(file, _UNFINISHED), _carried(file), **counts)
    return progress


def _arrays(prefix: str, of: Progress | Unfinished) -> dict[str, Any]:
    named = {kind: getattr(of, kind)._asdict() for kind in _KINDS}
    return {f"{prefix}{kind}.{n}": a for kind, arrays in named.items() for n, a in arrays.items()}


def _carried(file: Mapping[str, Any]) -> Carried:
    """Read the states and vectors after the segments that were read last."""
    numbers = range(sum(name.startswith(f"{_CARRIED}state") for name in file))
    states = tuple(file[f"{_CARRIED}state{number}"] for number in numbers)
    return Carried(states, file[f"{_CARRIED}documents"])


def _parameters(file: Mapping[str, Any], prefix: str) -> tuple[Parameters, Parameters]:
    """Read the weights and the accumulators."""
    weights, accumulators = (under(f"{prefix}{kind}.", file) for kind in _KINDS)
    return weights, accumulators
