"""Writing of scores: plain for people, TSV and JSON lines for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.use.columns import Columns, beginnings, between, records_of, rows_of
from online_rnnlm.use.scored import ScoredPart, Total

Per = Literal["word", "sentence", "document", "total"]
Form = Literal["plain", "tsv", "jsonl"]
LOGARITHMS = {"nats": 1.0, "bits": math.log(2), "log10": math.log(10)}
"""The units of log-probabilities, each in nats."""
_PLAIN = {
    "word": ("log_probability", "word"),
    "sentence": ("log_probability", "tokens", "unknown", "perplexity", "text"),
    "document": ("log_probability", "sentences", "tokens", "unknown", "perplexity", "document"),
    "total": (),
}
"""The columns that are shown to people, by the thing that has a row."""
_TITLES = {"log_probability": "log P"}
_WIDTH = 11


class ScoreWriter:
    """A writer of a row for each word, sentence or document, and of the sum over all."""

    def __init__(self, out: IO[str], per: Per, form: Form, unit: str) -> None:
        self._out, self._per, self._form, self._unit = out, per, form, unit
        self._total = Total()
        self._document: tuple[int, Total] | None = None
        self._documents = 0
        self._has_header = False

    def add(self, part: ScoredPart) -> None:
        """Write the rows of a part; a document's row follows when the document has ended."""
        first = self._total.sentences
        table = part.table(first)
        if self._per == "word":
            self._write(part.words(first))
        elif self._per == "sentence":
            self._write(table | {"text": part.marked} if self._form == "plain" else table)
        elif self._per == "document":
            for row in self._ended(table):
                self._write(row)
        self._total.add(table)

    def finish(self) -> None:
        """Write what is left, and the sum over all sentences."""
        if self._document is not None:
            self._write(_document_row(*self._document))
        if self._form == "plain":
            self._out.write(self._in_words())
        elif self._per == "total":
            self._write(_one_row(self._total.row(whole=True)))

    def _ended(self, table: Columns) -> Iterator[Columns]:
        """Yield the row of each document that has ended."""
        numbers = np.asarray(table["document"])
        for begin, end in pairwise([*beginnings(numbers).tolist(), len(numbers)]):
            document = int(numbers[begin])
            if self._document is not None and self._document[0] != document:
                yield _document_row(*self._document)
                self._document = None
            if self._document is None:
                self._document = document, Total()
            self._document[1].add(between(table, begin, end))

    def _write(self, table: Columns) -> None:
        for name in ("log_probability", "unknown_log_probability"):
            if name in table:
                table = table | {name: np.asarray(table[name]) / LOGARITHMS[self._unit]}
        if self._form == "plain":
            self._out.write(self._plain({name: table[name] for name in _PLAIN[self._per]}))
        elif self._form == "tsv":
            if not self._has_header:
                self._out.write("\t".join(table) + "\n")
            self._out.write("".join(["\t".join(map(str, row)) + "\n" for row in rows_of(table)]))
        else:
            for record in records_of(table):
                self._out.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._has_header = True

    def _plain(self, table: Columns) -> str:
        """Return lines of right-aligned numbers, the text last; titles stand above the first."""
        title = "" if self._has_header else _line([_TITLES.get(name, name) for name in table])
        formats = [_format_of(column) for column in [*table.values()][:-1]]
        line = " ".join([*formats, " {}\n"]).format
        return title + "".join([line(*row) for row in rows_of(table)])

    def _in_words(self) -> str:
        """Return the sum over all sentences in one line."""
        total, words = self._total, self._total.tokens - self._total.sentences
        shown = total.log_probability / LOGARITHMS[self._unit]
        return (
            f"{_counted(total.sentences, 'sentence')}, {_counted(words, 'word')}, "
            f"{total.unknown} unknown ({total.oov_rate:.1%}): log P {shown:.2f} {self._unit}, "
            f"perplexity {total.perplexity:.2f}, "
            f"{total.perplexity_without_unknown:.2f} without unknown words\n"
        )


def _document_row(number: int, total: Total) -> Columns:
    return _one_row({"document": number, **total.row()})


def _one_row(values: dict[str, int | float]) -> Columns:
    return {name: np.array([value]) for name, value in values.items()}


def _format_of(column: NDArray[Any] | list[str]) -> str:
    """Return how a column is shown: fractions with two digits."""
    return f"{{:>{_WIDTH}.2f}}" if np.asarray(column).dtype.kind == "f" else f"{{:>{_WIDTH}}}"


def _line(cells: list[str]) -> str:
    """Return a line of columns: numbers right-aligned, the text last."""
    *numbers, last = cells
    return " ".join([*(f"{cell:>{_WIDTH}}" for cell in numbers), f" {last}"]) + "\n"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
