"""The state of a run's training, which its checkpoint on disk holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import ValidationError

from online_rnnlm.core.lanes import Carried
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.training import Progress, Unfinished
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord

logger = logging.getLogger(__name__)

_KINDS = ("weights", "accumulators")
_UNFINISHED = "unfinished."


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
        arrays = {
            "record": np.array(self.record.model_dump_json()),
            "epochs": np.array([epoch.model_dump_json() for epoch in self.epochs], dtype=np.str_),
            "seconds": np.array(self.seconds),
            "cpu_seconds": np.array(self.cpu_seconds),
            **_parameters("", self.progress),
        }
        begun = self.progress.unfinished
        if begun is not None:
            arrays |= _parameters(_UNFINISHED, begun)
            for name in ("batches", "tokens", "log_probability"):
                arrays[_UNFINISHED + name] = np.array(getattr(begun, name))
            arrays["unfinished.documents"] = begun.carried.documents
            arrays |= _numbered("unfinished.state", begun.carried.states)
            arrays |= _numbered("unfinished.waiting", begun.waiting)
        with replacing(self.directory.state) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


def load(directory: RunDirectory, record: RunRecord) -> RunState | None:
    """Read the checkpoint of the run that a record describes; return None if there is none.

    The state has the record of the run's first beginning. A checkpoint that fails zip's checksums
    is ignored, with a warning.
    """
    try:
        with directory.state.open("rb") as file, np.load(file) as arrays:
            state = _read(directory, arrays)
    except FileNotFoundError:
        return None
    except ValidationError:  # another version of this program has written it
        return None
    except Exception as error:  # Python's readers raise a dozen kinds for damaged archives.
        logger.warning("%s: damaged: training begins anew: %s", directory.state, error)
        return None
    # A search may have chosen other settings since, if its candidates were trained anew.
    same = state.record.identity == record.identity and state.record.settings == record.settings
    return state if same else None


def _read(directory: RunDirectory, file: Mapping[str, Any]) -> RunState:
    """Read an undamaged checkpoint."""
    record = RunRecord.model_validate_json(str(file["record"]), strict=True)
    epochs = [Epoch.model_validate_json(str(one), strict=True) for one in file["epochs"]]
    progress = Progress(
        _read_parameters(file, "weights"),
        _read_parameters(file, "accumulators"),
        [epoch.valid_perplexity for epoch in epochs],
    )
    if any(name.startswith(_UNFINISHED) for name in file):
        progress.unfinished = Unfinished(
            _read_parameters(file, "unfinished.weights"),
            _read_parameters(file, "unfinished.accumulators"),
            Carried(_read_numbered(file, "unfinished.state"), file["unfinished.documents"]),
            _read_numbered(file, "unfinished.waiting"),
            int(file["unfinished.batches"]),
            int(file["unfinished.tokens"]),
            float(file["unfinished.log_probability"]),
        )
    seconds = float(file["seconds"])
    return RunState(directory, record, progress, epochs, seconds, float(file["cpu_seconds"]))


def _parameters(prefix: str, of: Progress | Unfinished) -> dict[str, Any]:
    """Return the weights and the accumulators by their names in the file."""
    named = {kind: getattr(of, kind)._asdict() for kind in _KINDS}
    return {f"{prefix}{kind}.{n}": a for kind, arrays in named.items() for n, a in arrays.items()}


def _read_parameters(file: Mapping[str, Any], kind: str) -> Parameters:
    return Parameters(*(file[f"{kind}.{name}"] for name in Parameters._fields))


def _numbered(name: str, arrays: tuple[Any, ...]) -> dict[str, Any]:
    return {f"{name}{number}": array for number, array in enumerate(arrays)}


def _read_numbered(file: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    count = sum(key.startswith(name) for key in file)
    return tuple(file[f"{name}{number}"] for number in range(count))
