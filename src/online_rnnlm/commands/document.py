"""Write the files that are generated from the typed models."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write the schema, config/README.md and the tables of docs/data-formats.md anew"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--project", type=Path, default=Path(), help="the project's root")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.pipeline.documentation import write_documentation

    write_documentation(arguments.project)
