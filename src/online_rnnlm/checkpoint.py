"""A training run between two epochs, and its checkpoint on disk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from online_rnnlm.model.parameters import Parameters
from online_rnnlm.runs import replacing
from online_rnnlm.schedule import Schedule


@dataclass
class Progress:
    """All that a training run knows between two epochs.

    The order of the sentences follows from seed and epoch, so no random state is kept.
    """

    schedule: Schedule
    weights: Parameters
    """The best weights so far: what the next epoch starts from."""
    accumulators: Parameters
    epochs: list[dict[str, Any]] = field(default_factory=list)
    """One entry an epoch: what `metrics.jsonl` says."""

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.epochs)


def save(progress: Progress, directory: Path, identity: str) -> None:
    """Write the checkpoint of the run of that identity, whole or not at all."""
    about = {
        "identity": identity,
        "schedule": asdict(progress.schedule),
        "epochs": progress.epochs,
    }
    arrays = {f"weights.{n}": a for n, a in progress.weights._asdict().items()}
    arrays |= {f"accumulators.{n}": a for n, a in progress.accumulators._asdict().items()}
    with replacing(_file(directory)) as temporary, temporary.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)


def load(directory: Path, identity: str) -> Progress | None:
    """Read the checkpoint, if there is one of the run of that identity."""
    if not _file(directory).is_file():
        return None
    with np.load(_file(directory)) as file:
        about = json.loads(str(file["about"]))
        if about["identity"] != identity:
            return None
        weights, accumulators = (
            Parameters(**{name: file[f"{kind}.{name}"] for name in Parameters._fields})
            for kind in ("weights", "accumulators")
        )
    return Progress(Schedule(**about["schedule"]), weights, accumulators, about["epochs"])


def _file(directory: Path) -> Path:
    return directory / "state.npz"
