"""Download a file that a corpus's source needs, and verify it."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments

HELP = "download a file that a corpus's source needs, and verify it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)
    parser.add_argument("file", type=Path, help="where to keep it, under its own name")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.download import fetch
    from online_rnnlm.errors import UserError
    from online_rnnlm.pipeline.inputs import downloads

    experiment, _ = _arguments.experiment_of(arguments)
    needed, file = downloads(experiment), arguments.file
    if file.name not in needed:
        names = ", ".join(needed) or "no file at all"
        raise UserError(f"{file}: no source of {arguments.config} needs it; they need {names}")
    fetch(needed[file.name], file.parent)
