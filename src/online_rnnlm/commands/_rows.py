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


def print_rows(rows: Iterable[Mapping[str, Any]], form: str, *, header: bool) -> None:
    """Print rows, whose keys are the columns, as `tsv` or `jsonl`; TSV can begin with a header."""
    for row in rows:
        if form == "jsonl":
            values = {key: None if _is_nan(value) else value for key, value in row.items()}
            print(json.dumps(values, ensure_ascii=False))
            continue
        if header:
            print("\t".join(row))
            header = False
        print("\t".join(map(str, row.values())))


def _is_nan(value: object) -> bool:
    """True for the perplexity of an empty text, which JSON cannot hold."""
    return isinstance(value, float) and math.isnan(value)
