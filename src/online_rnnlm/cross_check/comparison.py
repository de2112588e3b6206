"""Comparison of the same updates by PyTensor, by the original Theano and by a fast engine."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split, load_corpus
from online_rnnlm.cross_check.replay import DTYPE, replay
from online_rnnlm.engines import registry
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.engines.names import usable_anywhere
from online_rnnlm.engines.theano import environment
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import CrossCheck, Differences
from online_rnnlm.storage.syntax import PACKAGE

logger = logging.getLogger(__name__)

UPDATES = 50
BATCH_SENTENCES = 4
"""At most; few, as the plain graph scores as many words as the largest class for every word."""
VALID_SENTENCES = 16
ALLOWED = 1e-10
"""The largest difference that rounding explains: each update adds some, and AdaGrad divides."""
Arrays = Mapping[str, Any]


def cross_check(run: PlannedRun, directory: ExperimentDirectory, theano: str) -> None:
    """Compute a run's first updates in all three ways, in float64; write the largest differences.

    The fast engine is the kernels, if they have the run's cell. `theano` is the Python of an
    environment with Theano 1.0.5. Raises UserError if Theano is missing there, or if a difference
    is larger than rounding explains.
    """
    sentences = min(run.settings.batch_sentences, BATCH_SENTENCES)
    ours = {"precision": DTYPE, "batch_sentences": sentences}
    settings = usable_anywhere(run.settings).model_copy(update=ours)
    corpus = load_corpus(directory.corpus(settings.corpus))
    problem = _problem(settings, corpus)
    original = _by_theano(problem, theano)
    with warnings.catch_warnings():
        # PyTensor warns that the plain graph needs more than one fused loop, which is harmless.
        warnings.filterwarnings("ignore", "Loop fusion failed", UserWarning)
        reference = replay(problem)
    others = {"theano": original, settings.engine: _by_engine(settings, corpus, problem)}
    differences = {name: _differences(result, reference) for name, result in others.items()}
    record = CrossCheck(
        run=run.name,
        updates=len(reference["training"]),
        sentences=len(problem["train.offsets"]) - 1,
        tokens=int(problem["train.offsets"][-1]),
        precision=DTYPE,
        engines={"pytensor": str(reference["engine"]), "theano": str(original["engine"])},
        largest_difference=differences,
        allowed=ALLOWED,
    )
    records.write(directory.cross_check(run.name), record)
    _judge(record)


def _problem(settings: RunSettings, corpus: Corpus) -> dict[str, Any]:
    """The input of `replay`: the run's start, its first batches, and some valid sentences."""
    sizes = sizes_for(settings, corpus)
    start = {
        "weights": parameters.initialise(sizes, settings.initial_scale, settings.seed, DTYPE),
        "accumulators": parameters.filled(sizes, settings.accumulator_start, DTYPE),
    }
    numbers = {"train": UPDATES * settings.batch_sentences, "valid": VALID_SENTENCES}
    parts = {split: _first(corpus.splits[split], number) for split, number in numbers.items()}
    values = {**settings.model_dump(mode="json"), "cell_name": settings.cell_name}
    return {
        "settings": json.dumps(values),
        "class_offsets": corpus.class_offsets,
        **{f"{kind}.{name}": a for kind, of in start.items() for name, a in of._asdict().items()},
        **{f"{split}.{name}": array for split, of in parts.items() for name, array in of.items()},
    }


def _first(split: Split, sentences: int) -> dict[str, Any]:
    """The split's first sentences."""
    offsets = np.asarray(split.offsets[: sentences + 1])
    return {"stream": np.asarray(split.stream[: offsets[-1] + 1]), "offsets": offsets}


def _by_theano(problem: Arrays, python: str) -> dict[str, Any]:
    """Run `replay` by Theano, in its own environment."""
    with tempfile.TemporaryDirectory(prefix="theano-") as folder:
        files = [Path(folder) / name for name in ("problem.npz", "result.npz")]
        np.savez(files[0], **problem)
        command = [python, "-m", f"{PACKAGE}.cross_check.with_theano", *map(str, files)]
        try:
            done = subprocess.run(
                command,
                env=environment.variables(DTYPE),
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise UserError(f"{python}: {error.strerror}: `make theano` makes it") from error
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise UserError(f"{python}: cannot run Theano 1.0.5: {said[-1]}; see `make theano`")
        with np.load(files[1]) as result:
            return dict(result)


def _by_engine(settings: RunSettings, corpus: Corpus, problem: Arrays) -> dict[str, Any]:
    """Compute the same by the settings' engine."""
    start = [parameters.under(f"{kind}.", problem) for kind in ("weights", "accumulators")]
    trainer = registry.trainer(settings, corpus, start[0], start[1])
    numbers, size = np.arange(len(problem["train.offsets"]) - 1), settings.batch_sentences
    batches = one_by_one(numbers, min(size, len(numbers)))
    training = [
        trainer.update(batches.part(number, number + 1), settings.learning_rate)
        for number in range(len(batches.segments))
    ]
    valid = np.arange(len(problem["valid.offsets"]) - 1)
    score = registry.scorer(settings, corpus)
    scores = score(trainer.weights, corpus.splits["valid"], valid, settings.document_rate)
    return {
        "training": np.array(training),
        "log_probabilities": scores.log_probabilities,
        "document_vectors": scores.document_vectors,
        **{f"weights.{name}": array for name, array in trainer.weights._asdict().items()},
    }


def _differences(result: Arrays, reference: Arrays) -> Differences:
    """The largest difference of each kind of value, relative for values above 1."""
    found: dict[str, float] = {}
    for name, array in reference.items():
        if name != "engine" and array.size:
            kind = name.partition(".")[0]
            distance = np.abs(result[name] - array) / np.maximum(np.abs(array), 1)
            if not np.isfinite(distance).all():
                raise UserError(f"`{name}`: not all numbers are finite")
            found[kind] = max(found.get(kind, 0.0), float(distance.max()))
    return Differences.model_validate(found)


def _judge(record: CrossCheck) -> None:
    """Log the largest differences; raise UserError if one is above ALLOWED."""
    for name, differences in record.largest_difference.items():
        kind, largest = differences.largest()
        what = (
            f"{record.run}: {record.updates} updates by {name} and by PyTensor differ by "
            f"{largest:.1e} at most ({kind}, float64)"
        )
        if not largest <= ALLOWED:
            raise UserError(f"{what}: more than {ALLOWED:g}")
        logger.info("%s", what)
