"""Rows for other programs: TSV with a header, or lines of JSON."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any


def add_format(parser: argparse.ArgumentParser, help: str) -> None:
    """Add the options of the format of rows; `plain` rows, for people, are the verb's own."""
    parser.add_argument(
        "--format",
        choices=("plain", "tsv", "jsonl"),
        default="plain",
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
