"""One epoch of training: an update for every batch of segments, then the validation."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from online_rnnlm.config.runs import Run
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import Scorer, Trainer
from online_rnnlm.engines.dropout import key_of
from online_rnnlm.engines.lanes import (
    NOTHING,
    Batches,
    Segments,
    segments_of,
    side_by_side,
)
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters
from online_rnnlm.training.checkpoint import Keeper, Progress, Unfinished

SEGMENTS_A_CALL = 512
"""Approximate number of segments between two movements of the progress bar."""
_LONGEST_FIRST = 0.25
"""Share of an epoch's documents, the last ones, that are read in the order of falling length."""
_LARGEST_EXPONENT = 700.0


class EpochOutcome(NamedTuple):
    """The metrics and the duration of one epoch."""

    epoch: int
    """Number of the epoch, from 1."""
    learning_rate: float
    train_perplexity: float
    """Perplexity of `train`, measured while the weights learn from it."""
    valid_perplexity: float
    kept: bool
    """True if the epoch's weights are the best so far."""
    tokens: int
    """Number of tokens trained on."""
    seconds: float
    cpu_seconds: float


class Diverged(UserError):
    """The error that training has diverged, as it would again with the same settings."""


def read_text(
    run: Run, corpus: Corpus, trainer: Trainer, progress: Progress, keeper: Keeper
) -> None:
    """Train on the rest of an epoch's text, and record it in `progress.unfinished`.

    Raises Diverged. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    done = progress.unfinished
    if done is None:
        done = Unfinished(trainer.weights, trainer.accumulators, trainer.carried)
    progress.unfinished = done
    rate, split = progress.schedule.learning_rate, corpus.splits["train"]
    key = key_of(run.settings.seed, progress.epoch + 1)
    for batches, tokens in _parts(run, split, progress.epoch + 1, done):
        began, cpu_began = time.perf_counter(), time.process_time()
        done.log_probability += trainer.update(batches, rate, key)
        done.batches += len(batches.segments)
        done.tokens += tokens
        done.seconds += time.perf_counter() - began
        done.cpu_seconds += time.process_time() - cpu_began
        if not math.isfinite(done.log_probability):
            raise Diverged(_divergence(run, progress.epoch + 1, "a probability is not a number"))
        if keeper.due:
            done.weights, done.accumulators = trainer.weights, trainer.accumulators
            done.carried = trainer.carried
            keeper.save(progress)
            keeper.watch.stop_if_told()


def finish(
    run: Run, corpus: Corpus, trainer: Trainer, score: Scorer, progress: Progress
) -> EpochOutcome:
    """Compute an epoch's metrics after its last sentence; raises Diverged."""
    settings, split, valid = run.settings, corpus.splits["train"], corpus.splits["valid"]
    epoch, done = progress.epoch + 1, progress.unfinished
    assert done is not None
    scores = score(trainer.weights, valid, np.arange(valid.sentences), settings.document_rate)
    train_perplexity = _perplexity(done.log_probability, split)
    valid_perplexity = _perplexity(float(scores.log_probabilities.sum()), valid)
    limit = settings.divergence_perplexity * corpus.vocabulary_size
    if not max(train_perplexity, valid_perplexity) <= limit:
        raise Diverged(_divergence(run, epoch, f"a perplexity exceeds {limit:g}"))
    if not parameters.all_finite(trainer.weights):
        raise Diverged(_divergence(run, epoch, "a weight is not a finite number"))
    return EpochOutcome(
        epoch=epoch,
        learning_rate=progress.schedule.learning_rate,
        train_perplexity=train_perplexity,
        valid_perplexity=valid_perplexity,
        kept=progress.schedule.is_better(math.log(valid_perplexity)),
        tokens=split.tokens,
        seconds=done.seconds,
        cpu_seconds=done.cpu_seconds,
    )


def _parts(run: Run, split: Split, epoch: int, done: Unfinished) -> Iterator[tuple[Batches, int]]:
    """Yield the batches of an epoch that are left, in parts, each with its number of tokens."""
    settings = run.settings
    segments = segments_of(split, settings)
    lanes = segments.lanes(settings.batch_sentences)
    batches = batches_of(segments, settings.seed, epoch, lanes)
    size, lengths = max(1, SEGMENTS_A_CALL // lanes), np.diff(segments.offsets)
    with tqdm(
        total=split.tokens,
        initial=done.tokens,
        desc=f"{run.name}, epoch {epoch}",
        unit="w",
        unit_scale=True,
        disable=None,
    ) as bar:
        for begin in range(done.batches, len(batches.segments), size):
            part = batches.part(begin, begin + size)
            tokens = int(lengths[part.segments[part.segments != NOTHING]].sum())
            yield part, tokens
            bar.update(tokens)


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


def _divergence(run: Run, epoch: int, what: str) -> str:
    settings = run.settings
    hints = [f"a `learning_rate` below {settings.learning_rate:g}"]
    hints += ["`optimizer: adagrad`"] if settings.optimizer == "sgd" else []
    hints += [f"a `document_rate` below {settings.document_rate:g}"] * bool(settings.document_size)
    return f"{run.name}: diverged in epoch {epoch}: {what}; try {' or '.join(hints)}"
