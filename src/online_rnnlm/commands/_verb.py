"""A verb of the command line, its parser, what options read, and the rows that verbs print."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from online_rnnlm.config.mistakes import first_message
from online_rnnlm.errors import ERROR_MARK


@dataclass(frozen=True)
class Verb:
    """A verb of the command line."""

    help: str
    """One line that says what the verb does."""
    add_arguments: Callable[[argparse.ArgumentParser], None]
    """Adds its arguments to a parser."""
    run: Callable[[argparse.Namespace], None]
    """Does its work."""
    example: str | None = None
    """A command to try, and what else its help says at the end."""


class Parser(argparse.ArgumentParser):
    """A parser whose error is one line: argparse would print the usage of the verb, too."""

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and the message."""
        self.exit(2, f"{ERROR_MARK}{message}; see `{self.prog} --help`\n")


def value_of(kind: Any) -> Callable[[str], Any]:
    """Return a function that reads a value of a type, such as those of settings, for argparse."""
    checked = TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False))

    def read(text: str) -> Any:
        try:
            return checked.validate_python(text)
        except ValidationError as error:
            raise argparse.ArgumentTypeError(first_message(error)) from None

    return read


def whole_number_to(most: int) -> Callable[[str], int]:
    """Return a function that reads a whole number from 1 to `most` for argparse."""
    return value_of(Annotated[int, Field(ge=1, le=most)])


def new_file(text: str) -> Path:
    """Read the name of a file to write for argparse: not a directory's, nor `-`."""
    if text == "-" or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: a file's name is needed")
    return Path(text)


def add_format(
    parser: argparse.ArgumentParser, help: str, choices: Sequence[str] = ("plain", "tsv", "jsonl")
) -> None:
    """Add the options of the format of rows, by default the first of the choices.

    `plain` rows, for people, are the verb's own.
    """
    parser.add_argument(
        "--format",
        choices=choices,
        default=choices[0],
        help=f"{help} (default: %(default)s)",
    )
    parser.add_argument(
        "--json",
        dest="format",
        action="store_const",
        const="jsonl",
        help="the same as `--format jsonl`",
    )


def print_rows(rows: Iterable[Mapping[str, Any]], form: str, *, flush: bool = False) -> None:
    """Print rows, whose keys are the columns, as `tsv`, which begins with a header, or `jsonl`.

    With `flush`, none waits for others to be written.
    """
    for number, row in enumerate(rows):
        if form == "jsonl":
            # JSON has no NaN, which is the perplexity of an empty text.
            values = {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in row.items()
            }
            print(json.dumps(values, ensure_ascii=False), flush=flush)
        else:
            header = "\t".join(row) + "\n" if number == 0 else ""
            print(header + "\t".join(map(str, row.values())), flush=flush)
