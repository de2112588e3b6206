"""Encode the splits as arrays, and count."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "encode the splits as arrays, and count"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_corpus(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.encoding import encode

    _, settings, directory = _arguments.corpus_of(arguments)
    encode(settings, arguments.corpus, directory)
