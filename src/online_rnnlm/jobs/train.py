"""The training of one run: it resumes from a checkpoint, trains, and writes the run's files."""

from __future__ import annotations

import logging
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version

from online_rnnlm.config.code import of_training
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.runs import Run, digest_of
from online_rnnlm.core.engines import load_engine
from online_rnnlm.core.engines.base import Engine
from online_rnnlm.core.sizes import Sizes, count
from online_rnnlm.core.training import Diverged, EpochResult, Training, begin
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.jobs import checkpoint
from online_rnnlm.jobs.checkpoint import RunState
from online_rnnlm.jobs.cost import training_multiply_adds_per_word
from online_rnnlm.process.devices import gpu, machine, peak_memory, theano_version
from online_rnnlm.process.stop_signals import Stopped, Watch, watching
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.code import fingerprint
from online_rnnlm.storage.files import lock, saying_what_cannot_be_written, sha256_of
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.runs import Epoch, RunRecord, RunResult

logger = logging.getLogger(__name__)

_WAITING_SECONDS = 0.5
EpochLog = Callable[[Sequence[Epoch]], None]
"""A function that is called after every epoch, with all epochs of the run so far."""


def train(
    run: Run,
    corpus_directory: CorpusDirectory,
    directory: RunDirectory,
    checkpoint_seconds: float = 600.0,
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
        settings = run.settings
        engine = load_engine(settings.engine, settings.network, settings.rule, corpus.class_offsets)
        state = _begin_or_resume(run, corpus, directory, engine)
        records.write(directory.record, state.record)
        records.write_lines(directory.metrics, state.epochs)
        with _logging_to(directory.log):
            reason = ""
            if run.hopeless:
                reason = f"{run.name}: all its candidates diverged; try others in `search`"
            else:
                try:
                    _train_epochs(state, corpus, engine, watch, checkpoint_seconds, log_epochs)
                except Stopped as stopped:
                    logger.info("%s: %s", _position(state, corpus), stopped)
                    raise
                except Diverged as error:
                    reason = _why_diverged(state, error)
            if reason:
                logger.warning("%s", reason)
        _finish(state, corpus, reason)


def _begin_or_resume(run: Run, corpus: Corpus, directory: RunDirectory, engine: Engine) -> RunState:
    """Return the state that a run's checkpoint holds, or that of a run which begins now."""
    record = _describe(run, corpus)
    state = checkpoint.load(directory, record)
    if state is None:
        os.truncate(directory.log, 0)
        progress = begin(engine, corpus)
        return RunState(directory, record, progress)
    jobs = dict.fromkeys([*state.record.slurm_jobs, *record.slurm_jobs])
    kept = {"began": state.record.began, "slurm_jobs": tuple(jobs)}
    state.record = record.model_copy(update=kept)
    return state


def _describe(run: Run, corpus: Corpus) -> RunRecord:
    """Make the record of a run that begins now, in this process."""
    settings = run.settings
    engine = ENGINES[settings.engine]
    packages = {
        name: version(name) for name in ("numpy", "numba", "pytensor", "scipy", *engine.packages)
    }
    if engine.is_elsewhere:
        packages["theano"] = theano_version()
    return RunRecord(
        name=run.name,
        identity=run.identity or digest_of(settings.model_dump(mode="json")),
        settings=settings,
        searched=run.searched,
        candidates=run.candidates,
        corpus_folder=run.corpus_folder,
        corpus_digest=corpus.digest,
        code_digest=fingerprint(*of_training(settings)),
        began=datetime.now(UTC),
        host=platform.node(),
        slurm_jobs=tuple(job for job in [os.environ.get("SLURM_JOB_ID")] if job),
        machine=machine(gpu(settings)),
        python=platform.python_version(),
        packages=packages,
    )


def _train_epochs(
    state: RunState,
    corpus: Corpus,
    engine: Engine,
    watch: Watch,
    checkpoint_seconds: float,
    log_epochs: EpochLog | None,
) -> None:
    """Train to the end: write a checkpoint whenever one is due, and each epoch's metrics.

    Raises Stopped, after a checkpoint, if the process is told to end, and Diverged.
    """
    training = Training(engine, corpus, state.progress)
    if state.progress.epoch or state.progress.batches:
        logger.info("goes on %s", _position(state, corpus))
    saved = time.monotonic()
    began = time.perf_counter()
    cpu_began = time.process_time()
    for result in training.steps():
        if result is None:
            state.seconds += time.perf_counter() - began
            state.cpu_seconds += time.process_time() - cpu_began
            if watch.told is not None or time.monotonic() >= saved + checkpoint_seconds:
                state.save()
                saved = time.monotonic()
                watch.stop_if_told()
        else:
            _end_epoch(state, corpus, result)
            saved = time.monotonic()
            if log_epochs is not None:
                log_epochs(state.epochs)
        began = time.perf_counter()
        cpu_began = time.process_time()


def _end_epoch(state: RunState, corpus: Corpus, result: EpochResult) -> None:
    """Add an epoch that has just ended to a run, and write a checkpoint, metrics, and a log line.

    The line says how good the weights are, and how long the other epochs take at most.
    """
    epoch = Epoch(
        epoch=len(state.epochs) + 1,
        learning_rate=result.learning_rate,
        train_perplexity=result.train_perplexity,
        valid_perplexity=result.valid_perplexity,
        kept=result.kept,
        words_per_second=corpus.splits["train"].tokens / state.seconds,
        seconds=state.seconds,
        cpu_seconds=state.cpu_seconds,
        peak_memory_megabytes=peak_memory() / 1e6,
        ended=datetime.now(UTC),
    )
    state.epochs.append(epoch)
    state.seconds = 0.0
    state.cpu_seconds = 0.0
    state.save()
    records.write_lines(state.directory.metrics, state.epochs)
    logger.info(
        "epoch %d: perplexity %.2f on valid%s, %.2f in training, learning rate %.4g, "
        "%s words/s, at most %.1f min left",
        epoch.epoch,
        epoch.valid_perplexity,
        "" if epoch.kept else " (not kept)",
        epoch.train_perplexity,
        epoch.learning_rate,
        f"{epoch.words_per_second:,.0f}",
        (state.record.settings.max_epochs - epoch.epoch) * epoch.seconds / 60,
    )


def _why_diverged(state: RunState, error: Diverged) -> str:
    """Return the line that says where training diverged, and what can be tried."""
    settings = state.record.settings
    epoch = len(state.epochs) + 1
    tried = f"a `learning_rate` below {settings.learning_rate:g}"
    if settings.document_size:
        tried += f" or a `document_rate` below {settings.document_rate:g}"
    return f"{state.record.name}: diverged in epoch {epoch}: {error}; try {tried}"


def _position(state: RunState, corpus: Corpus) -> str:
    """Return the progress of training, in words."""
    progress = state.progress
    share = progress.tokens / corpus.splits["train"].tokens
    within = f", {share:.0%} of epoch {progress.epoch + 1}" if progress.batches else ""
    return f"after epoch {progress.epoch}{within}"


def _finish(state: RunState, corpus: Corpus, divergence: str) -> None:
    """Write the files of a run that has ended, and remove its checkpoint.

    `divergence` is the reason if the run has diverged, else empty. The result comes last, when the
    others are complete. Record and metrics are written once more, because Snakemake removes them if
    it takes the job for failed while it still runs.
    """
    directory = state.directory
    settings = state.record.settings
    records.write(directory.record, state.record)
    records.write_lines(directory.metrics, state.epochs)
    weight_files.save(state.progress.best, directory.model)
    sizes = Sizes.of(settings.network, corpus.vocabulary_size, corpus.classes)
    best = min(state.epochs, key=lambda epoch: epoch.valid_perplexity, default=None)
    speeds = [epoch.words_per_second for epoch in state.epochs]
    result = RunResult(
        identity=state.record.identity,
        files={file.name: sha256_of(file) for file in (directory.model, directory.metrics)},
        ended=datetime.now(UTC),
        reason=divergence,
        epochs=len(state.epochs),
        best_epoch=best.epoch if best else 0,
        valid_perplexity=best.valid_perplexity if best and not divergence else None,
        parameters=count(sizes),
        training_multiply_adds_per_word=training_multiply_adds_per_word(
            sizes,
            corpus.mean_class_size(corpus.splits["train"]),
            by_error=settings.network.steps_by_error,
            goes_through=settings.network.through_updates,
        ),
        words_per_second=statistics.median(speeds) if speeds else 0.0,
        seconds=sum(epoch.seconds for epoch in state.epochs),
        cpu_seconds=sum(epoch.cpu_seconds for epoch in state.epochs),
    )
    records.write(directory.result, result)
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
