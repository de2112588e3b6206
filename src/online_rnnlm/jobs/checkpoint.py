"""The state of a run's training, which its checkpoint on disk holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
        epochs = [epoch.model_dump_json() for epoch in self.epochs]
        arrays = {
            "record": self.record.model_dump_json(),
            "epochs": np.array(epochs, dtype=np.str_),
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            **_named("weights", self.progress.weights),
            **_named("accumulators", self.progress.accumulators),
        }
        begun = self.progress.unfinished
        if begun is not None:
            arrays |= {
                **_named("unfinished.weights", begun.weights),
                **_named("unfinished.accumulators", begun.accumulators),
                **_numbered("unfinished.state", begun.carried.states),
                "unfinished.documents": begun.carried.documents,
                **_numbered("unfinished.deferred", begun.deferred),
                "unfinished.batches": begun.batches,
                "unfinished.tokens": begun.tokens,
                "unfinished.log_probability": begun.log_probability,
            }
        with replacing(self.directory.state) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


def _named(name: str, parameters: Parameters) -> dict[str, Any]:
    return {f"{name}.{key}": array for key, array in parameters._asdict().items()}


def _numbered(name: str, arrays: Sequence[NDArray[Any]]) -> dict[str, Any]:
    return {f"{name}{number}": array for number, array in enumerate(arrays)}


def _parameters(file: Mapping[str, Any], name: str) -> Parameters:
    """Return the parameters that `_named` has put into a file."""
    return Parameters(**{key: file[f"{name}.{key}"] for key in Parameters._fields})


def _tuple(file: Mapping[str, Any], name: str) -> tuple[NDArray[Any], ...]:
    """Return the arrays that `_numbered` has put into a file."""
    number = sum(key.startswith(name) for key in file)
    return tuple(file[f"{name}{place}"] for place in range(number))


def load(directory: RunDirectory, record: RunRecord) -> RunState | None:
    """Read the checkpoint of the run that a record describes; return None if there is none.

    The state has the record of the run's first beginning. A checkpoint that fails zip's checksums
    is ignored, with a warning.
    """
    try:
        with directory.state.open("rb") as file, np.load(file) as arrays:
            first = RunRecord.model_validate_json(str(arrays["record"]), strict=True)
            epochs = [Epoch.model_validate_json(str(e), strict=True) for e in arrays["epochs"]]
            unfinished = None
            if "unfinished.batches" in arrays:
                unfinished = Unfinished(
                    weights=_parameters(arrays, "unfinished.weights"),
                    accumulators=_parameters(arrays, "unfinished.accumulators"),
                    carried=Carried(
                        _tuple(arrays, "unfinished.state"), arrays["unfinished.documents"]
                    ),
                    deferred=_tuple(arrays, "unfinished.deferred"),
                    batches=int(arrays["unfinished.batches"]),
                    tokens=int(arrays["unfinished.tokens"]),
                    log_probability=float(arrays["unfinished.log_probability"]),
                )
            progress = Progress(
                weights=_parameters(arrays, "weights"),
                accumulators=_parameters(arrays, "accumulators"),
                valid_perplexities=[epoch.valid_perplexity for epoch in epochs],
                unfinished=unfinished,
            )
            seconds = float(arrays["seconds"])
            cpu_seconds = float(arrays["cpu_seconds"])
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
    return RunState(directory, first, progress, epochs, seconds, cpu_seconds)
