"""Verbs for the scores of a text: compute them, and compare those of two models."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from online_rnnlm.commands._inputs import (
    add_adaptation,
    add_layout,
    add_model,
    add_texts,
    layout_given,
    options_in,
    texts_in,
)
from online_rnnlm.commands._verb import Verb, add_format, print_rows
from online_rnnlm.errors import UserError, counted
from online_rnnlm.use.options import AdaptationOptions
from online_rnnlm.use.text import read_text

if TYPE_CHECKING:
    import pandas as pd

    from online_rnnlm.use.scoring import ScoredPart

    Scored = Iterator[tuple[list[dict[Any, Any]], list[pd.DataFrame]]]
    """The rows of each part of a text, or of each document, with what is added up of it."""

LOGARITHMS = {"nats": 1.0, "bits": math.log(2), "log10": math.log(10)}
"""The units of log-probabilities, each in nats."""
Row = dict[Any, Any]
"""The values of a row by their columns."""
_IN_UNITS = ("log_probability", "unknown_log_probability")
"""The columns that are given in the unit of log-probabilities."""
_OF_DOCUMENT = ("sentences", "tokens", "unknown", "log_probability", "perplexity")
"""The columns of a document's row, beside its number."""
_SHOWN = {
    "word": ("log_probability", "word"),
    "sentence": ("log_probability", "tokens", "unknown", "perplexity", "text"),
    "document": ("log_probability", "sentences", "tokens", "unknown", "perplexity", "document"),
}
"""The columns that are shown to people, by the thing that has a row."""


def add_score_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `score`."""
    add_model(parser)
    add_texts(parser)
    add_layout(parser)
    add_adaptation(parser)
    parser.add_argument(
        "--per",
        choices=("word", "sentence", "document", "total"),
        default="sentence",
        help="what has a row (default: %(default)s)",
    )
    parser.add_argument(
        "--in",
        dest="unit",
        choices=tuple(LOGARITHMS),
        default="nats",
        help="unit of log-probabilities: to the base e, 2 or 10; columns for programs are named "
        "after it, such as `log_probability_bits` (default: %(default)s, in `log_probability`)",
    )
    add_format(
        parser,
        "how rows are written: `plain` for people, the others for programs, with every digit",
    )
    parser.add_argument(
        "--flush",
        action="store_true",
        help="score each line as soon as it is read; needs `--unit-of-text sentence`",
    )


def run_score(arguments: argparse.Namespace) -> None:
    """Print the scores of a text."""
    from tqdm import tqdm

    from online_rnnlm.core.order import SENTENCES_A_PART
    from online_rnnlm.use.model import load

    texts = texts_in(arguments)
    model = load(arguments.model)
    adaptation = model.scorer.adaptation(**options_in(arguments, AdaptationOptions))
    flush: bool = arguments.flush
    if flush and model.network.unit_of(adaptation) != "sentence":
        raise UserError("--flush: needs `--unit-of-text sentence`: nothing may be kept")
    sentences = read_text(texts, model.preparation, layout_given(arguments))
    # The bar would disturb what is written to the same terminal.
    hidden = True if flush or sys.stdout.isatty() else None
    shown = tqdm(sentences, desc="scored", unit=" sentences", disable=hidden)
    parts = model.scorer.score_parts(shown, adaptation, size=1 if flush else SENTENCES_A_PART)
    print_scores(parts, arguments.per, arguments.format, arguments.unit, flush=flush)


def print_scores(
    parts: Iterable[ScoredPart], per: str, form: str, unit: str, *, flush: bool = False
) -> None:
    """Print a row for each word, sentence or document of a text, and the sum over all.

    The sum is for people; programs get it as the only row if rows are `total`. With `flush`, each
    row is written at once.
    """
    from online_rnnlm.use.scoring import total

    scored = _scored(parts, per, is_plain=form == "plain")
    if form == "plain":
        _print_for_people(scored, per, unit, flush=flush)
    elif per == "total":
        sums = total([table for _, tables in scored for table in tables])
        print_rows([_for_programs(sums, unit)], form)
    else:
        rows = (_for_programs(row, unit) for rows, _ in scored for row in rows)
        print_rows(rows, form, flush=flush)


def _print_for_people(scored: Scored, per: str, unit: str, *, flush: bool) -> None:
    """Print the rows below their titles, and then the sum over all in words."""
    from online_rnnlm.use.scoring import total

    shown = _SHOWN.get(per, ())
    titles: list[Row] = [{name: name for name in shown} | {"log_probability": "log P"}]
    tables: list[pd.DataFrame] = []
    for rows, summed in scored:
        tables += summed
        if rows:
            lines = [*titles, *(_in_unit(row, unit) for row in rows)]
            print("\n".join(_aligned(line[name] for name in shown) for line in lines), flush=flush)
            titles = []
    print(_in_words(_in_unit(total(tables), unit), unit))


def _scored(parts: Iterable[ScoredPart], per: str, *, is_plain: bool) -> Scored:
    """Yield the rows of words, sentences or documents; none if what has a row is `total`.

    For people, brackets are around the words that the vocabulary lacks.
    """
    from online_rnnlm.use.scoring import SUMMED, total

    if per == "document":  # which can continue in the next part
        pieces = (piece for part in parts for piece in part.rows_of_sentences().groupby("document"))
        for document, of_document in groupby(pieces, key=itemgetter(0)):
            tables = [rows[SUMMED] for _, rows in of_document]
            sums = total(tables)
            row = {"document": int(document), **{name: sums[name] for name in _OF_DOCUMENT}}
            yield [row], tables
        return
    for part in parts:
        table = part.rows_of_sentences()
        rows: list[Row] = []
        if per == "word":
            words = part.rows_of_words()
            if is_plain:
                words["word"] = words["word"].where(words["known"], "[" + words["word"] + "]")
            rows = words.to_dict("records")
        elif per == "sentence":
            shown = table.assign(text=part.marked_texts) if is_plain else table
            rows = shown.to_dict("records")
        yield rows, [table[SUMMED]]


def _in_unit(row: Row, unit: str) -> Row:
    """Return a row whose log-probabilities, in nats, are given in another unit."""
    return {k: v / LOGARITHMS[unit] if k in _IN_UNITS else v for k, v in row.items()}


def _for_programs(row: Row, unit: str) -> Row:
    """Return a row in another unit, which the columns then name: they are nats by default."""
    ending = "" if unit == "nats" else f"_{unit}"
    return {k + ending if k in _IN_UNITS else k: v for k, v in _in_unit(row, unit).items()}


def _in_words(sums: Row, unit: str) -> str:
    """Return the sum over all sentences in words."""
    words = sums["tokens"] - sums["sentences"]
    return (
        f"{counted(sums['sentences'], 'sentence')}, {counted(words, 'word')}, "
        f"{sums['unknown']} unknown ({sums['oov_rate']:.1%}): "
        f"log P {sums['log_probability']:.2f} {unit}, perplexity {sums['perplexity']:.2f}, "
        f"{sums['perplexity_without_unknown']:.2f} without unknown words"
    )


def _aligned(cells: Iterable[Any]) -> str:
    """Return a line of numbers, or of their titles, that end below each other; the text is last."""
    *numbers, text = cells
    aligned = [f"{n:>11.2f}" if isinstance(n, float) else f"{n:>11}" for n in numbers]
    return " ".join([*aligned, f" {text}"])


def add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `compare`."""
    table = "what `score --per word --format tsv` (or `jsonl`) wrote for"
    parser.add_argument("first", type=Path, help=f"{table} one model")
    parser.add_argument("second", type=Path, help=f"{table} the other one, for the same text")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_compare(arguments: argparse.Namespace) -> None:
    """Print the difference of two models."""
    from online_rnnlm.analysis.comparing import compare_files

    found = compare_files(arguments.first, arguments.second)
    print(json.dumps(asdict(found), indent=1) if arguments.json else found)


SCORE = Verb(
    "compute the log-probability and the perplexity of a text",
    add_score_arguments,
    run_score,
    """\
example: echo "Karachi is the capital of Sindh." | online-rnnlm score

A word in brackets is not in the vocabulary. A token is a word or the end of a sentence.""",
)
COMPARE = Verb(
    "say whether two models differ on a text by more than chance",
    add_compare_arguments,
    run_compare,
    """\
example: online-rnnlm compare learning.tsv frozen.tsv

The change of perplexity from the second model to the first one, with its 95 % bootstrap interval
and the p-value of a paired permutation test. Both draw documents, or blocks of sentences if the
text is one document. The tables must be in nats, as they are by default.""",
)
