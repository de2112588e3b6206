"""Make sentences with a trained model."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments, _model

HELP = "make sentences with a trained model"
EXAMPLE = "example: online-rnnlm sample --number 3 --prefix 'The city'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    add, number = parser.add_argument, _arguments.whole_number
    add("--number", type=number(10_000), default=1, help="number of sentences (default: 1)")
    explained = "seed of the random numbers (default: 1)"
    add("--seed", type=number(10**18, least=0), default=1, help=explained)
    add("--prefix", default="", help="the words that each sentence begins with")
    explained = "below 1, likely words become likelier (default: 1)"
    add("--temperature", type=_arguments.positive_number, default=1.0, help=explained)
    add("--top-k", type=number(10**9), metavar="N", help="draw each word among the N likeliest")
    explained = "words after which a sentence is cut off (default: 100)"
    add("--max-words", type=number(1000), default=100, help=explained)
    add("--unknown", action="store_true", help="say `<unk>`, too")
    add("--frozen", action="store_true", help="the vector does not learn from what is said")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    model = _model.named_model(arguments)
    keys = ("number", "seed", "prefix", "temperature", "top_k", "max_words", "unknown", "frozen")
    for sentence in model.sample(**{key: getattr(arguments, key) for key in keys}):
        print(sentence)
