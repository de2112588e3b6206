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
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from online_rnnlm import checkpoint
from online_rnnlm.checkpoint import Progress
from online_rnnlm.configuration import Run
from online_rnnlm.corpora.corpus import Corpus, Split, load_corpus
from online_rnnlm.devices import gpu
from online_rnnlm.errors import UserError
from online_rnnlm.model import engine, parameters
from online_rnnlm.model.cost import training_multiply_adds_per_word
from online_rnnlm.model.state import Sentences
from online_rnnlm.processes import machine
from online_rnnlm.runs import (
    CorpusDirectory,
    RunDirectory,
    code_digest,
    identity,
    read_json,
    replacing,
    write_json,
)
from online_rnnlm.schedule import Schedule
from online_rnnlm.settings import RunSettings

logger = logging.getLogger(__name__)

SENTENCES_A_CALL = 512
"""About so many sentences are trained on between two movements of the progress bar."""
_LARGEST_EXPONENT = 700.0


def train(run: Run, corpus_directory: CorpusDirectory, directory: RunDirectory) -> None:
    """Train a run to its end, from its checkpoint where there is one; write its files.

    A run that is finished already, with the same settings, corpus and code, is left as it is.
    Raises UserError if training diverges; then no file of a finished run is there.
    """
    corpus = load_corpus(corpus_directory)
    description = _describe(run, corpus)
    if _is_finished(directory, description["identity"]):
        logger.info("%s: finished already", run.name)
        return
    directory.path.mkdir(parents=True, exist_ok=True)
    directory.result.unlink(missing_ok=True)  # first: it says that the other files are complete
    progress = checkpoint.load(directory.checkpoint, description["identity"])
    if progress is None:
        _forget(directory)
        progress = _begin(run.settings, corpus)
    _describe_beginning(directory, description)
    _write_epochs(directory, progress)
    with _logging_to(directory.log):
        if progress.epoch:
            logger.info("%s: goes on after epoch %d", run.name, progress.epoch)
        _train_epochs(run, corpus, directory, progress, description["identity"])
    _finish(corpus, directory, progress, description)
    shutil.rmtree(directory.checkpoint, ignore_errors=True)


def _describe(run: Run, corpus: Corpus) -> dict[str, Any]:
    code = code_digest(__name__)
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
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
        "machine": machine() | gpu(run.settings),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _packages(run.settings)},
        },
    }


def _packages(settings: RunSettings) -> tuple[str, ...]:
    """What the run is computed with."""
    return ("numpy", "numba", "pytensor", "scipy", *(["jax"] if settings.engine == "jax" else []))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _is_finished(directory: RunDirectory, identity: str) -> bool:
    files = (directory.run, directory.metrics, directory.model, directory.result)
    if not all(file.is_file() for file in files):
        return False
    return bool(read_json(directory.result)["identity"] == identity)


def _forget(directory: RunDirectory) -> None:
    """Remove another run's files."""
    for file in (directory.run, directory.metrics, directory.model, directory.log):
        file.unlink(missing_ok=True)


def _describe_beginning(directory: RunDirectory, description: dict[str, Any]) -> None:
    """Write `run.json`; a run that goes on has begun when it first did."""
    earlier = read_json(directory.run) if directory.run.is_file() else {}
    if earlier.get("identity") == description["identity"]:
        description["began"] = earlier["began"]
    write_json(directory.run, description)


def _write_epochs(directory: RunDirectory, progress: Progress) -> None:
    """Write `metrics.jsonl`, the epochs so far."""
    with replacing(directory.metrics) as temporary:
        lines = (json.dumps(entry, allow_nan=False) + "\n" for entry in progress.epochs)
        temporary.write_text("".join(lines), encoding="utf-8")


def _begin(settings: RunSettings, corpus: Corpus) -> Progress:
    sizes = engine.sizes_for(settings, corpus)
    return Progress(
        Schedule(
            settings.learning_rate,
            settings.rate_divisor,
            settings.improvement_factor,
            settings.rate_rule,
        ),
        parameters.initialise(sizes, settings.initial_scale, settings.seed, settings.precision),
        parameters.filled(sizes, settings.accumulator_start, settings.precision),
    )


def _train_epochs(
    run: Run, corpus: Corpus, directory: RunDirectory, progress: Progress, identity: str
) -> None:
    settings = run.settings
    trainer = engine.trainer(settings, corpus, progress.weights, progress.accumulators)
    score = engine.scorer(settings, corpus)
    while not progress.schedule.ended and progress.epoch < settings.max_epochs:
        figures = _one_epoch(run, corpus, trainer, score, progress)
        if figures["kept"]:
            parameters.copy_into(progress.weights, trainer.weights)
            parameters.copy_into(progress.accumulators, trainer.accumulators)
        else:
            trainer.restore(progress.weights, progress.accumulators)
        progress.schedule = progress.schedule.after(math.log(figures["valid_perplexity"]))
        progress.epochs.append(figures)
        checkpoint.save(progress, directory.checkpoint, identity)
        _write_epochs(directory, progress)
        logger.info("%s: %s", run.name, _line(figures, settings))


def _one_epoch(
    run: Run,
    corpus: Corpus,
    trainer: engine.Trainer,
    score: engine.Scorer,
    progress: Progress,
) -> dict[str, Any]:
    """Train on all sentences once, then validate; returns the epoch's entry in `metrics.jsonl`."""
    settings, split, valid = run.settings, corpus.splits["train"], corpus.splits["valid"]
    epoch, rate = progress.epoch + 1, progress.schedule.learning_rate
    began, cpu_began = time.perf_counter(), time.process_time()
    total = 0.0
    for sentences in _parts(run, split, epoch):
        total += trainer.update(sentences, rate)
        if not math.isfinite(total):
            raise UserError(_divergence(run, epoch, "a probability is not a number"))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    scores = score(trainer.weights, valid, np.arange(valid.sentences), settings.document_rate)
    train_perplexity = _perplexity(total, split)
    valid_perplexity = _perplexity(float(scores.log_probabilities.sum()), valid)
    limit = settings.divergence_perplexity * corpus.vocabulary_size
    if not max(train_perplexity, valid_perplexity) <= limit:
        raise UserError(_divergence(run, epoch, f"a perplexity exceeds {limit:g}"))
    if not parameters.all_finite(trainer.weights):
        raise UserError(_divergence(run, epoch, "a weight is not a finite number"))
    return {
        "epoch": epoch,
        "learning_rate": rate,
        "train_perplexity": train_perplexity,
        "valid_perplexity": valid_perplexity,
        "kept": progress.schedule.is_better(math.log(valid_perplexity)),
        "words_per_second": split.tokens / seconds,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


def _parts(run: Run, split: Split, epoch: int) -> Iterator[Sentences]:
    """The epoch's order of sentences, drawn from seed and epoch, in parts of whole batches."""
    batch = run.settings.batch_sentences
    size = batch * max(1, SENTENCES_A_CALL // batch)
    order = np.random.default_rng([run.settings.seed, epoch]).permutation(split.sentences)
    label = f"{run.name}, epoch {epoch}"
    with tqdm(total=split.tokens, desc=label, unit="w", unit_scale=True, disable=None) as bar:
        for begin in range(0, split.sentences, size):
            part = order[begin : begin + size]
            yield part
            bar.update(int((split.offsets[part + 1] - split.offsets[part]).sum()))


def _perplexity(log_probability: float, split: Split) -> float:
    """exp of the entropy in nats a token; infinite where it cannot be represented."""
    entropy = -log_probability / split.tokens
    return math.exp(entropy) if entropy < _LARGEST_EXPONENT else math.inf


def _divergence(run: Run, epoch: int, what: str) -> str:
    settings = run.settings
    hints = [f"a `learning_rate` below {settings.learning_rate:g}"]
    hints += ["`optimizer: adagrad`"] if settings.optimizer == "sgd" else []
    hints += [f"a `document_rate` below {settings.document_rate:g}"] * bool(settings.document_size)
    return f"{run.name}: diverged in epoch {epoch}: {what}; try {' or '.join(hints)}"


def _line(figures: dict[str, Any], settings: RunSettings) -> str:
    left = (settings.max_epochs - figures["epoch"]) * figures["seconds"]
    return (
        f"epoch {figures['epoch']}: learning rate {figures['learning_rate']:.4g}, "
        f"perplexity {figures['train_perplexity']:.2f} in training, "
        f"{figures['valid_perplexity']:.2f} on valid{'' if figures['kept'] else ' (not kept)'}, "
        f"{figures['words_per_second']:,.0f} words/s, at most {left / 60:.1f} min left"
    )


def _finish(
    corpus: Corpus, directory: RunDirectory, progress: Progress, description: dict[str, Any]
) -> None:
    """Write the finished run's files, the result last: it says that all are there."""
    parameters.save(progress.weights, directory.model)
    best = min(progress.epochs, key=lambda entry: float(entry["valid_perplexity"]))
    sizes, mean = parameters.sizes_of(progress.weights), corpus.mean_class_size("train")
    result = {
        "identity": description["identity"],
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
