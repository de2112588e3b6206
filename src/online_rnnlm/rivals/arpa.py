"""N-gram models in ARPA's format, as SRILM and KenLM read and write it.

A line is an n-gram's log P to the base 10, its words and, if it is the history of longer ones, the
logarithm of its weight: log P of a word after a history that the file does not have with it is the
history's weight and log P after the history without its first word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from online_rnnlm.corpora.textfiles import SENTENCE_END, UNKNOWN, read_lines
from online_rnnlm.errors import UserError
from online_rnnlm.rivals.base import Floats
from online_rnnlm.rivals.kneser_ney import KneserNey
from online_rnnlm.storage.files import replacing

BEGIN, DATA = "<s>", "\\data\\"
"""The word that a sentence begins after, and the line that a file begins with, after comments."""
_LN10 = math.log(10)


class Arpa:
    """An n-gram model of a file in ARPA's format."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises UserError, which names the line, if it is no such model."""
        self._logs: dict[str, float] = {}
        self._backoffs: dict[str, float] = {}
        self._order = 0
        for number, line in enumerate(read_lines(path), 1):
            self._add(line, f"{path}, line {number}")
        if not self._logs:
            raise UserError(f"{path}: no n-gram model: ARPA's format has `\\1-grams:`")

    def _add(self, line: str, where: str) -> None:
        if line.startswith("\\") and line.endswith("-grams:"):
            self._order = int(line[1:-7])
        elif self._order and line and line[0] not in "\\":
            log, *words = line.split()
            try:
                gram = " ".join(words[: self._order])
                self._logs[gram] = float(log) * _LN10
                for backoff in words[self._order : self._order + 1]:
                    self._backoffs[gram] = float(backoff) * _LN10
            except ValueError:
                raise UserError(f"{where}: no {self._order}-gram of ARPA's format") from None

    def of(self, words: Iterable[str]) -> Floats:
        """Return log P of each word of a text, in which `</s>` ends sentences; -∞ if it has none.

        A word that the model does not have is its `<unk>`.
        """
        return np.fromiter(self._each(words), np.float64)

    def _each(self, words: Iterable[str]) -> Iterator[float]:
        read = [BEGIN]
        for word in words:
            read = [*read[1 - self._order :], word if word in self._logs else UNKNOWN]
            yield self._log(read)
            read = [BEGIN] if word == SENTENCE_END else read

    def _log(self, words: Sequence[str]) -> float:
        """Return log P of the last word; of an n-gram that is missing, the shorter one's."""
        total = 0.0
        for first in range(len(words)):
            found = self._logs.get(" ".join(words[first:]))
            if found is not None:
                return total + found
            total += self._backoffs.get(" ".join(words[first:-1]), 0.0)
        return -math.inf


def write_arpa(model: KneserNey, words: Sequence[str], path: Path) -> None:
    """Write a Kneser-Ney model, whole or not at all; `words` is its vocabulary."""
    names = [*words, BEGIN]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as out:
        tables = list(model.tables())
        counts = (f"ngram {n}={len(table.logs)}" for n, table in enumerate(tables, 1))
        out.write("\n".join([DATA, *counts, ""]))
        for number, table in enumerate(tables, 1):
            out.write(f"\n\\{number}-grams:\n")
            for ids, log, weight in zip(*(column.tolist() for column in table), strict=True):
                gram = " ".join(names[word] for word in ids)
                out.write(f"{log:.9g}\t{gram}\t{weight:.9g}\n")
        out.write("\n\\end\\\n")
