"""The epochs of a training, which decide its weights to the bit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.engines import registry
from online_rnnlm.core.engines.base import Scorer, Trainer
from online_rnnlm.core.engines.kernels.dropout import key_of
from online_rnnlm.core.lanes import NOTHING, Batches, Segments, segments_of, side_by_side
from online_rnnlm.core.schedule import Schedule, is_better
from online_rnnlm.core.sizes import sizes_for
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.checkpoint import Checkpoints, Progress, Unfinished
from online_rnnlm.process.hardware import peak_memory
from online_rnnlm.storage.runs import Epoch

SEGMENTS_A_CALL = 512
"""Approximate number of segments of one call of the trainer; a checkpoint may follow each."""
_LONGEST_FIRST = 0.25
"""Share of an epoch's documents, the last ones, that are read in the order of falling length."""
_LARGEST_EXPONENT = 700.0


class Diverged(UserError):
    """The error that training has diverged, as it would again with the same settings."""


def begin(settings: RunSettings, corpus: Corpus) -> Progress:
    """Make the state of a run before its first epoch."""
    sizes = sizes_for(settings, corpus)
    return Progress(
        parameters.initialise(sizes, settings.initial_scale, settings.seed, settings.precision),
        parameters.filled(sizes, settings.accumulator_start, settings.precision),
    )


def train_epochs(
    run: Run,
    corpus: Corpus,
    progress: Progress,
    checkpoints: Checkpoints,
    after_epoch: Callable[[Epoch], None],
    threads: int = 1,
) -> None:
    """Train from the state `progress` to the end, and write a checkpoint after every epoch.

    `after_epoch` is called with an epoch's record after the checkpoint. `threads` is that of
    `registry.trainer`. Raises Diverged if training diverges. Raises Stopped, after a checkpoint, if
    the process is told to end.
    """
    settings, schedule = run.settings, Schedule(run.settings)
    now = progress.unfinished or progress
    carried = progress.unfinished.carried if progress.unfinished else None
    trainer = registry.trainer(
        settings, corpus, now.weights, now.accumulators, carried, threads=threads
    )
    if not schedule.goes_back:  # then only the trainer needs accumulators
        progress.accumulators = trainer.accumulators
    score = registry.scorer(settings, corpus, threads=threads)
    while not schedule.ended(progress.epochs):
        done = _read_text(run, corpus, trainer, progress, checkpoints)
        epoch = _measure(run, corpus, trainer, score, progress, done)
        progress.unfinished = None
        if epoch.kept:
            parameters.copy_into(progress.weights, trainer.weights)
            parameters.copy_into(progress.accumulators, trainer.accumulators)
        elif schedule.goes_back:
            trainer.restore(progress.weights, progress.accumulators)
        else:
            progress.unfinished = _beginning(trainer)
        progress.epochs.append(epoch)
        checkpoints.save(progress)
        after_epoch(epoch)


def _beginning(trainer: Trainer) -> Unfinished:
    """Return the state of an epoch that begins with the trainer's weights."""
    return Unfinished(trainer.weights, trainer.accumulators, trainer.carried)


def _read_text(
    run: Run, corpus: Corpus, trainer: Trainer, progress: Progress, checkpoints: Checkpoints
) -> Unfinished:
    """Train on the rest of an epoch's text, and return its state, `progress.unfinished`.

    Raises Diverged. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    done = progress.unfinished = progress.unfinished or _beginning(trainer)
    schedule, split = Schedule(run.settings), corpus.splits["train"]
    key = key_of(run.settings.seed, progress.epoch + 1)
    for batches, tokens in _parts(run.settings, split, progress.epoch + 1, done):
        began, cpu_began = time.perf_counter(), time.process_time()
        rate = schedule.rate(progress.epochs, done.tokens / split.tokens)
        done.log_probability += trainer.update(batches, rate, key)
        done.batches += len(batches.segments)
        done.tokens += tokens
        done.seconds += time.perf_counter() - began
        done.cpu_seconds += time.process_time() - cpu_began
        if not math.isfinite(done.log_probability):
            raise _divergence(run, progress.epoch + 1, "a probability is not a number")
        if checkpoints.due:
            done.weights, done.accumulators = trainer.weights, trainer.accumulators
            done.carried = trainer.carried
            checkpoints.save(progress)
            checkpoints.watch.stop_if_told()
    return done


def _measure(
    run: Run, corpus: Corpus, trainer: Trainer, score: Scorer, progress: Progress, done: Unfinished
) -> Epoch:
    """Make the record of an epoch after its last sentence; raises Diverged."""
    settings, split, valid = run.settings, corpus.splits["train"], corpus.splits["valid"]
    number = progress.epoch + 1
    scores = score(trainer.weights, valid, np.arange(valid.sentences), settings.document_rate)
    train_perplexity = _perplexity(done.log_probability, split)
    valid_perplexity = _perplexity(float(scores.log_probabilities.sum()), valid)
    limit = settings.divergence_perplexity * corpus.vocabulary_size
    if not max(train_perplexity, valid_perplexity) <= limit:
        raise _divergence(run, number, f"a perplexity exceeds {limit:g}")
    if not parameters.all_finite(trainer.weights):
        raise _divergence(run, number, "a weight is not a finite number")
    return Epoch(
        epoch=number,
        learning_rate=Schedule(settings).rate(progress.epochs),
        train_perplexity=train_perplexity,
        valid_perplexity=valid_perplexity,
        kept=is_better(valid_perplexity, progress.epochs),
        words_per_second=split.tokens / done.seconds,
        seconds=done.seconds,
        cpu_seconds=done.cpu_seconds,
        peak_memory_megabytes=peak_memory() / 1e6,
    )


def _parts(
    settings: RunSettings, split: Split, epoch: int, done: Unfinished
) -> Iterator[tuple[Batches, int]]:
    """Yield the batches of an epoch that are left, in parts, each with its number of tokens."""
    segments = segments_of(split, settings)
    lanes = segments.lanes(settings.batch_sentences)
    batches = batches_of(segments, settings.seed, epoch, lanes)
    size, lengths = max(1, SEGMENTS_A_CALL // lanes), np.diff(segments.offsets)
    for first in range(done.batches, len(batches.segments), size):
        part = batches.part(first, first + size)
        yield part, int(lengths[part.segments[part.segments != NOTHING]].sum())


def batches_of(segments: Segments, seed: int, epoch: int, lanes: int) -> Batches:
    """Return an epoch's batches; the order of the units of text is drawn from seed and epoch.

    The last units are sorted by falling length, so that all lanes end at about the same time.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(segments.units) - 1)
    lengths = np.diff(segments.units)[order]
    first = len(order) - int(_LONGEST_FIRST * len(order))
    order[first:] = order[first:][np.argsort(-lengths[first:], kind="stable")]
    return side_by_side(segments.units, order, lanes)


def _perplexity(log_probability: float, split: Split) -> float:
    """Return exp of the entropy in nats per token, or infinity if that is too large a number."""
    entropy = -log_probability / split.tokens
    return math.exp(entropy) if entropy < _LARGEST_EXPONENT else math.inf


def _divergence(run: Run, epoch: int, what: str) -> Diverged:
    """Return the error that says what has diverged, and the lower rates that can be tried."""
    settings = run.settings
    hints = [f"a `learning_rate` below {settings.learning_rate:g}"]
    hints += [f"a `document_rate` below {settings.document_rate:g}"] * bool(settings.document_size)
    return Diverged(f"{run.name}: diverged in epoch {epoch}: {what}; try {' or '.join(hints)}")
