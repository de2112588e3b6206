"""Verbs for what comes next in a text: the likeliest words, and sentences that the model makes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import MODEL, RowGroup, Verb, argument, flag


def run_next(arguments: argparse.Namespace) -> None:
    """Print the likeliest words after each line."""
    from online_rnnlm.errors import naming
    from online_rnnlm.use.text import numbered_lines

    model = _arguments.model_of(arguments)
    start = model.start(frozen=arguments.frozen)

    def groups() -> Iterator[RowGroup]:
        for number, (where, line, _) in enumerate(numbered_lines(arguments.files)):
            with naming(where):
                begin = model.beginning(line, tokenised=arguments.tokenised)
            _, state = model.continue_(start, begin)
            entropy = model.entropy(state)
            rows = [
                (f"  {math.exp(log):6.4f}  {word}", (number, entropy, word, log))
                for word, log in model.likeliest(state, arguments.number)
            ]
            yield f"{' '.join(begin)} … entropy {entropy:.2f} nats", rows

    columns = ("text", "entropy", "word", "log_probability")
    _arguments.print_rows(arguments.format, columns, groups())


def run_sample(arguments: argparse.Namespace) -> None:
    """Print sentences that the model makes."""
    from online_rnnlm.use.text import is_text

    if is_text(arguments.model or "-") and not arguments.prefix:
        arguments.model, arguments.prefix = None, arguments.model
    model = _arguments.model_of(arguments)
    keys = ("number", "seed", "prefix", "temperature", "top_k", "max_words", "unknown", "frozen")
    for sentence in model.sample(**{key: getattr(arguments, key) for key in keys}):
        print(sentence)


NEXT = Verb(
    "say which words are likeliest to come next in a text",
    run_next,
    (
        MODEL,
        _arguments.files("the beginnings of sentences, a line each"),
        flag("--tokenised", "the lines are tokens with spaces between them"),
        argument(
            "--number",
            type=_arguments.whole_number(10**9),
            default=5,
            help="how many words to give for each line (default: 5)",
        ),
        flag("--frozen", "the vector does not learn from the line"),
        *_arguments.formats("plain", "tsv", "jsonl", help="how the words are written"),
    ),
    """\
example: echo "The capital of" | online-rnnlm next

Each line is the beginning of a sentence; `</s>` is a sentence's end. The entropy is that of the
next word, in nats. TSV and JSON have the columns text (the number of the line, from 0), entropy,
word and log_probability.""",
)
SAMPLE = Verb(
    "make sentences with a trained model",
    run_sample,
    (
        MODEL,
        argument(
            "--number",
            type=_arguments.whole_number(10_000),
            default=1,
            help="number of sentences (default: 1)",
        ),
        argument(
            "--seed",
            type=_arguments.whole_number(10**18, least=0),
            default=1,
            help="seed of the random numbers (default: 1)",
        ),
        argument(
            "--prefix",
            default="",
            help="the words that each sentence begins with; a text in quotes is that, too",
        ),
        argument(
            "--temperature",
            type=_arguments.positive_number,
            default=1.0,
            help="below 1, likely words become likelier (default: 1)",
        ),
        argument(
            "--top-k",
            type=_arguments.whole_number(10**9),
            metavar="N",
            help="draw each word among the N likeliest",
        ),
        argument(
            "--max-words",
            type=_arguments.whole_number(1000),
            default=100,
            help="words after which a sentence is cut off (default: 100)",
        ),
        flag("--unknown", "say `<unk>`, too"),
        flag("--frozen", "the vector does not learn from what is said"),
    ),
    "example: online-rnnlm sample --number 3 --prefix 'The city'",
)
