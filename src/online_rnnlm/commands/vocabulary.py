"""Choose the vocabulary and its word classes."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "choose the vocabulary and its word classes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_corpus(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.vocabulary import write_vocabulary

    _, settings, directory = _arguments.corpus_of(arguments)
    write_vocabulary(settings, directory.split("train"), directory.vocabulary)
