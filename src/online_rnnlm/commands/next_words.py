"""Verbs for what comes next in a text: the likeliest words, and sentences that the model makes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence

from online_rnnlm.commands._inputs import (
    add_model,
    add_options,
    add_texts,
    options_in,
    texts_in,
)
from online_rnnlm.commands._verb import Verb, add_format, print_rows, whole_number_to
from online_rnnlm.errors import naming
from online_rnnlm.use.options import SamplingOptions
from online_rnnlm.use.text import lacking, numbered_lines


def add_next_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `next`."""
    add_model(parser)
    add_texts(parser, "the beginnings of sentences, a line each")
    parser.add_argument(
        "--tokenised", action="store_true", help="the lines are tokens with spaces between them"
    )
    parser.add_argument(
        "--number",
        type=whole_number_to(10**9),
        default=5,
        help="how many words to give for each line (default: %(default)s)",
    )
    parser.add_argument(
        "--frozen", action="store_true", help="the vector does not learn from the line"
    )
    add_format(parser, "how the words are written")


def run_next(arguments: argparse.Namespace) -> None:
    """Print the likeliest words after each line."""
    from online_rnnlm.use.model import load

    texts = texts_in(arguments)
    model = load(arguments.model)
    start = model.start(frozen=arguments.frozen)

    def found() -> Iterator[tuple[list[str], float, Sequence[tuple[str, float]]]]:
        line = None
        for line in numbered_lines(texts):
            with naming(line.where):
                begin = model.beginning(line.text, tokenised=arguments.tokenised)
            _, state = model.continue_(start, begin)
            yield begin, model.entropy(state), model.likeliest(state, arguments.number)
        if line is None:
            raise lacking(texts, "line")

    if arguments.format == "plain":
        for begin, entropy, likeliest in found():
            print(f"{' '.join([*begin, '…'])} entropy {entropy:.2f} nats")
            for word, log in likeliest:
                print(f"  {math.exp(log):6.4f}  {word}")
        return
    rows = (
        {"text": number, "entropy": entropy, "word": word, "log_probability": log}
        for number, (_, entropy, likeliest) in enumerate(found())
        for word, log in likeliest
    )
    print_rows(rows, arguments.format)


def add_sample_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `sample`."""
    add_model(parser)
    parser.add_argument(
        "--number",
        type=whole_number_to(10_000),
        default=1,
        help="number of sentences (default: %(default)s)",
    )
    parser.add_argument("--prefix", default="", help="the words that each sentence begins with")
    add_options(parser, SamplingOptions, top_k="N")
    parser.add_argument(
        "--frozen", action="store_true", help="the vector does not learn from what is said"
    )


def run_sample(arguments: argparse.Namespace) -> None:
    """Print sentences that the model makes."""
    from online_rnnlm.use.model import load

    made = load(arguments.model).sample(
        arguments.number,
        prefix=arguments.prefix,
        frozen=arguments.frozen,
        **options_in(arguments, SamplingOptions),
    )
    for sentence in made:
        print(sentence)


NEXT = Verb(
    "say which words are likeliest to come next in a text",
    add_next_arguments,
    run_next,
    """\
example: echo "The capital of" | online-rnnlm next

Each line is the beginning of a sentence; `</s>` is a sentence's end. The entropy is that of the
next word, in nats. TSV and JSON have the columns text (the number of the line, from 0), entropy,
word and log_probability.""",
)
SAMPLE = Verb(
    "make sentences with a trained model",
    add_sample_arguments,
    run_sample,
    "example: online-rnnlm sample --number 3 --prefix 'The city'",
)
