"""Speed of the JAX engine and of the kernel by batch size: `--only jax --device gpu`."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.context import ONLINE, STATIC, Context, new_trainer
from benchmarks.measure import Task, interleaved, ratios
from benchmarks.rows import missing, row
from benchmarks.speed import training_pass
from online_rnnlm.config.training import RunSettings
from online_rnnlm.engines.devices import gpu, require
from online_rnnlm.errors import UserError

BATCHES_A_PASS = 4
LEAST_SENTENCES = 2048


def jax(context: Context) -> dict[str, Any]:
    """Measure training with D = 0 and 20 by JAX and by the kernel, in words a second of the clock.

    The kernel computes on one core of this machine, whichever device JAX computes on.
    """
    settings = context.settings(ONLINE, engine="jax", device=context.options.device)
    try:
        require(settings)
    except UserError as error:
        return {"rows": [missing(_title(settings), str(error))]}
    about = gpu(settings) or "cpu"
    batches = context.options.batches[:1] if context.options.quick else context.options.batches
    cases = [(size, batch) for size in (STATIC, ONLINE) for batch in batches]
    return {"device": about, "rows": [line for case in cases for line in _rows(context, *case)]}


def _title(settings: RunSettings) -> str:
    where = f" on a {settings.device}" if settings.engine == "jax" else ""
    return (
        f"{settings.engine}{where}: training D = {settings.document_size}, "
        f"batches of {settings.batch_sentences}"
    )


def _rows(context: Context, size: int, batch: int) -> list[dict[str, Any]]:
    """Measure both engines in turn, with a vector of that size and batches of `batch` sentences."""
    usual = context.settings(size, batch_sentences=batch, engine="kernel")
    by_jax = {"engine": "jax", "device": context.options.device}
    every = [usual, RunSettings.model_validate({**usual.model_dump(), **by_jax})]
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
    title = f"jax, as many times the kernel's: D = {size}, batches of {batch}"
    return [*rows, row(title, "", factors)]


def _compiled(context: Context, settings: RunSettings) -> tuple[Task, float]:
    """Return a training pass, and the seconds of its first call, compilation included."""
    corpus, batch = context.main.corpus, settings.batch_sentences
    sentences = context.sample(corpus, max(LEAST_SENTENCES, BATCHES_A_PASS * batch))
    began = time.perf_counter()
    task = training_pass(new_trainer(settings, corpus), settings, corpus, sentences)
    task()
    return task, time.perf_counter() - began
