"""The state of a run's training, which its checkpoint on disk holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.base import TrainingState
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.training import Progress
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
        progress = self.progress
        epochs = [epoch.model_dump_json() for epoch in self.epochs]
        arrays = {
            "record": self.record.model_dump_json(),
            "epochs": np.array(epochs, dtype=np.str_),
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            **_named("best", progress.best._asdict()),
            **_named("best_accumulators", progress.best_accumulators._asdict()),
            **_named("weights", progress.state.weights._asdict()),
            **_named("accumulators", progress.state.accumulators._asdict()),
            **_named("carried", progress.state.carried._asdict()),
            **_named("deferred", {str(n): one for n, one in enumerate(progress.state.deferred)}),
            "batches": progress.batches,
            "tokens": progress.tokens,
            "log_probability": progress.log_probability,
        }
        with replacing(self.directory.state) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


def _named(name: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{key}": array for key, array in arrays.items()}


def _read(file: Mapping[str, Any], name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays that `_named` has put into a file."""
    beginning = f"{name}."
    return {key[len(beginning) :]: file[key] for key in file if key.startswith(beginning)}


def load(directory: RunDirectory, record: RunRecord) -> RunState | None:
    """Read the checkpoint of the run that a record describes; return None if there is none.

    The state has the record of the run's first beginning. A checkpoint that fails zip's checksums
    is ignored, with a warning.
    """
    try:
        with directory.state.open("rb") as file, np.load(file) as arrays:
            first = RunRecord.model_validate_json(str(arrays["record"]), strict=True)
            epochs = [Epoch.model_validate_json(str(e), strict=True) for e in arrays["epochs"]]
            state = TrainingState(
                Parameters(**_read(arrays, "weights")),
                Parameters(**_read(arrays, "accumulators")),
                Carried(**_read(arrays, "carried")),
                tuple(_read(arrays, "deferred").values()),
            )
            progress = Progress(
                state,
                Parameters(**_read(arrays, "best")),
                Parameters(**_read(arrays, "best_accumulators")),
                valid_perplexities=[epoch.valid_perplexity for epoch in epochs],
                batches=int(arrays["batches"]),
                tokens=int(arrays["tokens"]),
                log_probability=float(arrays["log_probability"]),
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
