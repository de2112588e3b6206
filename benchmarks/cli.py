"""Options of the benchmark, and the order of its measurements."""

from __future__ import annotations

import argparse
import json
import logging
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from threadpoolctl import threadpool_info

from benchmarks import corpora, document, peers, runs, speed
from benchmarks.workloads import ONLINE, STATIC, Context
from online_rnnlm.config.experiment import load
from online_rnnlm.corpora.planning import with_digits
from online_rnnlm.errors import UserError
from online_rnnlm.process.devices import machine
from online_rnnlm.storage.code import core_digest
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory, experiment_directory

CONFIG = Path("config/config.yaml")
OUT = Path("results/bench")
DOCUMENT = Path("docs/development/performance.md")
SECTIONS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "training": speed.training,
    "full_scale": speed.full_scale,
    "evaluation": speed.evaluation,
    "operation": speed.operation,
    "networks": speed.networks,
    "memory": runs.memory,
    "tracking": runs.tracking,
    "scaling": speed.scaling,
    "graph": peers.graph,
    "torch": peers.torch,
    "toolkits": peers.toolkits,
    "convergence": runs.convergence,
    "jax": peers.jax,
    "old": runs.old,
}
USUAL = list(SECTIONS)[:-2]
"""Sections that are always measured; on a CPU, JAX takes longer than all others."""
_PACKAGES = ("numpy", "scipy", "numba", "pytensor")
logger = logging.getLogger("benchmarks")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Measure, then exit; the status is 1, with one line, after a UserError, 130 after Ctrl-C."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("pytensor").setLevel(logging.WARNING)
    try:
        run(options)
    except UserError as error:
        logger.error("error: %s", error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add, path = parser.add_argument, partial(parser.add_argument, type=Path)
    path("--corpus", action="append", default=[], help="a prepared corpus (that of --config); "
         "may be repeated, the first one is measured in full")  # fmt: skip
    path("--text", nargs=3, metavar=("TRAIN", "VALID", "TEST"), help="ready text; comes first")
    path("--config", default=CONFIG, help=f"experiment whose settings are used ({CONFIG})")
    add("--only", nargs="+", choices=[*SECTIONS], metavar="NAME", help="measure only these; others "
        f"keep their values (of {', '.join(SECTIONS)}: all but the last two)")  # fmt: skip
    add("--quick", action="store_true", help="do little work, only to see that it works")
    add("--repeats", type=int, default=7, help="rounds (7)")
    add("--perplexity", type=float, nargs=2, default=(108.1, 92.0), metavar=("STATIC", "ONLINE"),
        help="validation perplexities to reach (108.1 92)")  # fmt: skip
    add("--device", choices=("cpu", "gpu"), default="cpu", help="device that JAX uses (cpu)")
    add("--batches", type=int, nargs="+", default=[64, 256, 1024],
        help="sentences per update, for JAX (64 256 1024)")  # fmt: skip
    path("--torch-python", help="a Python interpreter that has PyTorch")
    path("--toolkit", action="append", default=[], metavar="SOURCES",
         help="sources of the RNNLM Toolkit or of faster-rnnlm; may be repeated")  # fmt: skip
    path("--old", metavar="CHECKOUT", help="measure this code against another checkout's, in turn")
    path("--out", default=OUT, help=f"folder for the measured values ({OUT})")
    path("--document", nargs="?", const=DOCUMENT, help=f"write the document, too ({DOCUMENT})")
    return parser


def run(options: argparse.Namespace) -> None:
    """Measure the chosen sections one by one, and save each as soon as it is measured."""
    with tempfile.TemporaryDirectory() as scratch:
        results = _measure(_context(options, Path(scratch)), options.out / "bench.json")
    print(document.show(results))
    if options.document:
        # Values of `--quick` say nothing about speed, so they must not replace the project's own
        # document.
        keep_out = options.quick and options.document == DOCUMENT
        path = options.out / DOCUMENT.name if keep_out else options.document
        document.write(results, path)
        logger.info("written: %s", path)


def _context(options: argparse.Namespace, scratch: Path) -> Context:
    experiment = load(options.config)
    directories = [CorpusDirectory(path) for path in options.corpus]
    if options.text:
        for file in options.text:
            if not file.is_file():
                raise UserError(f"{file}: no such file")
        files = {split: file.resolve() for split, file in zip(SPLITS, options.text, strict=True)}
        like = next(iter(experiment.corpora.values()))
        directories.insert(0, corpora.prepare(files, scratch / "text", like))
    if not directories:
        results = experiment_directory(experiment.experiment)
        digits = with_digits(experiment).digits
        directories += [results.corpus(digits.folder_of(name)) for name in experiment.corpora]
    texts = [corpora.open_text(directory) for directory in directories]
    return Context(texts, experiment, options, scratch)


def _measure(context: Context, file: Path) -> dict[str, Any]:
    """Measure the chosen sections; values of the same set-up are kept, others are not."""
    default = ["old"] if context.options.old else USUAL
    about, chosen = _setup(context), context.options.only or default
    results = json.loads(file.read_bytes()) if file.is_file() else {}
    if results.get("setup") != about:
        results = {"setup": about, "sections": {}}
    for name in (name for name in SECTIONS if name in chosen):
        logger.info("%s …", name)
        began = time.perf_counter()
        section = SECTIONS[name](context)
        took = time.perf_counter() - began
        results["sections"][name] = {"took": took, **section}
        write_json(file, results)
        logger.info("%s: %.0f s", name, took)
    return results


def _setup(context: Context) -> dict[str, Any]:
    """Return the set-up that all values of one table share: machine, code, corpora, settings."""
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    packages = {package: version(package) for package in _PACKAGES}
    libraries = {f"{b['internal_api']} {b['version']} {b.get('architecture', '')}" for b in blas}
    return {
        "machine": {
            **machine().model_dump(exclude_none=True),
            **{"python": platform.python_version(), "blas": sorted(libraries), **packages},
        },
        "code": core_digest(),
        "commit": _commit(),
        "quick": context.options.quick,
        "corpora": [_describe(text) for text in context.texts],
        "settings": {str(size): context.settings(size).model_dump(mode="json")
                     for size in (STATIC, ONLINE)},
    }  # fmt: skip


def _commit() -> str:
    """Return the last commit that changed what is measured; empty if this is no checkout."""
    command = ["git", "log", "-1", "--format=%h", "--abbrev=7", "--", "src/online_rnnlm/core"]
    done = subprocess.run(command, cwd=runs.PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _describe(text: corpora.Text) -> dict[str, Any]:
    corpus, train = text.corpus, text.corpus.splits["train"]
    return {
        "name": text.name,
        "digest": corpus.digest,
        "tokens": train.tokens,
        "sentences": train.sentences,
        "vocabulary": corpus.vocabulary_size,
        "classes": corpus.classes,
        "mean_class_size": corpus.mean_class_size(corpus.splits["train"]),
    }
