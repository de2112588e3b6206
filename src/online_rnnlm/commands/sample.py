"""Make sentences with a trained model."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments, _model

HELP = "make sentences with a trained model"
EXAMPLE = "example: online-rnnlm sample --number 3 --prefix 'The city'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    parser.add_argument(
        "--number",
        type=_arguments.whole_number(10_000),
        default=1,
        help="number of sentences (default: 1)",
    )
    parser.add_argument(
        "--seed",
        type=_arguments.whole_number(10**18, least=0),
        default=1,
        help="seed of the random numbers (default: 1)",
    )
    parser.add_argument("--prefix", default="", help="the words that each sentence begins with")
    parser.add_argument(
        "--temperature",
        type=_arguments.positive_number,
        default=1.0,
        help="below 1, likely words become likelier (default: 1)",
    )
    parser.add_argument(
        "--top-k",
        type=_arguments.whole_number(10**9),
        metavar="N",
        help="draw each word among the N likeliest",
    )
    parser.add_argument(
        "--max-words",
        type=_arguments.whole_number(1000),
        default=100,
        help="words after which a sentence is cut off (default: 100)",
    )
    parser.add_argument("--unknown", action="store_true", help="say `<unk>`, too")
    parser.add_argument(
        "--frozen", action="store_true", help="the vector does not learn from what is said"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    model = _model.named_model(arguments)
    keys = ("number", "seed", "prefix", "temperature", "top_k", "max_words", "unknown", "frozen")
    for sentence in model.sample(**{key: getattr(arguments, key) for key in keys}):
        print(sentence)
