"""A comparison of all engines: each makes the same updates of one network, in double precision.

Each engine computes in a process of its own, with empty folders for what it compiles. The first
one that is installed is the reference of the others.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN, Corpus, Split
from online_rnnlm.engines import devices, registry
from online_rnnlm.engines.lanes import one_by_one
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import sizes_for
from online_rnnlm.storage.files import replacing

logger = logging.getLogger(__name__)

ALLOWED = 1e-10
"""The largest difference that rounding explains: each update adds some, and AdaGrad divides."""
_BY_PYTENSOR = {"pytensor-c": "linker=cvm", "pytensor-numba": "cxx=,linker=numba"}
"""The flags by which PyTensor compiles the plain graph in two ways."""
NAMES = (*_BY_PYTENSOR, *(name for name in ENGINES if name != "graph"))
"""The names in the table; all others are those of `engine` in a row."""
COMPILER = "g++"
UPDATES = 50
SENTENCES = 32
"""Sentences an update."""
_LEAST_SECONDS = 0.5
"""Time that the updates are repeated for; a single pass of fast kernels takes milliseconds."""


class Measured(NamedTuple):
    """An engine's results, and its speed."""

    values: Mapping[str, NDArray[Any]]
    """By name: log P of each update, every parameter after the updates, and the
    log-probabilities and document vectors of sentences that are scored afterwards."""
    words_per_second: float
    """Words that are learnt from per second when the same updates are made again."""
    compile_seconds: float
    """Seconds to make the trainer and the first updates, less those of the same updates later."""


def compare(folder: Path, engines: Sequence[str] = NAMES, updates: int = UPDATES) -> None:
    """Compare engines and write the table as `engines.csv` and `engines.md`, which is printed.

    An engine that is not installed has a row that says why. Raises UserError if an engine differs
    from the reference by more than rounding explains, after the table is written.
    """
    rows: list[dict[str, Any]] = []
    wrong = []
    reference: Mapping[str, NDArray[Any]] = {}
    for name in engines:
        rows.append({"engine": name, "not installed": why_not(name)})
        if rows[-1]["not installed"]:
            continue
        logger.info("%s: %d updates", name, updates)
        found = _in_own_process(name, updates)
        reference = reference or found.values
        speed, compiling = round(found.words_per_second), round(found.compile_seconds)
        distances = differences(found.values, reference)
        rows[-1] |= {"words/s": speed, "seconds to compile": compiling, **distances}
        wrong += [(far, name, of) for of, far in distances.items() if not far <= ALLOWED]
    _write(pd.DataFrame(rows, dtype=object), folder)
    if wrong:
        distance, name, of = max(wrong)
        raise UserError(
            f"`{of}` by {name} differs from the first engine's by {distance:.1e} after {updates} "
            f"updates: more than {ALLOWED:g}, which rounding explains"
        )


def why_not(name: str) -> str | None:
    """Return why an engine cannot compute on this machine; None if it can."""
    if name in ("pytensor-c", "theano") and shutil.which(COMPILER) is None:
        return f"{COMPILER} is not installed"
    try:
        devices.check(settings_of(name))
    except UserError as error:
        return str(error)
    return None


def settings_of(name: str) -> RunSettings:
    """The settings of the network by an engine."""
    engine = "graph" if name in _BY_PYTENSOR else name
    network = {"hidden_size": 20, "document_size": 20}
    how = {"engine": engine, "precision": "float64", "batch_sentences": SENTENCES}
    return RunSettings.model_validate({"corpus": "random", **network, **how})


def differences(
    found: Mapping[str, NDArray[Any]], reference: Mapping[str, NDArray[Any]]
) -> dict[str, float]:
    """The largest differences of values by name, relative where the reference is above 1.

    A value that is not a number differs from all others.
    """
    largest = {}
    for name, wanted in reference.items():
        distances = np.abs(found[name] - wanted) / np.maximum(np.abs(wanted), 1)
        largest[name] = float(np.nan_to_num(distances, nan=np.inf).max())
    return largest


def _in_own_process(name: str, updates: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="engines-", ignore_cleanup_errors=True) as folder:
        context, given = multiprocessing.get_context("spawn"), (_BY_PYTENSOR.get(name, ""), folder)
        with ProcessPoolExecutor(1, context, _prepare, given) as pool:
            return pool.submit(measure, settings_of(name), updates).result()


def _prepare(flags: str, folder: str) -> None:
    """Set the variables by which libraries compile, which they read when they are imported.

    The last of equal flags counts, so those of the user stay but for these.
    """
    by_c, ours = f"cxx={shutil.which(COMPILER) or ''}", f"base_compiledir={folder}/compiled"
    for variable, more in (("PYTENSOR_FLAGS", [by_c, flags, ours]), ("THEANO_FLAGS", [ours])):
        os.environ[variable] = ",".join(filter(None, [os.environ.get(variable, ""), *more]))
    os.environ["NUMBA_CACHE_DIR"] = f"{folder}/numba"
    os.environ["JAX_COMPILATION_CACHE_DIR"] = f"{folder}/jax"


def measure(settings: RunSettings, updates: int) -> Measured:
    """Make updates by sentences of a text in its order, then score some sentences."""
    corpus = random_corpus(updates * SENTENCES)
    sizes, dtype = sizes_for(settings, corpus), settings.precision
    start = (
        parameters.initialise(sizes, settings.initial_scale, settings.seed, dtype),
        parameters.filled(sizes, settings.accumulator_start, dtype),
    )
    split, rate = corpus.splits["train"], settings.learning_rate
    batches = one_by_one(np.arange(split.sentences), SENTENCES)
    with warnings.catch_warnings():
        # PyTensor warns that there is no BLAS library, and that it needs more than one fused loop.
        logging.getLogger("pytensor.tensor.blas").setLevel(logging.ERROR)
        warnings.simplefilter("ignore", UserWarning)
        began = time.perf_counter()
        trainer = registry.trainer(settings, corpus, *start)
        losses = [trainer.update(batches.part(k, k + 1), rate) for k in range(updates)]
        first = time.perf_counter() - began
        learnt = parameters.like(start[0], (np.array(array) for array in trainer.weights))
        passes, seconds = 0, 0.0
        while seconds < _LEAST_SECONDS:
            trainer.restore(*start)
            began = time.perf_counter()
            trainer.update(batches, rate)
            seconds += time.perf_counter() - began
            passes += 1
        sentences = np.arange(SENTENCES)
        scores = registry.scorer(settings, corpus)(learnt, split, sentences, settings.document_rate)
    values = {
        "losses": np.array(losses),
        **learnt._asdict(),
        "log_probabilities": scores.log_probabilities,
        "document_vectors": scores.document_vectors,
    }
    again = seconds / passes
    return Measured(values, split.tokens / again, max(0.0, first - again))


def random_corpus(sentences: int) -> Corpus:
    """A text of random words by Zipf's law, 1,000 of them in 20 classes; the same every time."""
    chance = np.random.default_rng(1)
    vocabulary, classes = 1000, 20
    lengths = chance.integers(2, 30, sentences)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    shares = 1 / np.arange(1, vocabulary + 1)
    stream = chance.choice(vocabulary, offsets[-1] + 1, p=shares / shares.sum()).astype(np.int32)
    stream[offsets] = 0
    # Classes of equal sums of square roots of the words' shares.
    bounds = np.cumsum(np.sqrt(shares)) / np.sqrt(shares).sum()
    class_offsets = np.searchsorted(bounds, np.arange(classes + 1) / classes)
    words = [SENTENCE_END, UNKNOWN, *map(str, range(2, vocabulary))]
    splits = dict.fromkeys(("train", "valid", "test"), Split(stream, offsets))
    return Corpus(words, np.ones(vocabulary, np.int64), class_offsets, 1, splits, "")


def _write(table: pd.DataFrame, folder: Path) -> None:
    shown = (
        table.dropna(axis="columns", how="all")
        .map(_shown)
        .set_index("engine")
        .T.to_markdown(disable_numparse=True, stralign="right")
    )
    for kind, text in (("csv", table.to_csv(index=False)), ("md", f"{shown}\n")):
        with replacing(folder / f"engines.{kind}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(shown)


def _shown(value: str | float | None) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return ""
    return f"{value:.1e}" if isinstance(value, float) else f"{value:,}"
