"""The training loop, which decides a run's weights to the bit and does not know its files."""

from __future__ import annotations

import math
from collections.abc import Callable

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines import registry
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage.records import Epoch
from online_rnnlm.training import epoch
from online_rnnlm.training.checkpoint import Keeper, Progress
from online_rnnlm.training.epoch import EpochOutcome
from online_rnnlm.training.schedule import Schedule


def begin(settings: RunSettings, corpus: Corpus) -> Progress:
    """Make the state of a run before its first epoch."""
    sizes = sizes_for(settings, corpus)
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


def train_epochs(
    run: Run,
    corpus: Corpus,
    progress: Progress,
    keeper: Keeper,
    describe: Callable[[EpochOutcome], Epoch],
    after_epoch: Callable[[Epoch], None],
    threads: int = 1,
) -> None:
    """Train from the state `progress` to the end, and write a checkpoint after every epoch.

    `describe` makes the record of an epoch, which does not affect training; `after_epoch` is called
    with it after the checkpoint. `threads` is that of `registry.trainer`. Raises Diverged if
    training diverges. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    settings = run.settings
    now = progress.unfinished or progress
    carried = progress.unfinished.carried if progress.unfinished else None
    trainer = registry.trainer(
        settings, corpus, now.weights, now.accumulators, carried, threads=threads
    )
    score = registry.scorer(settings, corpus, threads=threads)
    while not progress.schedule.ended and progress.epoch < settings.max_epochs:
        epoch.read_text(run, corpus, trainer, progress, keeper)
        outcome = epoch.finish(run, corpus, trainer, score, progress)
        if outcome.kept:
            parameters.copy_into(progress.weights, trainer.weights)
            parameters.copy_into(progress.accumulators, trainer.accumulators)
        else:
            trainer.restore(progress.weights, progress.accumulators)
        progress.schedule = progress.schedule.after(math.log(outcome.valid_perplexity))
        progress.epochs.append(describe(outcome))
        progress.unfinished = None
        keeper.save(progress)
        after_epoch(progress.epochs[-1])
