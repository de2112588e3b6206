"""Arguments that the verbs for a trained model take, and the objects that they name."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from zipfile import is_zipfile

from online_rnnlm.commands import _arguments
from online_rnnlm.config.testing import MOST_STEPS, USUAL_STEPS
from online_rnnlm.core.way import UnitOfText
from online_rnnlm.errors import UserError

if TYPE_CHECKING:
    from online_rnnlm.core.way import Way
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.text import Layout


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model."""
    parser.add_argument(
        "model",
        nargs="?",
        help="a file that `export` wrote, a run's folder, the folder of an experiment's results, "
        "whose best model on `valid` is used, or an address of MLflow (`models:/…`, `runs:/…`); "
        "if left out, also before a FILE of text: the model that comes with the project",
    )


def add_files(parser: argparse.ArgumentParser, what: str) -> None:
    """Add files to read."""
    parser.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help=f"{what}; `-` or nothing is standard input",
    )


def add_text(parser: argparse.ArgumentParser, what: str = "the text") -> None:
    """Add the text's files and its layout: raw text, which is divided, if no option is given."""
    add_files(parser, what)
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument(
        "--tokenised", action="store_true", help="a sentence a line, spaces between its tokens"
    )
    layout.add_argument(
        "--lines", action="store_true", help="each line is a sentence: it is not divided"
    )


def add_learning(parser: argparse.ArgumentParser) -> None:
    """Add the options of what learns from the text."""
    learns = parser.add_mutually_exclusive_group()
    learns.add_argument("--frozen", action="store_true", help="nothing learns")
    learns.add_argument(
        "--updates",
        metavar="PARTS",
        help="what learns: `none`, `document_vector` (the default if the model has a vector), "
        "`all`, or names joined by `+`",
    )
    parser.add_argument(
        "--learn-after",
        default="word",
        metavar="MOMENT",
        help="when a step is taken: after each `word` (default), each `sentence` or, if the "
        "vector alone learns, a number of words",
    )
    add_unit(parser)
    parser.add_argument(
        "--learning-rate",
        type=_arguments.positive_number,
        metavar="RATE",
        help="size of the steps: of the weights that learn or, if it alone learns, of the vector",
    )
    parser.add_argument(
        "--steps",
        type=_arguments.whole_number(MOST_STEPS),
        help="words that an error is propagated back through if weights learn "
        f"(default: {USUAL_STEPS})",
    )


def add_unit(parser: argparse.ArgumentParser) -> None:
    """Add the unit of text."""
    parser.add_argument(
        "--unit-of-text",
        choices=get_args(UnitOfText),
        help="stretch of text after which all that was learnt is forgotten; an empty line ends a "
        "document (default: as in training)",
    )


def add_format(parser: argparse.ArgumentParser, *formats: str, help: str) -> None:
    """Add the format of lines; the first is the default, and `--json` is short for `jsonl`."""
    parser.add_argument(
        "--format", choices=formats, default=formats[0], help=f"{help} (default: {formats[0]})"
    )
    if "jsonl" in formats:
        parser.add_argument(
            "--json",
            dest="format",
            action="store_const",
            const="jsonl",
            help="the same as `--format jsonl`",
        )


class RowPrinter:
    """Prints rows: for people, or with these columns as TSV, with a header, or as lines of JSON."""

    def __init__(self, form: str, *columns: str) -> None:
        self._form = form
        self._columns = columns
        if form == "tsv":
            print("\t".join(columns))

    def heading(self, text: str) -> None:
        """Print a heading for people."""
        if self._form == "plain":
            print(text)

    def row(self, plain: str, *values: object) -> None:
        """Print a row: the text for people, or its values."""
        if self._form == "jsonl":
            row = dict(zip(self._columns, values, strict=True))
            print(json.dumps(row, ensure_ascii=False))
        elif self._form == "tsv":
            print("\t".join(map(str, values)))
        else:
            print(plain)


def named_model(arguments: argparse.Namespace) -> TrainedModel:
    """Load the model; a first argument that is a file of text is no model, but the first file.

    Raises UserError if there is none, or if a text was given in its place.
    """
    from online_rnnlm.tracking.opening import load

    given = arguments.model or ""
    if " " in given and not os.path.exists(given):  # noqa: PTH110  # too long a path is none
        raise UserError(f"{given}: no such file; a text is read from a file or standard input")
    first = Path(given)
    is_stream = given == "-" or first.is_fifo() or first.is_char_device()
    is_file = first.is_file() and first.suffix != ".onlm" and not is_zipfile(first)
    if (is_stream or is_file) and hasattr(arguments, "files"):
        arguments.model, arguments.files = None, [str(first), *arguments.files]
    return load(arguments.model)


def layout_of(model: TrainedModel, arguments: argparse.Namespace) -> Layout:
    """Return the layout of the text: raw text that is divided, unless an option says otherwise."""
    raw: Layout = "lines" if arguments.lines else "running"
    return model.preparation.layout("tokenised" if arguments.tokenised else raw)


def way_of(model: TrainedModel, arguments: argparse.Namespace) -> Way:
    """Return what learns from the text; raises UserError for options that cannot be combined."""
    return model.way(**way_options(arguments))


def way_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say what learns from the text."""
    from online_rnnlm.use.options import WayOptions

    options = {name: getattr(arguments, name) for name in WayOptions.model_fields}
    if arguments.frozen:
        options["updates"] = "none"
    return options
