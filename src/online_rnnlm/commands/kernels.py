"""Compile the kernels."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "compile the kernels"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)
    parser.add_argument(
        "--online", action="store_true", help="the kernel for weights that learn in testing"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.engines.compilation import write_kernels, write_online_kernels

    write = write_online_kernels if arguments.online else write_kernels
    write(*_arguments.experiment_of(arguments))
