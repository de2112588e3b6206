"""JAX's engine beside the kernel and the plain graph, by batch size: `--only jax --device gpu`."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.context import ONLINE, Context, new_trainer
from benchmarks.measure import Task, interleaved, ratios
from benchmarks.rows import missing, row
from benchmarks.speed import training_pass
from online_rnnlm.devices import claim, gpu
from online_rnnlm.errors import UserError
from online_rnnlm.settings import RunSettings

BATCHES_A_PASS = 4
LEAST_SENTENCES = 2048
GRAPH_SENTENCES = 256


def jax(context: Context) -> dict[str, Any]:
    """Training with D = 20 by JAX, words a second of the clock; and how many times the kernel's.

    The kernel computes on one core of this machine, whatever JAX computes on.
    """
    settings = context.settings(ONLINE, engine="jax", device=context.options.device)
    try:
        claim(settings)
    except UserError as error:
        return {"rows": [missing(_title(settings), str(error))]}
    about = gpu(settings).get("gpu", "cpu")
    batches = context.options.batches[:1] if context.options.quick else context.options.batches
    return {"device": about, "rows": [line for b in batches for line in _rows(context, b)]}


def _title(settings: RunSettings) -> str:
    where = f" on a {settings.device}" if settings.engine == "jax" else ""
    return (
        f"{settings.engine}{where}: training D = {settings.document_size}, "
        f"batches of {settings.batch_sentences}"
    )


def _rows(context: Context, batch: int) -> list[dict[str, Any]]:
    """The engines with batches of that size, measured in turn."""
    usual = context.settings(ONLINE, batch_sentences=batch)
    changes: list[dict[str, Any]] = [
        {"engine": "jax", "device": context.options.device},
        {"engine": "kernel"},
    ]
    if batch == min(context.options.batches) and not context.options.quick:
        changes.append({"engine": "graph"})  # the reference: once, for it takes its time
    every = [RunSettings.model_validate({**usual.model_dump(), **more}) for more in changes]
    tasks, compiling = {}, {}
    for settings in every:
        tasks[settings.engine], compiling[settings.engine] = _compiled(context, settings)
    samples = interleaved(tasks, context.options.repeats)
    speeds = {name: [s.per_second for s in samples[name]] for name in tasks}
    rows = [
        row(_title(settings), "words/s", speeds[settings.engine],
            compile_seconds=compiling[settings.engine])
        for settings in every
    ]  # fmt: skip
    factors = ratios(speeds["jax"], speeds["kernel"])
    return [*rows, row(f"jax, as many times the kernel's, batches of {batch}", "", factors)]


def _compiled(context: Context, settings: RunSettings) -> tuple[Task, float]:
    """A pass of training, and the seconds that its first time took, compilation in it."""
    corpus, batch = context.main.corpus, settings.batch_sentences
    number = max(LEAST_SENTENCES, BATCHES_A_PASS * batch)
    sentences = context.sample(corpus, GRAPH_SENTENCES if settings.engine == "graph" else number)
    began = time.perf_counter()
    task = training_pass(new_trainer(settings, corpus), settings, corpus, sentences)
    task()
    return task, time.perf_counter() - began
