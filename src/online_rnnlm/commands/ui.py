"""Open an experiment's runs in MLflow's UI."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

MOST_PORTS = 65_535
HELP = "open an experiment's runs in MLflow's UI"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_results(parser)
    parser.add_argument(
        "--port",
        type=_arguments.whole_number(MOST_PORTS),
        default=5000,
        help="port on this machine (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.tracking.server import serve

    serve(_arguments.results_of(arguments), arguments.port)
