"""Write the documents that are made from the typed models and from docs/evidence."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write all documents anew that are made from the code or from docs/evidence"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--project", type=Path, default=Path(), help="the project's root")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.analysis.evidence.text import write_documents
    from online_rnnlm.pipeline.documentation import write_documentation

    write_documentation(arguments.project)
    write_documents(arguments.project)
