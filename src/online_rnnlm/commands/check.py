"""Check a configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from online_rnnlm.commands import _arguments

HELP = "check a configuration"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("file", type=Path, nargs="?", default=_arguments.CONFIGURATION)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.config.loading import read_mapping
    from online_rnnlm.corpora.planning import plan

    experiment = plan(read_mapping(arguments.file), str(arguments.file))
    searched = len(experiment.search_runs())
    more = f", and {searched} of the search" if searched else ""
    print(f"{arguments.file}: can be used: {len(experiment.runs())} runs{more}")
