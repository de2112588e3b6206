"""Test one run."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments
from online_rnnlm.config.evaluations import NONE, evaluations_of, further_evaluations
from online_rnnlm.errors import UserError

HELP = "test one run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_run(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--evaluation", default=NONE, help="how: `none`, `document_vector` or one of `testing`"
    )
    how.add_argument("--further", action="store_true", help="in all ways that `testing` asks for")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.engines.devices import require

    experiment, planned, directory = _arguments.run_of(arguments)
    testing, size = experiment.testing, planned.settings.document_size
    allowed = evaluations_of(size, testing)
    if arguments.evaluation not in allowed:
        raise UserError(
            f"--evaluation {arguments.evaluation}: `{planned.name}` is not tested like that; "
            f"allowed: {', '.join(allowed)}"
        )
    require(planned.settings)  # this must come before the engine's libraries are loaded
    from online_rnnlm.evaluation.evaluate import evaluate, evaluate_further

    corpus = directory.corpus(planned.settings.corpus)
    if arguments.further:
        names = further_evaluations(size, testing)
        evaluate_further(directory, planned.name, corpus, names, testing)
    else:
        evaluate(directory, planned.name, corpus, arguments.evaluation, testing)
