"""Speed of other systems on the same data: the plain graph, JAX, and PyTorch if it is there."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from functools import partial
from typing import Any

import numpy as np
import pytensor

from benchmarks.measure import Row, Workload, measured, missing, row
from benchmarks.runs import PROJECT
from benchmarks.workloads import ONLINE, STATIC, Context, training_task
from online_rnnlm.engines.devices import gpu, require
from online_rnnlm.errors import UserError


def graph(context: Context) -> dict[str, Any]:
    """Measure an update of the plain PyTensor graph, which is compiled first."""
    usual, corpus = context.settings(ONLINE).batch_sentences, context.main.corpus
    quick, group = context.options.quick, []
    for size, batch in itertools.product((STATIC, ONLINE), (1, usual)):
        settings = context.settings(size, batch_sentences=batch, engine="graph")
        task = partial(training_task, settings, corpus, np.arange(batch))
        title = f"plain PyTensor graph: training D = {size}, batches of {batch}"
        group.append(Workload(title, task))
    with pytensor.config.change_flags(mode="FAST_COMPILE" if quick else pytensor.config.mode):
        return {"rows": measured(group[:1] if quick else group, context.repeats)}


def jax(context: Context) -> dict[str, Any]:
    """Measure training by JAX and by the kernel on one core, in words per second of the clock."""
    options, corpus = context.options, context.main.corpus
    device = {"engine": "jax", "device": options.device}
    try:
        require(context.settings(ONLINE, **device))
    except UserError as error:
        return {"rows": [missing(f"jax on a {options.device}", str(error))]}
    rows: list[Row] = []
    batches = options.batches[:1] if options.quick else options.batches
    for size, batch in itertools.product((STATIC, ONLINE), batches):
        sentences = context.sample(corpus, max(2048, 4 * batch))
        title = f"training D = {size}, batches of {batch}"
        of_kernel, of_jax = (
            partial(training_task, context.settings(size, batch_sentences=batch, **engine), corpus)
            for engine in ({}, device)
        )
        group = [
            Workload(f"kernel: {title}", partial(of_kernel, sentences)),
            Workload(
                f"jax on a {options.device}, against the kernel: {title}",
                partial(of_jax, sentences),
                against=f"kernel: {title}",
                by_clock=True,
            ),
        ]
        rows += measured(group, context.repeats)
    return {"rows": rows, "device": gpu(context.settings(ONLINE, **device)) or "cpu"}


def torch(context: Context) -> dict[str, Any]:
    """Measure PyTorch in a process of its own interpreter: words per second, perplexity by time."""
    title = "PyTorch: nn.RNN(100, tanh), AdaptiveLogSoftmaxWithLoss, Adam, one thread: training"
    python, quick = context.options.torch_python, context.options.quick
    if python is None:
        return {"rows": [missing(title, "skipped: no --torch-python")]}
    if not python.is_file():
        raise UserError(f"--torch-python {python}: no such file")
    about = {
        **{s: str(context.main.directory.stream(s).resolve()) for s in ("train", "valid")},
        "vocabulary": context.main.corpus.vocabulary_size,
        "seconds": 3.0 if quick else 300.0,
        "perplexity": context.options.perplexity[0],
    }
    # PyTorch has its own libraries, so this process's environment variables must not reach it.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [python.absolute(), "-m", "benchmarks.torch_peer", json.dumps(about)],
        cwd=PROJECT,
        env={**kept, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return {
            "rows": [missing(title, f"failed: {(done.stderr.strip() or '?').splitlines()[-1]}")]
        }
    heard = json.loads(done.stdout.splitlines()[-1])
    speeds = [epoch["words"] / epoch["cpu_seconds"] for epoch in heard["epochs"]]
    return {"rows": [row(title, "words/s", speeds)], **heard}
