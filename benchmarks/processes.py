"""Measurements that need processes of their own: two runs side by side, memory, start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.context import ONLINE, Context
from benchmarks.measure import ratios, summary
from benchmarks.rows import Target, row
from benchmarks.synthetic import write_zipf_corpus
from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.paths import CorpusDirectory

PAIR_TARGET = Target(1.8)
MEMORY_TARGET = Target(400, at_least=False)
START_TARGET = Target(5, at_least=False)
MEMORY_TOKENS, MEMORY_WORDS = 10_000_000, 60_000
_PROJECT = Path(__file__).parents[1]


@contextmanager
def worker(
    verb: str, directory: CorpusDirectory, settings: RunSettings
) -> Iterator[subprocess.Popen[str]]:
    """Run a process of `benchmarks.worker` during the block, and kill it at the end."""
    values = settings.model_dump_json()
    command = [sys.executable, "-m", "benchmarks.worker", verb, str(directory.path), values]
    places = [str(_PROJECT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: subprocess.Popen[str]) -> Any:
    """Read the next value that a worker sends."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def _work(processes: Sequence[subprocess.Popen[str]], seconds: float) -> float:
    """Let processes learn at the same time; returns the sum of their words per second (clock)."""
    for process in processes:
        assert process.stdin is not None
        print(seconds, file=process.stdin, flush=True)
    return sum(float(heard["words"] / heard["seconds"]) for heard in map(hear, processes))


def side_by_side(context: Context) -> dict[str, Any]:
    """Measure two training processes at the same time against each of them alone, in turn."""
    seconds = 0.3 if context.options.quick else 5.0
    alone, together = [], []
    with ExitStack() as stack:
        start = [worker("speed", context.main.directory, context.settings(ONLINE, seed=seed))
                 for seed in (1, 2)]  # fmt: skip
        pair = [stack.enter_context(process) for process in start]
        for process in pair:
            hear(process)
        for repeat in range(context.options.repeats):
            alone.append(_work([pair[repeat % 2]], seconds))
            together.append(_work(pair, seconds))
    title = "two runs side by side on two cores, against one alone"
    detail = {"alone": summary(alone)["median"], "together": summary(together)["median"]}
    values = ratios(together, alone)
    return {"rows": [row(title, "times the words/s", values, PAIR_TARGET, words_per_second=detail)]}


def memory(context: Context) -> dict[str, Any]:
    """Measure the peak resident memory of a process that trains a whole run of one epoch.

    It includes the memory that the end of an epoch needs for scores, copies of the best weights and
    the checkpoint.
    """
    tokens = MEMORY_TOKENS // (50 if context.options.quick else 1)
    classes = next(iter(context.experiment.corpora.values())).classes
    directory = CorpusDirectory(context.scratch / "zipf")
    words = write_zipf_corpus(directory, tokens, MEMORY_WORDS, classes)
    settings = context.settings(ONLINE, max_epochs=1)
    with worker("memory", directory, settings) as process:
        heard = hear(process)
    title = f"memory of a training run of {tokens / 1e6:g} million tokens, {words:,} words"
    detail = {"imported": heard["imported"] / 1e6, "tokens": tokens, "vocabulary": words}
    return {"rows": [row(title, "MB", [heard["peak"] / 1e6], MEMORY_TARGET, **detail)]}


def start(context: Context) -> dict[str, Any]:
    """Measure the seconds from starting Python to the end of the first update, with warm caches."""
    settings, seconds, steps = context.settings(ONLINE), [], []
    for _ in range(context.options.repeats + 1):
        began = time.perf_counter()
        with worker("start", context.main.directory, settings) as process:
            steps.append(hear(process))
            seconds.append(time.perf_counter() - began)
    title = "start of a second process to its first update, caches warm"
    detail = {step: summary([times[step] for times in steps[1:]])["median"] for step in steps[0]}
    return {"rows": [row(title, "s", seconds[1:], START_TARGET, until=detail)]}
