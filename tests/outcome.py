"""The outcome of a training, which interruptions must not change by a single bit."""

from pathlib import Path
from typing import Any

from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Record
from online_rnnlm.storage.runs import read_epochs

VARYING = frozenset(
    {"words_per_second", "seconds", "cpu_seconds", "peak_memory_megabytes", "began", "ended"}
)
"""The fields of a run's files about times and the process, which differ in each training."""


def without_times(record: Record) -> dict[str, Any]:
    """Return a record without these fields and without the checksum of the file that has them."""
    found = record.model_dump(exclude=set(VARYING))
    if "files" in found:
        del found["files"]["metrics.jsonl"]
    return found


def epochs(run: Path) -> list[dict[str, Any]]:
    """Return the records of a run's epochs, without these fields."""
    return [without_times(epoch) for epoch in read_epochs(RunDirectory(run))]


def outcome(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """Return a run's weights, as bytes, and the records of its epochs."""
    return (run / "model.npz").read_bytes(), epochs(run)
