"""What a training must end with to the last bit, whatever has happened to it."""

import json
from pathlib import Path
from typing import Any

VARYING = frozenset(
    {"words_per_second", "seconds", "cpu_seconds", "peak_memory_megabytes", "began", "ended"}
)
"""What the files of a run say of times and of the process: no two trainings agree on it."""


def steady(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without what varies."""
    return {key: value for key, value in entry.items() if key not in VARYING}


def epochs(run: Path) -> list[dict[str, Any]]:
    """What a run's epochs have reached."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [steady(json.loads(line)) for line in lines]


def outcome(run: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """A run's weights, and what its epochs have reached."""
    return (run / "model.npz").read_bytes(), epochs(run)
