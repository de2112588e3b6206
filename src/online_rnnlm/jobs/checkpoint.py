"""The state of a run's training, which its checkpoint on disk holds."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.training import Progress, Unfinished
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord

logger = logging.getLogger(__name__)


@dataclass
class RunState:
    """The state of a run that has begun: all that its checkpoint holds."""

    directory: RunDirectory
    record: RunRecord
    progress: Progress
    """The state of training."""
    epochs: list[Epoch] = field(default_factory=list)
    """The records of the finished epochs, as in `metrics.jsonl`."""
    seconds: float = 0.0
    """The time that the epoch that has begun has taken so far, without validation."""
    cpu_seconds: float = 0.0
    """Its processor time."""

    def save(self) -> None:
        """Write the run's checkpoint, whole or not at all, in place of the previous one."""
        saved = _Saved(
            record=self.record.model_dump_json(),
            epochs=np.array([epoch.model_dump_json() for epoch in self.epochs], dtype=np.str_),
            seconds=self.seconds,
            cpu_seconds=self.cpu_seconds,
            weights=self.progress.weights,
            accumulators=self.progress.accumulators,
            unfinished=self.progress.unfinished,
        )
        with replacing(self.directory.state) as temporary, temporary.open("wb") as file:
            np.savez(file, **dict(_leaves(saved)))


class _Saved(NamedTuple):
    """The content of a checkpoint: each array and number is named by its fields, joined by dots."""

    record: str
    """The run's record, as JSON."""
    epochs: NDArray[np.str_]
    """The records of the finished epochs, as JSON."""
    seconds: float
    cpu_seconds: float
    weights: Parameters
    accumulators: Parameters
    unfinished: Unfinished | None


_SHORTER = {
    "unfinished.carried.states": "unfinished.state",
    "unfinished.carried.documents": "unfinished.documents",
}
"""The names in the file that are not those of their fields."""


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the arrays and numbers that a value is made of, each with its name in the file."""
    if isinstance(value, (_Saved, Unfinished, Parameters, Carried)):
        for field_name in get_type_hints(type(value)):
            yield from _leaves(getattr(value, field_name), f"{name}.{field_name}".lstrip("."))
    elif isinstance(value, tuple):
        for number, array in enumerate(value):
            yield f"{_SHORTER.get(name, name)}{number}", array
    elif value is not None:
        yield _SHORTER.get(name, name), value


def _made(kind: Any, file: Mapping[str, Any], name: str = "") -> Any:
    """Make a value of a kind from its `_leaves` in a file."""
    if kind == Unfinished | None:
        begun = any(key.startswith(f"{name}.") for key in file)
        return _made(Unfinished, file, name) if begun else None
    if kind in (_Saved, Unfinished, Parameters, Carried):
        fields = get_type_hints(kind).items()
        return kind(**{n: _made(part, file, f"{name}.{n}".lstrip(".")) for n, part in fields})
    name = _SHORTER.get(name, name)
    if get_origin(kind) is tuple:
        count = sum(key.startswith(name) for key in file)
        return tuple(file[f"{name}{number}"] for number in range(count))
    return kind(file[name]) if kind in (str, int, float) else file[name]


def load(directory: RunDirectory, record: RunRecord) -> RunState | None:
    """Read the checkpoint of the run that a record describes; return None if there is none.

    The state has the record of the run's first beginning. A checkpoint that fails zip's checksums
    is ignored, with a warning.
    """
    try:
        with directory.state.open("rb") as file, np.load(file) as arrays:
            saved: _Saved = _made(_Saved, arrays)
        first = RunRecord.model_validate_json(saved.record, strict=True)
        epochs = [Epoch.model_validate_json(str(one), strict=True) for one in saved.epochs]
    except FileNotFoundError:
        return None
    except ValidationError:  # another version of this program has written it
        return None
    except Exception as error:  # Python's readers raise a dozen kinds for damaged archives.
        logger.warning("%s: damaged: training begins anew: %s", directory.state, error)
        return None
    # A search may have chosen other settings since, if its candidates were trained anew.
    if (first.identity, first.settings) != (record.identity, record.settings):
        return None
    reached = [epoch.valid_perplexity for epoch in epochs]
    progress = Progress(saved.weights, saved.accumulators, reached, saved.unfinished)
    return RunState(directory, first, progress, epochs, saved.seconds, saved.cpu_seconds)
