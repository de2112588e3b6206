"""Show the finished trainings that later ones replaced, or delete them."""

from __future__ import annotations

import argparse
import logging

from online_rnnlm.commands import _arguments

logger = logging.getLogger(__name__)

HELP = "show the trainings that were replaced and kept, or delete them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_results(parser)
    parser.add_argument("--clear", action="store_true", help="delete them")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    import shutil

    from online_rnnlm.storage import records
    from online_rnnlm.storage.earlier_runs import kept_runs
    from online_rnnlm.storage.records import RunRecord, RunResult
    from online_rnnlm.storage.runs import read_end

    folder = _arguments.results_of(arguments).earlier_runs
    found = list(kept_runs(folder))
    if not found:
        logger.info("%s: no training is kept", folder)
        return
    for kept, unchanged in found:
        if not unchanged:
            print(f"{kept.path}: damaged: it is not used again")
            continue
        record, end = records.read(RunRecord, kept.record), read_end(kept)
        reached = "diverged"
        if isinstance(end, RunResult):
            reached = f"perplexity {end.valid_perplexity:.2f} on valid"
        megabytes = sum(file.stat().st_size for file in kept.finished_files()) / 1e6
        print(
            f"{record.name}: {reached}, "
            f"trained {record.began:%Y-%m-%d %H:%M} UTC, {megabytes:.1f} MB, {kept.path}"
        )
    if arguments.clear:
        shutil.rmtree(folder)
