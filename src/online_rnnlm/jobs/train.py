"""The training of one run: it resumes from a checkpoint, trains, and writes the run's files."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.training import Diverged, EpochResult, Training, begin
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.errors import needing_packages
from online_rnnlm.jobs import checkpoint
from online_rnnlm.jobs.checkpoint import RunState
from online_rnnlm.jobs.description import describe_divergence, describe_result, describe_run
from online_rnnlm.process.devices import require
from online_rnnlm.process.hardware import peak_memory
from online_rnnlm.process.stop_signals import Stopped, Watch, watching
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.files import lock, saying_what_cannot_be_written
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.runs import End, Epoch

logger = logging.getLogger(__name__)

_WAITING_SECONDS = 0.5
EpochLog = Callable[[Sequence[Epoch]], None]
"""A function that is called after every epoch, with all epochs of the run so far."""


def train(
    run: Run,
    corpus_directory: CorpusDirectory,
    directory: RunDirectory,
    checkpoint_seconds: float = math.inf,
    log_epochs: EpochLog | None = None,
) -> None:
    """Train a run to its end, from its checkpoint if there is one, and write its files.

    Nothing is done if they are all there: another process has made them, while this one waited. A
    checkpoint is written after every epoch, and within an epoch whenever `checkpoint_seconds` have
    passed. `log_epochs` is called after every epoch.

    If training diverges, or if the run is hopeless, all files are written, too, and `result.json`
    gives the reason. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    with watching() as watch, _alone(run.name, directory, watch):
        if all(file.is_file() for file in directory.finished_files()):
            logger.info("%s: trained already", run.name)
            directory.state.unlink(missing_ok=True)
            return
        corpus = load_corpus(corpus_directory)
        record = describe_run(run, corpus)
        require(run.settings)
        state = checkpoint.load(directory, record)
        if state is None:
            state = RunState(directory, record, begin(run.settings, corpus))
            os.truncate(directory.log, 0)
        else:
            jobs = dict.fromkeys([*state.record.slurm_jobs, *record.slurm_jobs])
            kept = {"began": state.record.began, "slurm_jobs": tuple(jobs)}
            state.record = record.model_copy(update=kept)
        records.write(directory.record, state.record)
        records.write_lines(directory.metrics, state.epochs)
        with _logging_to(directory.log):
            divergence = _train_epochs(run, corpus, state, checkpoint_seconds, watch, log_epochs)
        _finish(run, corpus, state, divergence)


def _train_epochs(
    run: Run,
    corpus: Corpus,
    state: RunState,
    checkpoint_seconds: float,
    watch: Watch,
    log_epochs: EpochLog | None,
) -> str | None:
    """Train to the end; write the metrics and a line of the log after every epoch.

    Returns the reason if training diverges, or if the run is hopeless, else None.
    """
    if run.hopeless:
        reason = f"{run.name}: all its candidates diverged; try others in `search`"
        logger.warning("%s", reason)
        return reason
    if state.progress.epoch or state.progress.unfinished:
        logger.info("goes on %s", _position(state, corpus))
    try:
        _follow(run, corpus, state, checkpoint_seconds, watch, log_epochs)
    except Stopped as stopped:
        logger.info("%s: %s", _position(state, corpus), stopped)
        raise
    except Diverged as error:
        settings = run.settings
        advice = f"a `learning_rate` below {settings.learning_rate:g}"
        if settings.document_size:
            advice += f" or a `document_rate` below {settings.document_rate:g}"
        epoch = len(state.epochs) + 1
        reason = f"{run.name}: diverged in epoch {epoch}: {error}; try {advice}"
        logger.warning("%s", reason)
        return reason
    return None


def _follow(
    run: Run,
    corpus: Corpus,
    state: RunState,
    checkpoint_seconds: float,
    watch: Watch,
    log_epochs: EpochLog | None,
) -> None:
    """Train, and save what is reached: a checkpoint whenever one is due, each epoch's metrics.

    Raises Stopped, after a checkpoint, if the process is told to end, and Diverged.
    """
    with needing_packages():
        training = Training(run.settings, corpus, state.progress)
    saved = time.monotonic()
    began = time.perf_counter()
    cpu_began = time.process_time()
    for result in training.steps():
        if result is None:
            state.seconds += time.perf_counter() - began
            state.cpu_seconds += time.process_time() - cpu_began
            if watch.told is not None or time.monotonic() >= saved + checkpoint_seconds:
                state.progress = training.progress
                state.save()
                saved = time.monotonic()
                watch.stop_if_told()
        else:
            state.epochs.append(_epoch_record(result, state, corpus))
            state.seconds = 0.0
            state.cpu_seconds = 0.0
            state.progress = training.progress
            state.save()
            saved = time.monotonic()
            records.write_lines(state.directory.metrics, state.epochs)
            logger.info("%s", _epoch_line(state.epochs[-1], run.settings))
            if log_epochs is not None:
                log_epochs(state.epochs)
        began = time.perf_counter()
        cpu_began = time.process_time()


def _epoch_record(result: EpochResult, state: RunState, corpus: Corpus) -> Epoch:
    """Make the record of an epoch that has just been finished."""
    return Epoch(
        epoch=len(state.epochs) + 1,
        learning_rate=result.learning_rate,
        train_perplexity=result.train_perplexity,
        valid_perplexity=result.valid_perplexity,
        kept=result.kept,
        words_per_second=corpus.splits["train"].tokens / state.seconds,
        seconds=state.seconds,
        cpu_seconds=state.cpu_seconds,
        peak_memory_megabytes=peak_memory() / 1e6,
    )


def _position(state: RunState, corpus: Corpus) -> str:
    """Return the progress of training, in words."""
    progress = state.progress
    begun = progress.unfinished
    share = begun.tokens / corpus.splits["train"].tokens if begun else 0
    within = f", {share:.0%} of epoch {progress.epoch + 1}" if begun else ""
    return f"after epoch {progress.epoch}{within}"


def _epoch_line(epoch: Epoch, settings: RunSettings) -> str:
    """Return the metrics of an epoch and the time that the rest may take, in words."""
    left = (settings.max_epochs - epoch.epoch) * epoch.seconds
    return (
        f"epoch {epoch.epoch}: learning rate {epoch.learning_rate:.4g}, "
        f"perplexity {epoch.train_perplexity:.2f} in training, "
        f"{epoch.valid_perplexity:.2f} on valid{'' if epoch.kept else ' (not kept)'}, "
        f"{epoch.words_per_second:,.0f} words/s, at most {left / 60:.1f} min left"
    )


def _finish(run: Run, corpus: Corpus, state: RunState, divergence: str | None) -> None:
    """Write the files of a run that has ended, and remove its checkpoint.

    `divergence` is the reason if the run has diverged. The result comes last, when the others are
    complete. Record and metrics are written once more, because Snakemake removes them if it takes
    the job for failed while it still runs.
    """
    directory = state.directory
    identity = state.record.identity
    records.write(directory.record, state.record)
    records.write_lines(directory.metrics, state.epochs)
    weight_files.save(state.progress.weights, directory.model)
    if divergence is None:
        end: End = describe_result(run.settings, identity, directory, corpus, state.epochs)
    else:
        end = describe_divergence(identity, directory, state.epochs, divergence)
    records.write(directory.result, end)
    directory.state.unlink(missing_ok=True)


@contextmanager
def _alone(name: str, directory: RunDirectory, watch: Watch) -> Iterator[None]:
    """Wait until no other process trains this run; one may outlive the job that started it."""
    with saying_what_cannot_be_written(directory.log):
        directory.path.mkdir(parents=True, exist_ok=True)
        file = directory.log.open("a", encoding="utf-8")
    with file:
        told = False
        while lock(file) is False:
            if not told:
                logger.info("waits for another process that trains %s", name)
                told = True
            watch.stop_if_told()
            time.sleep(_WAITING_SECONDS)
        yield


@contextmanager
def _logging_to(file: os.PathLike[str]) -> Iterator[None]:
    """Write the messages of training to the run's log, too; a resumed run continues that file."""
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level = logger.level
    logger.setLevel(logging.INFO)  # the run's log is complete, whatever level others have set
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
