"""Show how surprising each word of a text is, with the vector frozen and learning."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys

from online_rnnlm.commands._inputs import exists, is_file
from online_rnnlm.commands._verb import Verb, new_file
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import writing_output
from online_rnnlm.use.text import TextFile, TextOrFile, layout_of, read_text


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `show`."""
    parser.add_argument(
        "text", nargs="*", metavar="TEXT", help="a text or a file; nothing is standard input"
    )
    parser.add_argument(
        "--model", help="a model, as in `score` (default: the one that comes with the project)"
    )
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

    model = load(arguments.model)
    texts = _as_texts(arguments.text)
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


def _as_texts(arguments: list[str]) -> list[TextOrFile]:
    """Return texts and files; words of which none is a file or has a space are one text.

    A text need not be in quotes: it is what is no file's name. Raises UserError for a word that can
    only be one.
    """
    texts = [TextFile(one) if is_file(one) else one for one in arguments]
    words = [text for text in texts if isinstance(text, str)]
    for word in words:
        if len(word.split()) == 1 and ("/" in word or re.search(r"\.[^\W\d_]\w*$", word)):
            no_file = "no such file; if it is a word of a text, put the text into quotes"
            folder = "is a folder: name a model by `--model`"
            raise UserError(f"{word}: {folder if exists(word) else no_file}")
    are_unquoted = words == texts and not any(" " in word for word in words)
    return [" ".join(words)] if words and are_unquoted else texts


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
