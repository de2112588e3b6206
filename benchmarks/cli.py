"""Options of the benchmark, and the order of its measurements."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import document
from benchmarks.accelerator import jax
from benchmarks.context import ONLINE, STATIC, Context, Options, open_corpus
from benchmarks.convergence import convergence
from benchmarks.full_scale import full_scale
from benchmarks.gpu_model import gpu_model
from benchmarks.networks import networks
from benchmarks.operation import operation
from benchmarks.peers import graph, torch
from benchmarks.preparation import preparation
from benchmarks.processes import memory, side_by_side, start
from benchmarks.profile import profile
from benchmarks.report import setup, show
from benchmarks.scaling import scaling
from benchmarks.speed import evaluation, training
from benchmarks.text import prepare_text
from benchmarks.threads import threads
from benchmarks.tracking import tracking
from online_rnnlm.config import loading
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json, write_json
from online_rnnlm.storage.paths import CorpusDirectory

DEFAULT_CORPUS = Path("results/demo/corpora/wikipedia-vital")
DEFAULT_OUT = Path("results/bench")
DOCUMENT = Path("docs/performance.md")
SECTIONS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "training": training,
    "full_scale": full_scale,
    "threads": threads,
    "evaluation": evaluation,
    "operation": operation,
    "start": start,
    "networks": networks,
    "side_by_side": side_by_side,
    "memory": memory,
    "tracking": tracking,
    "profile": profile,
    "scaling": scaling,
    "graph": graph,
    "jax": jax,
    "gpu_model": gpu_model,
    "torch": torch,
    "convergence": convergence,
    "preparation": preparation,
}
ON_DEMAND = ("jax", "gpu_model", "preparation")
"""Sections that are measured only on demand.

On a CPU, JAX takes longer than all others together; the preparation needs a large text.
"""
logger = logging.getLogger("benchmarks")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Measure, then exit; the status is 1, with one line, after a UserError, 130 after Ctrl-C."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("pytensor").setLevel(logging.WARNING)
    try:
        run(parsed)
    except UserError as error:
        logger.error("error: %s", error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    corpora = parser.add_argument_group("corpora (the first one is measured in full)")
    corpora.add_argument(
        "--text",
        type=Path,
        nargs=3,
        metavar=("TRAIN", "VALID", "TEST"),
        help="three files of ready text, prepared with the configuration's classes; comes first",
    )
    corpora.add_argument(
        "--corpus",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help=f"a prepared corpus; may be repeated (default: {DEFAULT_CORPUS}, "
        "beside --text only if it is there)",
    )
    add(
        "--config",
        type=Path,
        default=Path("config/config.yaml"),
        help="the experiment whose settings are used (default: %(default)s)",
    )
    add(
        "--only",
        nargs="+",
        choices=list(SECTIONS),
        default=[name for name in SECTIONS if name not in ON_DEMAND],
        metavar="NAME",
        help=f"measure only these of {', '.join(SECTIONS)}; the values of others are kept "
        f"(default: all but {' and '.join(ON_DEMAND)})",
    )
    add("--quick", action="store_true", help="measure with little work, only to see that it works")
    add("--repeats", type=int, default=7, help="rounds (default: %(default)s)")
    add(
        "--seeds",
        type=int,
        nargs="+",
        default=[1, 2, 3],
        help="seeds of whole runs (default: 1 2 3)",
    )
    add(
        "--perplexity",
        type=float,
        nargs=2,
        default=(108.1, 92.0),
        metavar=("STATIC", "ONLINE"),
        help="validation perplexities to reach (default: 108.1 92)",
    )
    add(
        "--device",
        choices=("cpu", "gpu"),
        default="cpu",
        help="device that JAX computes on (default: %(default)s)",
    )
    add(
        "--batches",
        type=int,
        nargs="+",
        default=[64, 256, 1024],
        help="sentences per update, for JAX (default: 64 256 1024)",
    )
    add("--articles", type=Path, help="a large text with articles, for `preparation`")
    add("--torch-python", type=Path, help="a Python interpreter that has PyTorch")
    add(
        "--torch-seconds",
        type=float,
        default=300,
        help="seconds of processor time that PyTorch gets (default: %(default)s)",
    )
    add(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        help="folder for the measured values (default: %(default)s)",
    )
    add(
        "--document",
        type=Path,
        nargs="?",
        const=DOCUMENT,
        help=f"write the document, too, and its pictures beside it (default: {DOCUMENT})",
    )
    add(
        "--no-measuring",
        action="store_true",
        help="measure nothing: only show and document the last values",
    )
    return parser  # fmt: skip


def run(parsed: argparse.Namespace) -> None:
    """Measure the chosen sections one by one, and save each as soon as it is measured."""
    file = parsed.out / "bench.json"
    if parsed.no_measuring:
        if not file.is_file():
            raise UserError(f"{file}: no such file: measure first")
        results = read_json(file)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            results = _measure(_context(parsed, Path(scratch)), parsed.only, file)
    print(show(results))
    if parsed.document:
        # Values of `--quick` say nothing about speed, so they must not replace the project's own
        # document.
        keep_out = parsed.quick and parsed.document == DOCUMENT
        path = parsed.out / DOCUMENT.name if keep_out else parsed.document
        document.write(results, path)
        logger.info("written: %s", path)


def _context(parsed: argparse.Namespace, scratch: Path) -> Context:
    experiment = loading.load(parsed.config)
    directories = [CorpusDirectory(path) for path in parsed.corpus]
    if not directories and (DEFAULT_CORPUS.is_dir() or not parsed.text):
        directories.append(CorpusDirectory(DEFAULT_CORPUS))
    if parsed.text:
        directories.insert(0, prepare_text(parsed.text, scratch, experiment))
    options = Options(
        quick=parsed.quick,
        repeats=max(1, 2 if parsed.quick else parsed.repeats),
        seeds=tuple(parsed.seeds),
        thresholds=dict(zip((STATIC, ONLINE), parsed.perplexity, strict=True)),
        device=parsed.device,
        batches=tuple(parsed.batches),
        articles=parsed.articles,
        torch_python=parsed.torch_python,
        torch_seconds=parsed.torch_seconds,
    )
    return Context([open_corpus(d) for d in directories], experiment, options, scratch)


def _measure(context: Context, names: Sequence[str], file: Path) -> dict[str, Any]:
    about = setup(context)
    results = read_json(file) if file.is_file() else {}
    if results.get("setup") != about:
        results = {"setup": about, "sections": {}}
    for name in (name for name in SECTIONS if name in names):
        logger.info("%s …", name)
        began = time.perf_counter()
        section = SECTIONS[name](context)
        seconds = time.perf_counter() - began
        results["sections"][name] = {
            "measured": time.strftime("%Y-%m-%d %H:%M"), "took": seconds, **section
        }  # fmt: skip
        write_json(file, results)
        logger.info("%s: %.0f s", name, seconds)
    return results
