"""Verbs for the scores of a text: compute them, and compare those of two models."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from online_rnnlm.commands._inputs import (
    add_model,
    add_text,
    add_way,
    layout_of,
    model_and_files,
    way_options,
)
from online_rnnlm.commands._rows import add_format, print_rows
from online_rnnlm.commands._verb import Verb
from online_rnnlm.errors import UserError, counted
from online_rnnlm.use.text import read_text

if TYPE_CHECKING:
    import pandas as pd

    from online_rnnlm.use.scored import ScoredPart

LOGARITHMS = {"nats": 1.0, "bits": math.log(2), "log10": math.log(10)}
"""The units of log-probabilities, each in nats."""
_IN_UNITS = ("log_probability", "unknown_log_probability")
"""The columns that are given in the unit of log-probabilities."""
_SUMMED = ["tokens", "unknown", "log_probability", "unknown_log_probability"]
"""The columns of sentences that are added up."""
_SHOWN = {
    "word": ("log_probability", "word"),
    "sentence": ("log_probability", "tokens", "unknown", "perplexity", "text"),
    "document": ("log_probability", "sentences", "tokens", "unknown", "perplexity", "document"),
}
"""The columns that are shown to people, by the thing that has a row."""


def add_score_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `score`."""
    add_model(parser)
    add_text(parser)
    add_way(parser)
    parser.add_argument(
        "--per",
        choices=("word", "sentence", "document", "total"),
        default="sentence",
        help="what has a row (default: sentence)",
    )
    parser.add_argument(
        "--in",
        dest="unit",
        choices=tuple(LOGARITHMS),
        default="nats",
        help="unit of log-probabilities: to the base e, 2 or 10 (default: nats)",
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

    from online_rnnlm.core.lanes import SENTENCES_A_CALL

    model, files = model_and_files(arguments)
    way = model.scorer.way(**way_options(arguments))
    flush: bool = arguments.flush
    if flush and model.network.unit_of(way) != "sentence":
        raise UserError("--flush: needs `--unit-of-text sentence`: nothing may be kept")
    sentences = read_text(files, model.preparation, layout_of(arguments))
    # The bar would be in the way of what is written to the same terminal.
    hidden = True if flush or sys.stdout.isatty() else None
    shown = tqdm(sentences, desc="scored", unit=" sentences", disable=hidden)
    printer = ScorePrinter(arguments.per, arguments.format, arguments.unit)
    for part in model.scorer.score_parts(shown, way, size=1 if flush else SENTENCES_A_CALL):
        printer.add(part)
        if flush:
            sys.stdout.flush()
    printer.finish()


class ScorePrinter:
    """Prints a row for each word, sentence or document of a text, and the sum over all."""

    def __init__(self, per: str, form: str, unit: str) -> None:
        self._per = per
        self._form = form
        self._unit = unit
        self._sentences: list[pd.DataFrame] = []
        """The numbers of all sentences."""
        self._document = 0
        """Number of the document that goes on."""
        self._of_document: list[pd.DataFrame] = []
        """The numbers of its sentences."""
        self._is_first = True
        """True before the first row."""

    def add(self, part: ScoredPart) -> None:
        """Print the rows of a part; a document's row follows when the document has ended."""
        table = part.rows_of_sentences()
        self._sentences.append(table[_SUMMED])
        if self._per == "word":
            words = part.rows_of_words()
            if self._form == "plain":
                words["word"] = words["word"].where(words["known"], "[" + words["word"] + "]")
            self._print(words.to_dict("records"))
        elif self._per == "sentence":
            shown = table.assign(text=part.marked) if self._form == "plain" else table
            self._print(shown.to_dict("records"))
        elif self._per == "document":
            for document in table["document"].unique().tolist():
                if document != self._document:
                    self._end_document()
                self._document = document
                self._of_document.append(table.loc[table["document"] == document, _SUMMED])

    def finish(self) -> None:
        """Print what is left and, for people or if rows are `total`, the sum over all sentences."""
        self._end_document()
        total = summary(self._sentences)
        if self._form == "plain":
            self._print_total(total)
        elif self._per == "total":
            self._print([total])

    def _end_document(self) -> None:
        if self._of_document:
            sums = summary(self._of_document)
            del sums["perplexity_without_unknown"], sums["oov_rate"]
            self._print([{"document": self._document, **sums}])
            self._of_document = []

    def _print(self, rows: Sequence[dict[Any, Any]]) -> None:
        for row in rows:
            for name in _IN_UNITS:
                if name in row:
                    row[name] /= LOGARITHMS[self._unit]
        if self._form == "plain":
            shown = _SHOWN[self._per]
            if self._is_first:
                print(_aligned("log P" if name == "log_probability" else name for name in shown))
            for row in rows:
                print(_aligned(row[name] for name in shown))
        else:
            print_rows(rows, self._form, header=self._is_first)
        self._is_first = False

    def _print_total(self, total: dict[str, Any]) -> None:
        """Print the sum over all sentences in words."""
        words = total["tokens"] - total["sentences"]
        shown = total["log_probability"] / LOGARITHMS[self._unit]
        print(
            f"{counted(total['sentences'], 'sentence')}, {counted(words, 'word')}, "
            f"{total['unknown']} unknown ({total['oov_rate']:.1%}): "
            f"log P {shown:.2f} {self._unit}, perplexity {total['perplexity']:.2f}, "
            f"{total['perplexity_without_unknown']:.2f} without unknown words"
        )


def _aligned(cells: Iterable[Any]) -> str:
    """Return a line of numbers, or of their titles, that end below each other; the text is last."""
    *numbers, text = cells
    aligned = [f"{n:>11.2f}" if isinstance(n, float) else f"{n:>11}" for n in numbers]
    return " ".join([*aligned, f" {text}"])


def summary(tables: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Add up the rows of sentences, as `ScoredPart.rows_of_sentences` makes them.

    The sum over a text is that of the project's own evaluations. `tokens` counts an end, `</s>`,
    for each sentence; the OOV rate is the share of the words, ends not counted, that are not in the
    vocabulary.
    """
    import numpy as np
    import pandas as pd

    table = pd.concat(tables)
    table = table[table["tokens"] > 0]  # empty texts would change how sums are rounded
    sentences = len(table)
    tokens = int(table["tokens"].sum())
    unknown = int(table["unknown"].sum())
    log_probability = float(np.array(table["log_probability"]).sum())
    of_known = log_probability - float(np.array(table["unknown_log_probability"]).sum())
    return {
        "sentences": sentences,
        "tokens": tokens,
        "unknown": unknown,
        "log_probability": log_probability,
        "perplexity": math.exp(-log_probability / tokens),
        "perplexity_without_unknown": math.exp(-of_known / (tokens - unknown)),
        "oov_rate": unknown / (tokens - sentences),
    }


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
text is one document. Log-probabilities are in nats.""",
)
