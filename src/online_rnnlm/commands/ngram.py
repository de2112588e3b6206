"""Train and test an n-gram model."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "train and test an n-gram model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_corpus(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.errors import UserError
    from online_rnnlm.evaluation.ngram import evaluate_ngram

    experiment, _, corpus = _arguments.corpus_of(arguments)
    order = experiment.testing.kneser_ney
    if order is None:
        raise UserError(f"{arguments.config}: `testing.kneser_ney`: an order is needed")
    names = {corpus: name for name, corpus in experiment.ngrams().items()}
    _, directory = _arguments.experiment_of(arguments)
    evaluate_ngram(directory, names[arguments.corpus], corpus, order)
