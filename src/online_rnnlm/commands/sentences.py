"""Divide articles into sentences and tokens."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "divide articles into sentences and tokens"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_corpus(parser, threads=True)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.tokenisation import write_sentences

    _, settings, directory = _arguments.corpus_of(arguments)
    write_sentences(settings, directory.articles, directory.sentences, arguments.threads)
