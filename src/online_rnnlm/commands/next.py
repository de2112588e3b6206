"""Say which words are likeliest to come next in a text."""

from __future__ import annotations

import argparse

from online_rnnlm.commands import _arguments, _model

HELP = "say which words are likeliest to come next in a text"
EXAMPLE = """\
example: echo "The capital of" | online-rnnlm next

Each line is the beginning of a sentence; `</s>` is a sentence's end. The entropy is that of the
next word, in nats. TSV and JSON have the columns text (the number of the line, from 0), entropy,
word and log_probability."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    _model.add_model(parser)
    _model.add_files(parser, "the beginnings of sentences, a line each")
    parser.add_argument(
        "--tokenised", action="store_true", help="the lines are tokens with spaces between them"
    )
    parser.add_argument(
        "--number",
        type=_arguments.whole_number(10**9),
        default=5,
        help="how many words to give for each line (default: 5)",
    )
    parser.add_argument(
        "--frozen", action="store_true", help="the vector does not learn from the line"
    )
    _model.add_format(parser, "plain", "tsv", "jsonl", help="how the words are written")


def run(arguments: argparse.Namespace) -> None:
    """Run the verb."""
    import math

    from online_rnnlm.errors import naming
    from online_rnnlm.use.text import numbered_lines

    model = _model.named_model(arguments)
    start = model.start(frozen=arguments.frozen)
    rows = _model.RowPrinter(arguments.format, "text", "entropy", "word", "log_probability")
    for number, (where, line, _) in enumerate(numbered_lines(arguments.files)):
        with naming(where):
            begin = model.beginning(line, tokenised=arguments.tokenised)
        _, state = model.continue_(start, begin)
        entropy = model.entropy(state)
        rows.heading(f"{' '.join(begin)} … entropy {entropy:.2f} nats")
        for word, log in model.likeliest(state, arguments.number):
            rows.row(f"  {math.exp(log):6.4f}  {word}", number, entropy, word, log)
