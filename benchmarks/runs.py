"""Measurements of whole processes and whole runs."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.corpora import random_text
from benchmarks.measure import Row, Target, missing, row
from benchmarks.workloads import HIDDEN_SIZE, ONLINE, STATIC, Context
from online_rnnlm.config.corpora import ClassSettings
from online_rnnlm.config.evaluations import main_way
from online_rnnlm.config.experiment import parse
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.train import train
from online_rnnlm.process.devices import peak_memory
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import read_epochs

PROJECT = Path(__file__).parents[1]
SEEDS = (1, 2, 3)
TIME = {STATIC: Target(17, at_least=False), ONLINE: Target(60, at_least=False)}
TEST = {STATIC: Target(109, at_least=False), ONLINE: Target(90, at_least=False)}
MEMORY_TOKENS, MEMORY_WORDS = 10_000_000, 60_000
ENTERED_WORDS = 10_000

COMPARED = (("speed", "sigmoid"), ("speed", "lstm"), ("score", "sigmoid"))
"""The worker's verbs, and cells, that `--old` compares."""

Process = subprocess.Popen[str]


@contextmanager
def worker(
    verb: str, directory: CorpusDirectory, settings: RunSettings, checkout: Path = PROJECT
) -> Iterator[Process]:
    """Run a process of `benchmarks.worker` during the block, and kill it at the end.

    It runs the code of a checkout, which gets only the settings that are not the default.
    """
    place = checkout.resolve()
    values = settings.model_dump_json(exclude_defaults=True)
    about = [verb, str(directory.path.resolve()), values]
    packages = {"PYTHONPATH": f"{place / 'src'}{os.pathsep}{place}"}
    pipe, environment = subprocess.PIPE, os.environ | packages
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.worker", *about],
        cwd=place,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(process: Process) -> Any:
    """Read the next value that a worker sends; raises UserError if it has ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise UserError(f"a process failed: {process.args}")
    return json.loads(line)


def work(process: Process, seconds: float) -> float:
    """Let a worker work for so long; return its words per second of processor time."""
    assert process.stdin is not None
    print(seconds, file=process.stdin, flush=True)
    done = hear(process)
    return float(done["words"] / done["cpu"])


def whole_run(results: ExperimentDirectory, settings: RunSettings) -> dict[str, Any]:
    """Train and test a run in a folder that has its corpus, as the workflow does.

    Returns the peak memory (bytes), the epochs, each with the seconds of processor time from the
    call to its end, and the test perplexity, None if the training diverged.
    """
    run = Run(settings, settings.corpus)
    directory, last = results.run(run.name), main_way(settings.document_size)
    clock, log = _EpochClock(directory.metrics), logging.getLogger("online_rnnlm")
    log.addHandler(clock)
    log.setLevel(logging.INFO)
    train(run, results.corpus(run.corpus_folder), directory)
    log.removeHandler(clock)
    epochs = [epoch.model_dump(mode="json") for epoch in read_epochs(directory)]
    for number, epoch in enumerate(epochs, start=1):
        epoch["cpu_everything"] = clock.times[number]
        epoch["cpu_learning"] = sum(one["cpu_seconds"] for one in epochs[:number])
    cost = {"peak": peak_memory(), "epochs": epochs}
    from online_rnnlm.rivals.evaluations import evaluate_run  # noqa: PLC0415  # takes memory

    evaluate_run(results, run.name, last, TestingSettings())
    splits = json.loads(results.evaluation(run.name, last.name).read_bytes()).get("splits")
    return {**cost, "test_perplexity": splits and splits["test"]["perplexity"]}


class _EpochClock(logging.Handler):
    """Reads the processor time when training first logs a line after an epoch's metrics."""

    def __init__(self, metrics: Path) -> None:
        super().__init__()
        self.began, self._metrics = time.process_time(), metrics
        self.times: dict[int, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Note the time, if there is one more epoch than before."""
        text = self._metrics.read_bytes() if self._metrics.is_file() else b""
        self.times.setdefault(text.count(b"\n"), time.process_time() - self.began)


def memory(context: Context) -> dict[str, Any]:
    """Measure the peak resident memory of a process that trains a whole run of one epoch."""
    tokens, words = context.less(MEMORY_TOKENS), context.less(MEMORY_WORDS)
    classes = next(iter(context.experiment.corpora.values())).classes
    directory = random_text(context.scratch, tokens, words, classes)
    with worker("train", directory, context.settings(ONLINE, max_epochs=1)) as process:
        heard = hear(process)
    title = f"memory of a training run of {tokens / 1e6:g} million tokens, {words:,} words"
    target = Target(400, at_least=False)
    return {"rows": [row(title, "MB", [heard["peak"] / 1e6], target)]}


def convergence(context: Context) -> dict[str, Any]:
    """Train both rows to the end with every seed, test them, and read off the times."""
    quick, rows, runs = context.options.quick, [], {}
    for size, aim in zip((STATIC, ONLINE), context.options.perplexity, strict=True):
        mine = []
        for seed in SEEDS[:1] if quick else SEEDS:
            changes = {"seed": seed} | ({"max_epochs": 2} if quick else {})
            settings = context.settings(size, **changes)
            with worker("train", context.main.directory, settings) as process:
                mine.append(hear(process))
        runs[str(size)] = mine
        reference, name = context.main.is_reference, context.main.name
        rows.append(_time_row(size, aim, mine, TIME[size] if reference else None, name))
        title = f"test perplexity of 100/{size}, {len(mine)} seed{'s' * (len(mine) > 1)}"
        values, target = [run["test_perplexity"] for run in mine], TEST[size] if reference else None
        if all(values):
            rows.append(row(title, "perplexity", values, target, corpus=name))
        else:
            rows.append(missing(title, "diverged"))
    return {"rows": rows, "runs": runs}


def _time_row(
    size: int, aim: float, runs: list[dict[str, Any]], target: Target | None, corpus: str
) -> Row:
    title = f"CPU time of 100/{size} to a validation perplexity of {aim:g}"
    reached = [epoch for run in runs if (epoch := reaching(run["epochs"], aim))]
    if len(reached) < len(runs):
        best = [epoch["valid_perplexity"] for run in runs for epoch in run["epochs"]]
        said = f"{len(reached)} of {len(runs)} runs reach it"
        return missing(title, f"{said}; the best: {min(best):.1f}" if best else said)
    about = {key: [epoch[key] for epoch in reached] for key in ("epoch", "cpu_learning")}
    times = [epoch["cpu_everything"] for epoch in reached]
    return row(title, "s", times, target, corpus=corpus, **about)


def reaching(epochs: list[dict[str, Any]], perplexity: float) -> dict[str, Any] | None:
    """Return the first epoch with at most that validation perplexity; None without one."""
    return next((epoch for epoch in epochs if epoch["valid_perplexity"] <= perplexity), None)


def tracking(context: Context) -> dict[str, Any]:
    """Measure the seconds to enter many runs with their models into MLflow, and to do so again.

    The runs are really trained, on a little random text with many words.
    """
    runs, epochs = (2, 2) if context.options.quick else (100, 30)
    words = context.less(ENTERED_WORDS)
    text = random_text(context.scratch, words, words, ClassSettings(count=30))
    experiment = parse(
        {
            "experiment": "tracking",
            "corpora": {text.path.name: {"source": {"kind": "wikipedia-vital"}}},
            "training": {"max_epochs": epochs},
            "rows": [{"hidden_size": HIDDEN_SIZE, "document_size": ONLINE}],
            "seeds": list(range(1, runs + 1)),
            "digits": {"core": "", "corpora": {}},
        }
    )
    results = ExperimentDirectory(context.scratch / "tracking")
    write_json(results.configuration, experiment.model_dump(mode="json"))
    corpus = results.corpus(text.path.name)
    corpus.path.parent.mkdir(parents=True)
    corpus.path.symlink_to(text.path)
    for planned in experiment.runs():
        whole_run(results, planned.settings)
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        command = [sys.executable, "-m", "online_rnnlm", "track", str(results.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"tracking: {done.stderr.strip()}")
        seconds.append(time.perf_counter() - began)
    title = f"`track` of {runs} runs of {epochs} epochs with their models, its start included"
    target = Target(60, at_least=False)
    again = row("the same again, nothing changed", "s", seconds[1:])
    return {"rows": [row(title, "s", seconds[:1], target), again]}


def old(context: Context) -> dict[str, Any]:
    """Measure the code here against that of another checkout, in turn, in processor time."""
    checkout, seconds = context.options.old, 0.2 if context.options.quick else 3.0
    if checkout is None or not (checkout / "benchmarks/worker.py").is_file():
        raise UserError(f"--old {checkout}: no checkout of this project")
    rows = []
    cases = list(itertools.product(COMPARED, (STATIC, ONLINE)))
    for (verb, cell), size in cases[: 1 if context.options.quick else None]:
        settings = context.settings(size, cell=cell)
        title = f"{verb} of {cell}, D = {size}: words/s relative to {checkout}"
        done = []
        with ExitStack() as stack:
            pair = [
                stack.enter_context(worker(verb, context.main.directory, settings, place))
                for place in (PROJECT, checkout)
            ]
            try:
                for process in pair:
                    hear(process)
                for _ in range(context.repeats):
                    done.append([work(process, seconds) for process in pair])
            except UserError as error:
                rows.append(missing(title, str(error)))
                continue
        values = [new / before for new, before in done]
        rows.append(row(title, "ratio", values, words_per_second=done))
    return {"rows": rows}
