"""Read a source's articles."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "read a source's articles"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_corpus(parser, threads=True)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.extraction import write_articles

    experiment, settings, directory = _arguments.corpus_of(arguments)
    write_articles(settings, experiment.downloads, directory.articles, arguments.threads)
