"""Compare all engines."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "compare all engines: the same updates by each; fail if one differs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("results/engines"),
        help="folder for the table (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.cross_check.engines import compare

    compare(arguments.folder)
