"""Speed of other systems on the same data: the plain graph, and PyTorch if it is available."""

from __future__ import annotations

import json
import math
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.context import (
    HIDDEN_SIZE,
    ONLINE,
    STATIC,
    Context,
    learn_from,
    new_trainer,
    words_in,
)
from benchmarks.measure import timed
from benchmarks.rows import missing, row
from online_rnnlm.errors import UserError

GRAPH_UPDATES = 5
_PROJECT = Path(__file__).parents[1]
_TORCH_TITLE = "PyTorch: nn.RNN(100, tanh), AdaptiveLogSoftmaxWithLoss, Adam, one thread: training"


def graph(context: Context) -> dict[str, Any]:
    """Measure a few updates of the plain PyTensor graph, and the time to compile it."""
    updates = 2 if context.options.quick else GRAPH_UPDATES
    usual = context.settings(ONLINE).batch_sentences
    cases = [(size, batch) for size in (STATIC, ONLINE) for batch in (1, usual)]
    cases = cases[:1] if context.options.quick else cases
    return {"rows": [_graph_row(context, size, batch, updates) for size, batch in cases]}


def _graph_row(context: Context, size: int, batch: int, updates: int) -> dict[str, Any]:
    settings = context.settings(size, batch_sentences=batch, engine="graph")
    corpus = context.main.corpus
    order = context.sample(corpus, 50 * batch * (updates + 1))
    began = time.perf_counter()
    trainer = new_trainer(settings, corpus)
    learn_from(trainer, settings, order[:batch])
    compiling = time.perf_counter() - began
    speeds = []
    for number in range(1, updates + 1):
        part = order[number * batch : (number + 1) * batch]

        def learn(part: Any = part) -> float:
            learn_from(trainer, settings, part)
            return words_in(corpus, part)

        speeds.append(timed(learn).per_cpu_second)
    title = f"plain PyTensor graph: training D = {size}, batches of {batch}"
    return row(title, "words/s", speeds, compile_seconds=compiling)


def torch(context: Context) -> dict[str, Any]:
    """Measure PyTorch in a process of its own interpreter: words per second, perplexity by time."""
    python = context.options.torch_python
    if python is None:
        return {"rows": [missing(_TORCH_TITLE, "skipped: no --torch-python")]}
    if not python.is_file():
        raise UserError(f"--torch-python {python}: no such file")
    heard = _run_torch(context, python)
    if "error" in heard:
        return {"rows": [missing(_TORCH_TITLE, heard["error"])]}
    epochs = heard["epochs"]
    speeds = [epoch["words"] / epoch["cpu_seconds"] for epoch in epochs]
    return {
        "rows": [
            row(_TORCH_TITLE, "words/s", speeds),
            row("PyTorch: scoring", "words/s", heard["scoring"]),
        ],
        "version": heard["version"],
        "seconds": heard["seconds"],
        "epochs": epochs,
    }


def _run_torch(context: Context, python: Path) -> dict[str, Any]:
    directory, options = context.main.directory, context.options
    about = {
        "train": str(directory.stream("train").resolve()),
        "valid": str(directory.stream("valid").resolve()),
        "vocabulary": context.main.corpus.vocabulary_size,
        "hidden_size": HIDDEN_SIZE,
        "seconds": 3.0 if options.quick else options.torch_seconds,
        "perplexity": options.thresholds[STATIC],
    }
    # PyTorch has its own libraries, so this process's environment variables must not reach it.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    result = subprocess.run(
        [python.absolute(), "-m", "benchmarks.torch_peer", json.dumps(about)],
        cwd=_PROJECT,
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["?"])[-1]
        return {"error": f"failed: {last}"}
    heard: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    if any(not math.isfinite(epoch["valid_perplexity"]) for epoch in heard["epochs"]):
        return {"error": "diverged"}
    return heard
