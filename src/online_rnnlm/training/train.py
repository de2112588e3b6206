"""The training of one run: it resumes from a checkpoint, trains, and writes the run's files."""

from __future__ import annotations

import logging
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.model import weight_files
from online_rnnlm.process.stop_signals import Stopped, Watch, watching
from online_rnnlm.storage import records
from online_rnnlm.storage.earlier_runs import exchange
from online_rnnlm.storage.files import lock, saying_what_cannot_be_written
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.records import Epoch, RunDivergence, RunRecord
from online_rnnlm.storage.runs import End, read_whole
from online_rnnlm.training import checkpoint, loop
from online_rnnlm.training.checkpoint import Keeper, Progress
from online_rnnlm.training.description import (
    describe_divergence,
    describe_epoch,
    describe_result,
    describe_run,
)
from online_rnnlm.training.epoch import Diverged

logger = logging.getLogger(__name__)

_WAITING_SECONDS = 0.5


def train(
    run: Run,
    corpus_directory: CorpusDirectory,
    directory: RunDirectory,
    checkpoint_seconds: float = math.inf,
    earlier: Path | None = None,
    threads: int = 1,
) -> None:
    """Train a run to its end, from its checkpoint if there is one, and write its files.

    If the run has ended, with the same settings, corpus and code, only the times of its files are
    renewed, because Snakemake compares them. A checkpoint is written after every epoch, and within
    an epoch whenever `checkpoint_seconds` have passed. If `earlier` is a folder, a training of
    other settings that has ended is kept there before it is replaced, and one of these settings
    that was kept there is taken instead of a new one. `threads` is the number of threads that train
    together, which changes nothing but the time.

    If training diverges, or if the run is hopeless, all files are written, too, and `result.json`
    gives the reason. Raises Stopped, after a checkpoint, if the process is told to end.
    """
    with watching() as watch, _alone(run.name, directory, watch):
        corpus = load_corpus(corpus_directory)
        record = describe_run(run, corpus)
        if earlier is not None:
            _take_earlier(run, directory, record.identity, earlier)
        if _has_ended(run, directory, record.identity):
            _name_record(run, directory)
            for file in directory.finished_files():
                os.utime(file)
            return
        keeper = Keeper(directory, record.identity, checkpoint_seconds, watch)
        progress = _resume(run, corpus, directory, record.identity)
        record = _write_beginning(directory, record)
        records.write_lines(directory.metrics, progress.epochs)
        with _logging_to(directory.log):
            divergence = _train_epochs(run, corpus, directory, progress, keeper, threads)
        _finish(run, corpus, directory, progress, record, divergence)
        shutil.rmtree(directory.checkpoint, ignore_errors=True)


def _resume(run: Run, corpus: Corpus, directory: RunDirectory, identity: str) -> Progress:
    """Load the run's last checkpoint, or begin anew; remove the result first."""
    # The result goes first, because it states that the other files are complete.
    directory.result.unlink(missing_ok=True)
    progress = checkpoint.load(directory, identity)
    if progress is None:
        _forget(directory)
        progress = loop.begin(run.settings, corpus)
    return progress


def _train_epochs(
    run: Run,
    corpus: Corpus,
    directory: RunDirectory,
    progress: Progress,
    keeper: Keeper,
    threads: int,
) -> str | None:
    """Train to the end; write the metrics and a line of the log after every epoch.

    Returns the reason if training diverges, or if the run is hopeless, else None.
    """
    if run.hopeless:
        return _diverged(f"{run.name}: all its candidates diverged; try others in `search`")

    def after_epoch(epoch: Epoch) -> None:
        records.write_lines(directory.metrics, progress.epochs)
        logger.info("%s: %s", run.name, _epoch_line(epoch, run.settings))

    if progress.epoch or progress.unfinished:
        logger.info("%s: goes on %s", run.name, _position(progress, corpus))
    try:
        loop.train_epochs(run, corpus, progress, keeper, describe_epoch, after_epoch, threads)
    except Stopped as stopped:
        logger.info("%s: %s: %s", run.name, _position(progress, corpus), stopped)
        raise
    except Diverged as error:
        return _diverged(f"{error}{_further_hints(run.settings)}")
    return None


def _further_hints(settings: RunSettings) -> str:
    """Name the settings that the user has moved to where training diverges easily."""
    usual = RunSettings.model_fields
    hints = [
        f" or a {word} `{key}` than {getattr(settings, key):g}"
        for key, word, sign in (
            ("l2", "smaller", 1),
            ("initial_scale", "smaller", 1),
            ("divergence_perplexity", "larger", -1),
        )
        if sign * getattr(settings, key) > sign * usual[key].default
    ]
    return "".join(hints)


def _diverged(reason: str) -> str:
    """Log the reason of a divergence, and return it in one line."""
    line = " ".join(reason.split())
    logger.warning("%s", line)
    return line


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


def _take_earlier(run: Run, directory: RunDirectory, identity: str, folder: Path) -> None:
    """Use a training that was made earlier, under this run's name, if there is one."""
    if exchange(directory, identity, folder):
        logger.info("%s: trained earlier: taken over", run.name)


def _name_record(run: Run, directory: RunDirectory) -> None:
    """Write a finished run's name and search anew, if it was trained under another name.

    This comes with every start, because a process that takes over a training can be killed before.
    """
    names = {"name": run.name, "searched": run.searched, "candidates": run.candidates}
    record = records.read(RunRecord, directory.record)
    named = record.model_copy(update=names)
    if named != record:
        records.write(directory.record, named)


def _has_ended(run: Run, directory: RunDirectory, identity: str) -> bool:
    """True if all of a run's files exist, are undamaged and have this identity."""
    try:
        end = read_whole(directory)
    except UserError as error:
        logger.warning("the run is trained anew: %s", error)
        return False
    if end is None or end.identity != identity:
        return False
    reason = f": {end.reason}" if isinstance(end, RunDivergence) else ""
    logger.info("%s: %s already%s", run.name, end.status, reason)
    return True


def _forget(directory: RunDirectory) -> None:
    """Remove the files of an older training and empty its log."""
    for file in (directory.record, directory.metrics, directory.model):
        file.unlink(missing_ok=True)
    os.truncate(directory.log, 0)  # this process holds the lock on it, so it must not be removed


def _write_beginning(directory: RunDirectory, record: RunRecord) -> RunRecord:
    """Write `run.json`; a run that is resumed keeps its first beginning and its earlier jobs.

    A copy stands beside the checkpoint: Snakemake removes `run.json` if the job fails.
    """
    earlier = _earlier_record(directory, record.identity)
    if earlier is not None:
        jobs = dict.fromkeys([*earlier.slurm_jobs, *record.slurm_jobs])
        record = record.model_copy(update={"began": earlier.began, "slurm_jobs": tuple(jobs)})
    records.write(directory.record, record)
    records.write(directory.kept_record, record)
    return record


def _earlier_record(directory: RunDirectory, identity: str) -> RunRecord | None:
    """Read the record that an earlier job of the run of that identity has left, if there is one."""
    for file in (directory.record, directory.kept_record):
        with suppress(UserError):  # a damaged record is replaced
            found = records.read_if_there(RunRecord, file)
            if found is not None and found.identity == identity:
                return found
    return None


def _finish(
    run: Run,
    corpus: Corpus,
    directory: RunDirectory,
    progress: Progress,
    record: RunRecord,
    divergence: str | None,
) -> None:
    """Write the files of a run that has ended; the result comes last, when others are complete.

    `divergence` is the reason if the run has diverged. Record and metrics are written once more,
    because Snakemake removes them if it takes the job for failed while it still runs.
    """
    identity = record.identity
    records.write(directory.record, record)
    records.write_lines(directory.metrics, progress.epochs)
    weight_files.save(progress.weights, directory.model)
    if divergence is None:
        end: End = describe_result(run.settings, identity, directory, corpus, progress.epochs)
    else:
        end = describe_divergence(identity, directory, progress.epochs, divergence)
    records.write(directory.result, end)


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
                logger.info("%s: waits for another process that trains it", name)
                told = True
            watch.stop_if_told()
            time.sleep(_WAITING_SECONDS)
        yield


@contextmanager
def _logging_to(file: Path) -> Iterator[None]:
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
