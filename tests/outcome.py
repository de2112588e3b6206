"""What a training must end with to the last bit, whatever has happened to it."""

from pathlib import Path
from typing import Any

from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.records import Record
from online_rnnlm.storage.runs import read_epochs

VARYING = frozenset(
    {"words_per_second", "seconds", "cpu_seconds", "peak_memory_megabytes", "began", "ended"}
)
"""What the files of a run say of times and of the process: no two trainings agree on it."""


def steady(record: Record) -> dict[str, Any]:
    """A record without what varies, and without the checksum of what varies."""
    found = record.model_dump(exclude=set(VARYING))
    if "files" in found:
        del found["files"]["metrics.jsonl"]
    return found


def epochs(run: Path) -> list[dict[str, Any]]:
    """What a run's epochs have reached."""
    return [steady(epoch) for epoch in read_epochs(RunDirectory(run))]


def outcome(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """A run's weights, and what its epochs have reached."""
    return (run / "model.npz").read_bytes(), epochs(run)
