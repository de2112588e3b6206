"""Training one run: epochs, checkpoints, the finished run's files."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.engines.devices import gpu
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.cost import training_multiply_adds_per_word
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.process.hardware import machine
from online_rnnlm.process.stop_signals import Stopped, Watch, watching
from online_rnnlm.storage.files import (
    check,
    lock,
    read_json,
    replacing,
    saying_what_cannot_be_written,
    sha256_of,
    write_json,
)
from online_rnnlm.storage.identity import identity
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.training import checkpoint, loop
from online_rnnlm.training.checkpoint import Keeper, Progress
from online_rnnlm.training.epoch import Diverged
from online_rnnlm.training.identity import code_of

logger = logging.getLogger(__name__)

_WAITING_SECONDS = 0.5


def train(
    run: Run,
    corpus_directory: CorpusDirectory,
    directory: RunDirectory,
    checkpoint_seconds: float = math.inf,
) -> None:
    """Train a run to its end, from its checkpoint where there is one; write its files.

    A run that is finished already, with the same settings, corpus and code, is left as it is, but
    for its files' times: Snakemake goes by them. A checkpoint is written after every epoch, and
    within it whenever so many seconds have gone by. Raises Diverged if training diverges, at once
    if it is known to, when no file of a finished run is there, and Stopped if the process is told
    to end, when the checkpoint is.
    """
    with watching() as watch, _alone(run.name, directory, watch):
        corpus = load_corpus(corpus_directory)
        description = _describe(run, corpus)
        if _is_finished(directory, description["identity"]):
            logger.info("%s: finished already", run.name)
            for file in directory.finished_files():
                os.utime(file)
            return
        keeper = Keeper(directory, description["identity"], checkpoint_seconds, watch)
        progress = _resume(run, corpus, directory, description["identity"])
        _describe_beginning(directory, description)
        _write_epochs(directory, progress)
        with _logging_to(directory.log), _noting_failure(directory, description["identity"]):
            _train_epochs(run, corpus, directory, progress, keeper)
        _finish(run, corpus, directory, progress, description)
        shutil.rmtree(directory.checkpoint, ignore_errors=True)


def _resume(run: Run, corpus: Corpus, directory: RunDirectory, identity: str) -> Progress:
    """The run's last checkpoint, or its beginning; what says that it has ended is removed first."""
    _refuse_to_diverge_again(directory, identity)
    directory.result.unlink(missing_ok=True)  # first: it says that the other files are complete
    directory.failure.unlink(missing_ok=True)
    progress = checkpoint.load(directory, identity)
    if progress is None:
        _forget(directory)
        progress = loop.begin(run.settings, corpus)
    return progress


def _train_epochs(
    run: Run, corpus: Corpus, directory: RunDirectory, progress: Progress, keeper: Keeper
) -> None:
    """Train to the end; after every epoch write what it has reached."""

    def after_epoch(figures: dict[str, Any]) -> None:
        _write_epochs(directory, progress)
        logger.info("%s: %s", run.name, _epoch_line(figures, run.settings))

    if progress.epoch or progress.unfinished:
        logger.info("%s: goes on %s", run.name, _position(progress, corpus))
    try:
        loop.train_epochs(run, corpus, progress, keeper, after_epoch)
    except Stopped as stopped:
        logger.info("%s: %s: %s", run.name, _position(progress, corpus), stopped)
        raise


def _position(progress: Progress, corpus: Corpus) -> str:
    """How far training is, in words."""
    begun = progress.unfinished
    share = begun.sentences / corpus.splits["train"].sentences if begun else 0
    within = f", {share:.0%} of epoch {progress.epoch + 1}" if begun else ""
    return f"after epoch {progress.epoch}{within}"


def _epoch_line(figures: dict[str, Any], settings: RunSettings) -> str:
    """What an epoch has reached, and how long the rest may take, in words."""
    left = (settings.max_epochs - figures["epoch"]) * figures["seconds"]
    return (
        f"epoch {figures['epoch']}: learning rate {figures['learning_rate']:.4g}, "
        f"perplexity {figures['train_perplexity']:.2f} in training, "
        f"{figures['valid_perplexity']:.2f} on valid{'' if figures['kept'] else ' (not kept)'}, "
        f"{figures['words_per_second']:,.0f} words/s, at most {left / 60:.1f} min left"
    )


def _describe(run: Run, corpus: Corpus) -> dict[str, Any]:
    code = code_of(run.settings)
    return {
        "name": run.name,
        "identity": identity(run.settings, corpus.digest, code),
        "settings": run.settings.model_dump(mode="json"),
        "searched": run.searched,
        "candidates": list(run.candidates),
        "corpus_digest": corpus.digest,
        "code_digest": code,
        "began": _now(),
        "host": platform.node(),
        "slurm_jobs": [job for job in [os.environ.get("SLURM_JOB_ID")] if job],
        "machine": machine() | gpu(run.settings),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _packages(run.settings)},
        },
    }


def _packages(settings: RunSettings) -> tuple[str, ...]:
    """What the run is computed with."""
    return ("numpy", "numba", "pytensor", "scipy", *ENGINES[settings.engine].packages)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _is_finished(directory: RunDirectory, identity: str) -> bool:
    files = (directory.run, directory.metrics, directory.model, directory.result)
    if not all(file.is_file() for file in files):
        return False
    try:
        result = read_json(directory.result)
        if result["identity"] != identity:
            return False
        check(directory.model, {directory.model.name: result["model_sha256"]}, directory.result)
    except (ValueError, KeyError, TypeError):
        logger.warning("%s: damaged: the run is trained anew", directory.result)
        return False
    except UserError:
        logger.warning("%s: damaged: the run is trained anew", directory.model)
        return False
    return True


def _forget(directory: RunDirectory) -> None:
    """Remove another run's files."""
    for file in (directory.run, directory.metrics, directory.model):
        file.unlink(missing_ok=True)
    os.truncate(directory.log, 0)  # it is locked, so it stays


def _describe_beginning(directory: RunDirectory, description: dict[str, Any]) -> None:
    """Write `run.json`; a run that goes on has begun when it first did."""
    try:
        earlier = read_json(directory.run)
        if earlier["identity"] == description["identity"]:
            description["began"] = earlier["began"]
            jobs = [*earlier["slurm_jobs"], *description["slurm_jobs"]]
            description["slurm_jobs"] = list(dict.fromkeys(jobs))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass  # there is none, or it is damaged
    write_json(directory.run, description)


def _write_epochs(directory: RunDirectory, progress: Progress) -> None:
    """Write `metrics.jsonl`, the epochs so far."""
    with replacing(directory.metrics) as temporary:
        lines = (json.dumps(entry, allow_nan=False) + "\n" for entry in progress.epochs)
        temporary.write_text("".join(lines), encoding="utf-8")


def _finish(
    run: Run,
    corpus: Corpus,
    directory: RunDirectory,
    progress: Progress,
    description: dict[str, Any],
) -> None:
    """Write the finished run's files, the result last: it says that all are there."""
    weight_files.save(progress.weights, directory.model)
    best = min(progress.epochs, key=lambda entry: float(entry["valid_perplexity"]))
    sizes, mean = sizes_for(run.settings, corpus), corpus.mean_class_size("train")
    result = {
        "identity": description["identity"],
        "model_sha256": sha256_of(directory.model),
        "ended": _now(),
        "epochs": progress.epoch,
        "best_epoch": best["epoch"],
        "valid_perplexity": best["valid_perplexity"],
        "parameters": parameters.count(sizes),
        "training_multiply_adds_per_word": training_multiply_adds_per_word(sizes, mean),
        "words_per_second": statistics.median(e["words_per_second"] for e in progress.epochs),
        "seconds": sum(entry["seconds"] for entry in progress.epochs),
        "cpu_seconds": sum(entry["cpu_seconds"] for entry in progress.epochs),
    }
    write_json(directory.result, result)


@contextmanager
def _alone(name: str, directory: RunDirectory, watch: Watch) -> Iterator[None]:
    """Wait until no other process trains this run: one may outlive what started it."""
    with saying_what_cannot_be_written(directory.log):
        directory.path.mkdir(parents=True, exist_ok=True)
        file = directory.log.open("a", encoding="utf-8")
    with file:
        told = False
        while lock(file) is False:
            if not told:
                logger.info("%s: waits for another process that trains it", name)
                told = True
            watch.stop_if_told()
            time.sleep(_WAITING_SECONDS)
        yield


@contextmanager
def _logging_to(file: Path) -> Iterator[None]:
    """Write what training says to its log, too; a resumed run goes on in the same log."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level = logger.level
    logger.setLevel(logging.INFO)  # whatever else listens, the log is a part of the run
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()


@contextmanager
def _noting_failure(directory: RunDirectory, identity: str) -> Iterator[None]:
    """Write down why a run cannot go on; one that was stopped can, and nothing is written."""
    try:
        yield
    except Stopped:
        raise
    except Exception as error:
        message = " ".join(str(error).split()) or type(error).__name__
        failure = {"identity": identity, "ended": _now(), "message": message}
        with suppress(UserError):  # what is said is why training failed, not that the disk is full
            write_json(directory.failure, failure | {"diverged": isinstance(error, Diverged)})
        raise


def _refuse_to_diverge_again(directory: RunDirectory, identity: str) -> None:
    """Raise Diverged if the same training has before: it would again, and take as long."""
    try:
        failure = read_json(directory.failure)
        known = failure["diverged"] and failure["identity"] == identity
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return
    if known:
        raise Diverged(f"{failure['message']} (known from {directory.failure})")
