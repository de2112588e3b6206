"""The training of one run: it resumes from a checkpoint, trains, and writes the run's files."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import training
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.jobs import checkpoint
from online_rnnlm.jobs.checkpoint import Checkpoints, Progress
from online_rnnlm.jobs.description import describe_divergence, describe_result, describe_run
from online_rnnlm.process.stop_signals import FORCED, Stopped, Watch, watching
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.files import lock, place, saying_what_cannot_be_written
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.runs import End, Epoch, RunDivergence, RunRecord, read_whole

logger = logging.getLogger(__name__)

_WAITING_SECONDS = 0.5


def train(
    run: Run,
    corpus_directory: CorpusDirectory,
    directory: RunDirectory,
    checkpoint_seconds: float = math.inf,
    threads: int = 1,
) -> None:
    """Train a run to its end, from its checkpoint if there is one, and write its files.

    If the run has ended before, with the same settings, corpus and code, its files are put in place
    again: Snakemake removes them before each job. If Snakemake was told to force trainings, what is
    older than that start is not used. A checkpoint is written after every epoch, and within an
    epoch whenever `checkpoint_seconds` have passed. `threads` is the number of threads that train
    together, which changes nothing but the time.

    If training diverges, or if the run is hopeless, all files are written, too, and `result.json`
    gives the reason. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    with watching() as watch, _alone(run.name, directory, watch):
        corpus = load_corpus(corpus_directory)
        record = describe_run(run, corpus)
        _forget_before(float(os.environ.get(FORCED, "-inf")), directory)
        if _has_ended(directory, record.identity):
            for file in directory.kept.finished_files():
                place(file, directory.path / file.name)
            checkpoint.remove(directory)
            return
        progress = checkpoint.load(directory, record.identity)
        if progress is None:
            _forget(directory)
            progress = training.begin(run.settings, corpus)
        checkpoints = Checkpoints(directory, record.identity, checkpoint_seconds, watch)
        record = _write_beginning(directory, record, progress)
        with _logging_to(directory.log):
            divergence = _train_epochs(run, corpus, directory, progress, checkpoints, threads)
        _finish(run, corpus, directory, progress, record, divergence)


def _train_epochs(
    run: Run,
    corpus: Corpus,
    directory: RunDirectory,
    progress: Progress,
    checkpoints: Checkpoints,
    threads: int,
) -> str | None:
    """Train to the end; write the metrics and a line of the log after every epoch.

    Returns the reason if training diverges, or if the run is hopeless, else None.
    """

    def after_epoch(epoch: Epoch) -> None:
        records.write_lines(directory.metrics, progress.epochs)
        logger.info("%s", _epoch_line(epoch, run.settings))

    try:
        if run.hopeless:
            raise training.Diverged(
                f"{run.name}: all its candidates diverged; try others in `search`"
            )
        if progress.epoch or progress.unfinished:
            logger.info("goes on %s", _position(progress, corpus))
        training.train_epochs(run, corpus, progress, checkpoints, after_epoch, threads)
    except Stopped as stopped:
        logger.info("%s: %s", _position(progress, corpus), stopped)
        raise
    except training.Diverged as error:
        reason = " ".join(str(error).split())
        logger.warning("%s", reason)
        return reason
    return None


def _position(progress: Progress, corpus: Corpus) -> str:
    """Return the progress of training, in words."""
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


def _forget_before(moment: float, directory: RunDirectory) -> None:
    """Remove the kept files of a run that were written before a moment (Unix time, seconds)."""
    for file in directory.kept.path.glob("*"):
        if file.stat().st_mtime < moment:
            file.unlink()


def _has_ended(directory: RunDirectory, identity: str) -> bool:
    """True if the run has ended with this identity, and its kept files are undamaged."""
    try:
        end = read_whole(directory.kept)
    except UserError as error:
        logger.warning("the run is trained anew: %s", error)
        return False
    if end is None or end.identity != identity:
        return False
    reason = f": {end.reason}" if isinstance(end, RunDivergence) else ""
    logger.info("%s already%s", end.status, reason)
    return True


def _forget(directory: RunDirectory) -> None:
    """Remove the files of an older training and empty its log."""
    for file in (*directory.finished_files(), *directory.kept.finished_files()):
        file.unlink(missing_ok=True)
    os.truncate(directory.log, 0)  # this process holds the lock on it, so it must not be removed


def _write_beginning(directory: RunDirectory, record: RunRecord, progress: Progress) -> RunRecord:
    """Write what is known so far; a resumed run keeps its first beginning and its earlier jobs.

    A copy of the record is kept: Snakemake removes `run.json` if the job fails.
    """
    with suppress(UserError):  # a damaged record is replaced
        earlier = records.read_if_there(RunRecord, directory.kept.record)
        if earlier is not None and earlier.identity == record.identity:
            jobs = dict.fromkeys([*earlier.slurm_jobs, *record.slurm_jobs])
            record = record.model_copy(update={"began": earlier.began, "slurm_jobs": tuple(jobs)})
    records.write(directory.kept.record, record)
    records.write(directory.record, record)
    records.write_lines(directory.metrics, progress.epochs)
    return record


def _finish(
    run: Run,
    corpus: Corpus,
    directory: RunDirectory,
    progress: Progress,
    record: RunRecord,
    divergence: str | None,
) -> None:
    """Write the files of a run that has ended, keep them, and remove its checkpoints.

    `divergence` is the reason if the run has diverged. The result comes last, when the others are
    complete. Record and metrics are written once more, because Snakemake removes them if it takes
    the job for failed while it still runs.
    """
    records.write(directory.record, record)
    records.write_lines(directory.metrics, progress.epochs)
    weight_files.save(progress.weights, directory.model)
    if divergence is None:
        end: End = describe_result(
            run.settings, record.identity, directory, corpus, progress.epochs
        )
    else:
        end = describe_divergence(record.identity, directory, progress.epochs, divergence)
    records.write(directory.result, end)
    for file in directory.finished_files():
        place(file, directory.kept.path / file.name)
    checkpoint.remove(directory)


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
