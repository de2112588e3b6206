"""The contents of a run's records."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.runs import Run, digest_of
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.sizes import count, goes_through_updates, sizes_for
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.jobs.cost import training_multiply_adds_per_word
from online_rnnlm.process.devices import gpu, theano_version
from online_rnnlm.process.hardware import machine
from online_rnnlm.storage.code import core_digest
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import Epoch, RunDivergence, RunRecord, RunResult


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


def describe_run(run: Run, corpus: Corpus) -> RunRecord:
    """Make the record of a run that begins now, in this process."""
    return RunRecord(
        name=run.name,
        identity=run.identity or digest_of(run.settings.model_dump(mode="json")),
        settings=run.settings,
        searched=run.searched,
        candidates=run.candidates,
        corpus_folder=run.corpus_folder,
        corpus_digest=corpus.digest,
        code_digest=core_digest(),
        began=now(),
        host=platform.node(),
        slurm_jobs=tuple(job for job in [os.environ.get("SLURM_JOB_ID")] if job),
        machine=machine(gpu(run.settings)),
        python=platform.python_version(),
        packages=_packages(run.settings),
    )


def _packages(settings: RunSettings) -> dict[str, str]:
    """Return the versions of the packages that the run is computed with, by their names."""
    engine = ENGINES[settings.engine]
    names = ("numpy", "numba", "pytensor", "scipy", *engine.packages)
    elsewhere = {"theano": theano_version()} if engine.is_elsewhere else {}
    return {name: version(name) for name in names} | elsewhere


def describe_result(
    settings: RunSettings,
    identity: str,
    directory: RunDirectory,
    corpus: Corpus,
    epochs: Sequence[Epoch],
) -> RunResult:
    """Make the record of a run that ends now, after its model and metrics have been written."""
    best = min(epochs, key=lambda epoch: epoch.valid_perplexity)
    sizes, mean = sizes_for(settings, corpus), corpus.mean_class_size("train")
    return RunResult(
        identity=identity,
        files=_checksums(directory),
        ended=now(),
        epochs=len(epochs),
        best_epoch=best.epoch,
        valid_perplexity=best.valid_perplexity,
        parameters=count(sizes),
        training_multiply_adds_per_word=training_multiply_adds_per_word(
            sizes, mean, goes_through=goes_through_updates(settings)
        ),
        words_per_second=statistics.median(epoch.words_per_second for epoch in epochs),
        seconds=sum(epoch.seconds for epoch in epochs),
        cpu_seconds=sum(epoch.cpu_seconds for epoch in epochs),
    )


def describe_divergence(
    identity: str, directory: RunDirectory, epochs: Sequence[Epoch], reason: str
) -> RunDivergence:
    """Make the record of a run that ends now because it diverged, after its other files."""
    return RunDivergence(
        identity=identity,
        files=_checksums(directory),
        ended=now(),
        epochs=len(epochs),
        reason=reason,
    )


def _checksums(directory: RunDirectory) -> dict[str, str]:
    return {file.name: sha256_of(file) for file in (directory.model, directory.metrics)}
