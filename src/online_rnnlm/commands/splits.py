"""Shuffle and split sentences into train, valid and test."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments

HELP = "shuffle and split sentences into train, valid and test"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _arguments.add_corpus(parser, threads=True)


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    from online_rnnlm.corpora.splitting import write_splits
    from online_rnnlm.storage.paths import SPLITS

    experiment, settings, directory = _arguments.corpus_of(arguments)
    outs = {split: directory.split(split) for split in SPLITS}
    sentences = directory.sentences
    write_splits(settings, experiment.downloads, sentences, outs, arguments.threads)
