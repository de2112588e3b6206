"""Show how surprising each word of a text is, with the vector frozen and learning."""

from __future__ import annotations

import argparse
import json
import os
import sys

from online_rnnlm.commands._inputs import add_model, add_texts, texts_in
from online_rnnlm.commands._verb import Verb, new_file
from online_rnnlm.storage.files import writing_output
from online_rnnlm.use.text import layout_of, read_text


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `show`."""
    add_model(parser)
    add_texts(parser)
    parser.add_argument(
        "--against",
        metavar="MODEL",
        help="a static model that reads the text, too (default: the one that comes with the "
        "project, if `--model` is not given)",
    )
    parser.add_argument(
        "--lines", action="store_true", help="each line is a sentence: it is not divided"
    )
    written = parser.add_mutually_exclusive_group()
    written.add_argument("--html", type=new_file, metavar="FILE", help="write a page")
    written.add_argument("--json", action="store_true", help="print JSON")


def run_show(arguments: argparse.Namespace) -> None:
    """Show a text."""
    from online_rnnlm.use.model import load
    from online_rnnlm.use.show import show

    texts = texts_in(arguments)
    model = load(arguments.model)
    sentences = list(read_text(texts, model.preparation, layout_of(running=not arguments.lines)))
    static = load(arguments.against) if arguments.against else model.companion
    shown = show(model.scorer, sentences, static.scorer if static else None)
    if arguments.html:
        with writing_output(arguments.html) as temporary:
            temporary.write_text(shown.html(), encoding="utf-8")
        if arguments.html.is_file():
            print(f"{arguments.html}: written")
    elif arguments.json:
        bits = {name: values.round(6).tolist() for name, values in shown.readings.items()}
        said = {"titles": shown.titles, "sentences": shown.sentences, "bits": bits}
        print(json.dumps(said, ensure_ascii=False))
    elif sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        print(shown.coloured())
    else:
        print(shown)


SHOW = Verb(
    "show how surprising each word of a text is, with the vector frozen and learning",
    add_show_arguments,
    run_show,
    """\
example: online-rnnlm show "The opera premiered in Vienna. Mozart conducted the orchestra."

Colours are what learning gained (green) or lost (red) over the static model that reads the text,
too, or over the frozen vector without one. A word in brackets is not in the vocabulary. The words
that gained most are underlined and listed. The mean is over all words and ends of sentences;
surprise is -log2 P.""",
)
