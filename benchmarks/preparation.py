"""Time and memory of the preparation of a corpus, stage by stage, for texts of growing size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.context import Context
from benchmarks.rows import Target, row
from online_rnnlm.corpora.articles import read_articles
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import write_json

WORDS = (100_000, 1_000_000, 10_000_000, 12_000_000)
STAGES = ("articles", "sentences", "splits", "vocabulary", "encode")
THREADS = 2
LARGEST = Target(90, at_least=False)
"""Seconds that two cores may take for the largest text."""
MEMORY = Target(1000, at_least=False)
_PAUSE = 0.05
_PARALLEL = frozenset({"articles", "sentences", "splits"})


class Cost(NamedTuple):
    """The cost of a stage."""

    seconds: float
    cpu_seconds: float
    """Processor time of all its processes."""
    peak_megabytes: float
    """Peak memory of its largest process."""


def preparation(context: Context) -> dict[str, Any]:
    """Measure all stages of the beginnings of a text, each in a process of its own."""
    file = context.options.articles
    if file is None:
        raise UserError("preparation: which text? give --articles FILE")
    sizes = WORDS[:1] if context.options.quick else WORDS
    rows = []
    for words in sizes:
        folder = context.scratch / f"{words}"
        found = dict(zip(STAGES, _prepare(_beginning(file, words, folder), folder), strict=True))
        rows += list(_rows(words, found))
    return {"rows": rows, "text": file.name}


def _rows(words: int, found: dict[str, Cost]) -> Iterator[dict[str, Any]]:
    text = f"{words / 1e6:g} million words"
    seconds = sum(cost.seconds for cost in found.values())
    peak = max(cost.peak_megabytes for cost in found.values())
    stages = {stage: cost._asdict() for stage, cost in found.items()}
    largest = LARGEST if words == WORDS[-1] else None
    yield row(f"preparation of {text}, {THREADS} cores", "s", [seconds], largest, stages=stages)
    yield row(f"largest process in the preparation of {text}", "MB", [peak], MEMORY)


def _beginning(file: Path, words: int, folder: Path) -> Path:
    """Write the first articles of a text that have so many words together."""
    folder.mkdir(parents=True)
    out, written = folder / "text.jsonl", 0
    with out.open("w", encoding="utf-8") as lines:
        for article in read_articles(file):
            if written >= words:
                break
            written += len(article.text.split())
            lines.write(json.dumps({"title": article.title, "text": article.text}) + "\n")
    return out


def _prepare(text: Path, folder: Path) -> Iterator[Cost]:
    """Run every stage as the workflow does, and yield its cost."""
    held_out = max(2, text.stat().st_size // 10_000)
    corpus = {
        "source": {"kind": "text", "file": str(text)},
        "divide_by": "article",
        "valid_sentences": held_out,
        "test_sentences": held_out,
        "vocabulary": {"max_size": 50_000},
        "classes": {"count": 100},
    }
    values = {"experiment": "prepared", "corpora": {"text": corpus}, "rows": [{}]}
    write_json(folder / "config.json", values)
    for stage in STAGES:
        threads = ["--threads", str(THREADS)] if stage in _PARALLEL else []
        yield _cost([stage, "--config", "config.json", "--corpus", "text", *threads], folder)


def _cost(arguments: Sequence[str], folder: Path) -> Cost:
    command = [sys.executable, "-m", "online_rnnlm", *arguments]
    began, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    while True:
        done, status, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        peak = max([peak, *map(_peak, _family(process.pid))])
        time.sleep(_PAUSE)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UserError(f"preparation: `{' '.join(arguments)}` failed in {folder}")
    return Cost(seconds, used.ru_utime + used.ru_stime, peak)


def _family(pid: int) -> Iterator[int]:
    """Yield the ids of a process and of all processes that it has started."""
    yield pid
    with suppress(OSError):  # it has ended
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _peak(pid: int) -> float:
    """Return a process's peak memory up to now (MB); 0 if it has ended."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    return 0.0
