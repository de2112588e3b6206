"""Train one run."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "train one run"
CHECKPOINT_SECONDS = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_run(parser)
    parser.add_argument(
        "--checkpoint-seconds",
        type=_arguments.seconds,
        metavar="SECONDS",
        default=CHECKPOINT_SECONDS,
        help="so often within an epoch a checkpoint is written (default: %(default)g)",
    )
    _arguments.add_threads(parser, "threads that train together; the results are the same")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.engines.devices import require
    from online_rnnlm.training.choice import resolve

    _, planned, directory = _arguments.run_of(arguments)
    resolved = resolve(planned, directory)
    require(resolved.settings)  # this must come before the engine's libraries are loaded
    from online_rnnlm.training.memory import require_memory
    from online_rnnlm.training.train import train

    corpus, files = directory.corpus(resolved.settings.corpus), directory.run(resolved.name)
    require_memory(resolved.settings, corpus)
    seconds, threads = arguments.checkpoint_seconds, arguments.threads
    train(resolved, corpus, files, seconds, directory.earlier_runs, threads)
