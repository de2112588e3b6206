"""Speed of other systems on the same data: the plain graph, JAX, and others if they are there."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytensor

from benchmarks.measure import Row, Workload, measured, missing, row
from benchmarks.runs import PROJECT
from benchmarks.workloads import ONLINE, STATIC, Context, training_task
from online_rnnlm.errors import UserError
from online_rnnlm.process.devices import gpu, require


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


class Toolkit(NamedTuple):
    """A toolkit of language models in C++, which is built from its sources."""

    name: str
    sign: str
    """A file by which its sources are recognised; `make` is called in that file's folder."""
    make: tuple[str, ...]
    """Arguments of `make`."""
    arguments: str
    speed: re.Pattern[str]
    """The pattern of the speed that it prints after an epoch."""
    words: float
    """The number of words per second in that speed's unit."""


TOOLKITS = (
    Toolkit(
        "RNNLM Toolkit: sigmoid, 100/0, 30 classes, BPTT 4 + 10",
        "rnnlmlib.cpp",
        ("CC=g++", "OPT_DEF=-O3 -march=native -fpermissive -std=gnu++98"),
        "-class 30 -bptt 4 -bptt-block 10 -independent -max-iter 1 -debug 2",
        re.compile(r"Words/sec: ([\d.]+)"),
        1.0,
    ),
    Toolkit(
        "faster-rnnlm: sigmoid, 100/0, hierarchical softmax, BPTT 5",
        "faster-rnnlm/rnnlm.cc",
        ("NVCC_TEST=",),
        "-threads 1",
        re.compile(r"([\d.]+) Kwords/sec"),
        1000.0,
    ),
)


def toolkits(context: Context) -> dict[str, Any]:
    """Measure training by other toolkits on the same text, built from the sources that are given.

    They learn after every sentence or a few words, by one thread, and count their words themselves.
    """
    rows: list[Row] = []
    for folder in context.options.toolkit:
        kind = next((one for one in TOOLKITS if (folder / one.sign).is_file()), None)
        if kind is None:
            signs = " or ".join(one.sign for one in TOOLKITS)
            raise UserError(f"--toolkit {folder}: no sources in it: neither {signs}")
        rows.append(_of_toolkit(kind, folder, context))
    return {"rows": rows or [missing("other toolkits", "skipped: no --toolkit")]}


def _of_toolkit(kind: Toolkit, folder: Path, context: Context) -> Row:
    copy = context.scratch / folder.name
    shutil.copytree(folder, copy, symlinks=True)
    texts = []
    for split in ("train", "valid"):
        lines = context.main.directory.text(split).read_text("utf-8").splitlines(keepends=True)
        texts += [f"-{split}", str(context.scratch / f"{folder.name}-{split}.txt")]
        Path(texts[-1]).write_text("".join(lines[: context.less(len(lines))]), "utf-8")
    program = copy / Path(kind.sign).parent / "rnnlm"
    model = ("-rnnlm", str(copy / "model"), "-hidden", "100")
    heard = ""
    for command in (
        ("make", "-C", str(program.parent), *kind.make),
        (str(program), *texts, *model, *kind.arguments.split()),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        heard = done.stdout + done.stderr
        if done.returncode:
            return _failed(kind.name, heard)
    found = [float(speed) * kind.words for speed in kind.speed.findall(heard)]
    return row(kind.name, "words/s", found) if found else missing(kind.name, "printed no speed")


def _failed(title: str, heard: str) -> Row:
    return missing(title, f"failed: {(heard.strip() or '?').splitlines()[-1]}")


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
        return {"rows": [_failed(title, done.stderr)]}
    heard = json.loads(done.stdout.splitlines()[-1])
    speeds = [epoch["words"] / epoch["cpu_seconds"] for epoch in heard["epochs"]]
    return {"rows": [row(title, "words/s", speeds)], **heard}
