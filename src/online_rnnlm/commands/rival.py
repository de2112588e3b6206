"""Train and test a rival of a corpus."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "train and test a rival of a corpus, such as an n-gram model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_configuration(parser)
    parser.add_argument("--rival", required=True, help="name of the rival, its corpus's first")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import UserError
    from online_rnnlm.evaluation.rival import evaluate_rival
    from online_rnnlm.rivals import rivals_of_corpora

    experiment, directory = _arguments.experiment_of(arguments)
    rivals = rivals_of_corpora(experiment)
    if arguments.rival not in rivals:
        has = ", ".join(rivals) or "none that is of a corpus"
        raise UserError(f"{arguments.config}: no rival `{arguments.rival}`; it has {has}")
    evaluate_rival(directory, arguments.rival, rivals[arguments.rival])
