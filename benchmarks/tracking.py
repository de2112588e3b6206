"""Cost of MLflow: entering many runs at once, and following runs while they train."""

from __future__ import annotations

import resource
import shutil
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.context import ONLINE, Context
from benchmarks.measure import ratios
from benchmarks.processes import hear, worker
from benchmarks.rows import Target, row
from online_rnnlm.config.evaluations import main_evaluations
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.evaluation.evaluate import evaluate
from online_rnnlm.pipeline.configuration import write_configuration
from online_rnnlm.pipeline.watcher import Watcher
from online_rnnlm.storage import records
from online_rnnlm.storage.files import read_json, sha256_of, write_json
from online_rnnlm.storage.identity import identity
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import RunRecord, RunResult
from online_rnnlm.storage.runs import read_epochs
from online_rnnlm.tracking import server
from online_rnnlm.tracking.synchronisation import synchronise
from online_rnnlm.training.train import train

RUNS, EPOCHS = 100, 30
ENTERING_TARGET = Target(60, at_least=False)
FOLLOWED_EPOCHS, FOLLOWED_ROUNDS = 10, 3
FOLLOWING_TARGET = Target(1.02, at_least=False)
_WHATEVER_COMES = {"divergence_perplexity": 1e9}
"""Settings that let training continue even if it diverges: only its time is measured."""


def tracking(context: Context) -> dict[str, Any]:
    """Measure the cost of entering runs, and of following them."""
    return {"rows": [*_entering(context), *_following(context)]}


def _following(context: Context) -> list[dict[str, Any]]:
    """Measure two runs on two cores, in turn with and without a process that follows them."""
    quick = context.options.quick
    epochs, rounds = (1, 1) if quick else (FOLLOWED_EPOCHS, FOLLOWED_ROUNDS)
    without, beside, starts = [], [], []
    for number in range(rounds):
        without.append(_train_two(context, f"{number}-without", epochs, followed=False))
        starts.append(_begin_to_follow(context, f"{number}-start"))
        beside.append(_train_two(context, f"{number}-beside", epochs, followed=True))
    clock = ratios([one["wall"] for one in beside], [one["wall"] for one in without])
    # The follower's time is compared with the runs' own, which varies by more than it adds.
    added = [one["follower"] - start for one, start in zip(beside, starts, strict=True)]
    processor = [1 + more / one["cpu"] for more, one in zip(added, beside, strict=True)]
    what = f"two trainings of {epochs} epochs at once, followed in MLflow, against not: time of the"
    return [
        row(f"{what} clock", "times", clock, FOLLOWING_TARGET),
        row(f"{what} processor", "times", processor, FOLLOWING_TARGET),
        row("what follows runs: its start, before the first of them", "CPU s", starts),
    ]


def _train_two(context: Context, name: str, epochs: int, *, followed: bool) -> dict[str, float]:
    """Train two runs at once.

    Returns seconds: by the clock, and of processor time of both runs and of the process that
    follows them.
    """
    directory = _experiment(context, name)
    corpus = directory.corpus(context.main.name)
    watcher = Watcher(context.experiment, directory)
    if followed:
        _start(watcher, directory)
    began = time.perf_counter()
    with ExitStack() as stack:
        settings = [
            context.settings(ONLINE, seed=s, max_epochs=epochs, **_WHATEVER_COMES) for s in (1, 2)
        ]
        workers = [stack.enter_context(worker("train", corpus, one)) for one in settings]
        cpu = sum(float(hear(process)["cpu"]) for process in workers)
        wall = time.perf_counter() - began
    return {"wall": wall, "cpu": cpu, "follower": _stop(watcher)}


def _begin_to_follow(context: Context, name: str) -> float:
    """Return the processor time until the process that follows runs has started, in seconds."""
    directory = _experiment(context, name)
    watcher = Watcher(context.experiment, directory)
    _start(watcher, directory)
    return _stop(watcher)


def _experiment(context: Context, name: str) -> ExperimentDirectory:
    """Make an experiment that has the corpus but no run."""
    directory = ExperimentDirectory(context.scratch / "following" / name)
    corpus = directory.corpus(context.main.name)
    corpus.path.parent.mkdir(parents=True)
    corpus.path.symlink_to(context.main.directory.path.resolve())
    write_configuration(context.experiment, directory)
    return directory


def _start(watcher: Watcher, directory: ExperimentDirectory) -> None:
    """Start the process that follows runs and wait until it is ready, before any run begins."""
    watcher.start()
    while not directory.tracked.is_file():
        time.sleep(0.1)


def _stop(watcher: Watcher) -> float:
    """Stop the process that follows runs; returns its processor time in seconds."""
    before = _of_children()
    watcher.stop()
    return _of_children() - before


def _of_children() -> float:
    """Return the processor time of all child processes that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _entering(context: Context) -> list[dict[str, Any]]:
    """Measure the seconds to enter many runs, with their models, into a running server."""
    runs, epochs = (3, 3) if context.options.quick else (RUNS, EPOCHS)
    warming, experiment = (
        ExperimentDirectory(context.scratch / "tracking" / name) for name in ("warming", "many")
    )
    for directory in (warming, experiment):
        write_configuration(context.experiment, directory)
    _train_one(context, warming)
    _multiply(warming, experiment, runs, epochs)
    port, folder = server.free_port(), context.scratch / "server"
    folder.mkdir()
    command = server.team_command(port, f"sqlite:///{folder}/mlflow.db", folder / "artifacts")
    with server.running(command, port, folder / "log"):
        synchronise(warming, server.address(port))
        first = _timed(experiment, server.address(port))
        again = _timed(experiment, server.address(port))
    title = f"entering {runs} runs of {epochs} epochs with their models into a warm server"
    about = {"cpu": first["cpu"], "runs": first["runs"]}
    entering = row(title, "s", [first["wall"]], ENTERING_TARGET, **about)
    return [entering, row("the same again, nothing changed", "s", [again["wall"]])]


def _train_one(context: Context, directory: ExperimentDirectory) -> None:
    """Train and test one run of a single epoch."""
    settings = context.settings(ONLINE, max_epochs=1, **_WHATEVER_COMES)
    corpus = directory.corpus(settings.corpus)
    shutil.copytree(context.main.directory.path, corpus.path)
    run = Run(settings=settings)
    train(run, corpus, directory.run(run.name))
    for evaluation in main_evaluations(settings.document_size):
        evaluate(directory, run.name, corpus, evaluation, TestingSettings())


def _multiply(
    given: ExperimentDirectory, directory: ExperimentDirectory, runs: int, epochs: int
) -> None:
    """Copy a run many times, each copy with a seed of its own and with `epochs` epochs."""
    shutil.copytree(given.path / "corpora", directory.path / "corpora")
    [name] = [path.name for path in (given.path / "runs").iterdir()]
    [epoch] = read_epochs(given.run(name))
    record = records.read(RunRecord, given.run(name).record)
    copies = [epoch.model_copy(update={"epoch": 1 + done}) for done in range(epochs)]
    for seed in range(runs):
        settings = record.settings.model_copy(update={"seed": seed})
        copy = Run(settings=settings).name
        for folder in ("runs", "evaluations"):
            shutil.copytree(given.path / folder / name, directory.path / folder / copy)
        run = directory.run(copy)
        own = {"identity": identity(settings, record.corpus_digest, record.code_digest)}
        named = {"name": copy, "settings": settings.model_dump(mode="json")}
        write_json(run.record, read_json(run.record) | own | named)
        for file in (directory.path / "evaluations" / copy).glob("*.json"):
            write_json(file, read_json(file) | own | {"run": copy})
        records.write_lines(run.metrics, copies)
        digests = {file.name: sha256_of(file) for file in (run.model, run.metrics)}
        result = records.read(RunResult, run.result)
        records.write(run.result, result.model_copy(update={**own, "files": digests}))


def _timed(directory: ExperimentDirectory, uri: str) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    entered = synchronise(directory, uri)
    times = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return {**times, "runs": len(entered.runs)}
