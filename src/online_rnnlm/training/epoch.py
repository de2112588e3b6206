"""One epoch of training: an update for every batch of sentences, then the validation."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from online_rnnlm.config.runs import Run
from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.engines.base import Scorer, Sentences, Trainer
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters
from online_rnnlm.training.checkpoint import Keeper, Progress, Unfinished

SENTENCES_A_CALL = 512
"""Approximate number of sentences between two movements of the progress bar."""
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


def read_sentences(
    run: Run, corpus: Corpus, trainer: Trainer, progress: Progress, keeper: Keeper
) -> None:
    """Train on the remaining sentences of an epoch, and record them in `progress.unfinished`.

    Raises Diverged. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    done = progress.unfinished or Unfinished(trainer.weights, trainer.accumulators)
    progress.unfinished = done
    rate, split = progress.schedule.learning_rate, corpus.splits["train"]
    for sentences in _parts(run, split, progress.epoch + 1, done.sentences):
        began, cpu_began = time.perf_counter(), time.process_time()
        done.log_probability += trainer.update(sentences, rate)
        done.sentences += len(sentences)
        done.seconds += time.perf_counter() - began
        done.cpu_seconds += time.process_time() - cpu_began
        if not math.isfinite(done.log_probability):
            raise Diverged(_divergence(run, progress.epoch + 1, "a probability is not a number"))
        if keeper.due:
            done.weights, done.accumulators = trainer.weights, trainer.accumulators
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


def _parts(run: Run, split: Split, epoch: int, done: int = 0) -> Iterator[Sentences]:
    """Yield the sentences of an epoch in parts of whole batches, without the first `done` ones.

    Their order is drawn from seed and epoch. `done` counts whole batches, too.
    """
    batch = run.settings.batch_sentences
    size = batch * max(1, SENTENCES_A_CALL // batch)
    order = np.random.default_rng([run.settings.seed, epoch]).permutation(split.sentences)
    label, read = f"{run.name}, epoch {epoch}", _tokens(split, order[:done])
    with tqdm(
        total=split.tokens, initial=read, desc=label, unit="w", unit_scale=True, disable=None
    ) as bar:
        for begin in range(done, split.sentences, size):
            part = order[begin : begin + size]
            yield part
            bar.update(_tokens(split, part))


def _tokens(split: Split, sentences: Sentences) -> int:
    return int((split.offsets[sentences + 1] - split.offsets[sentences]).sum())


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
