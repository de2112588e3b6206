"""Show what a trained model is, and how it was made."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _model

HELP = "show what a trained model is, and how it was made"
EXAMPLE = "example: online-rnnlm info"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, with every setting")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    model = _model.named_model(arguments)
    about = model.description
    print(about.model_dump_json(indent=2) if arguments.json else about.as_text())
