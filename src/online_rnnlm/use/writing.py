"""Writing of scores: plain for people, TSV and JSON lines for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Any, Literal

import pandas as pd

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
            self._write(self._marked(part, table) if self._form == "plain" else table)
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
            self._write(pd.DataFrame([self._total.row(whole=True)]))

    def _marked(self, part: ScoredPart, table: pd.DataFrame) -> pd.DataFrame:
        """Put the words that are not in the vocabulary into brackets."""
        words = part.words(0)
        shown = words["word"].where(words["known"], "[" + words["word"] + "]")
        ends = part.split.offsets
        texts = [" ".join(shown.iloc[begin : end - 1]) for begin, end in pairwise(ends)]
        return table.assign(text=texts)

    def _ended(self, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """Yield the row of each document that has ended."""
        for number, sentences in table.groupby("document", sort=False):
            document = int(str(number))
            if self._document is not None and self._document[0] != document:
                yield _document_row(*self._document)
                self._document = None
            if self._document is None:
                self._document = document, Total()
            self._document[1].add(sentences)

    def _write(self, table: pd.DataFrame) -> None:
        scaled = {
            name: table[name] / LOGARITHMS[self._unit]
            for name in ("log_probability", "unknown_log_probability")
            if name in table
        }
        table = table.assign(**scaled)
        if self._form == "plain":
            self._write_plain(table[list(_PLAIN[self._per])])
        elif self._form == "tsv":
            if not self._has_header:
                self._out.write("\t".join(table.columns) + "\n")
            for row in table.itertuples(index=False):
                self._out.write("\t".join(map(_exact, row)) + "\n")
        else:
            for record in table.to_dict("records"):
                self._out.write(json.dumps(record, ensure_ascii=False, default=_number) + "\n")
        self._has_header = True

    def _write_plain(self, table: pd.DataFrame) -> None:
        names = list(table.columns)
        if not self._has_header:
            self._out.write(_line([_TITLES.get(name, name) for name in names]))
        for row in table.itertuples(index=False):
            self._out.write(_line([f"{v:.2f}" if isinstance(v, float) else str(v) for v in row]))

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


def _document_row(number: int, total: Total) -> pd.DataFrame:
    return pd.DataFrame([{"document": number, **total.row()}])


def _line(cells: list[str]) -> str:
    """Return a line of columns: numbers right-aligned, the text last."""
    *numbers, last = cells
    return " ".join([*(f"{cell:>{_WIDTH}}" for cell in numbers), f" {last}"]) + "\n"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _exact(value: Any) -> str:
    """Return a value as text from which the same number can be read."""
    return repr(float(value)) if isinstance(value, float) else str(value)


def _number(value: Any) -> Any:
    """Return a number of numpy's as one of Python's, for JSON."""
    return value.item()
