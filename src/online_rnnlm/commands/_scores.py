"""Scores as the verb `score` writes them: plain for people, TSV and JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import IO, Literal

import numpy as np
import pandas as pd
from tqdm import tqdm

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.way import Way
from online_rnnlm.errors import UserError, counted
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.scored import ScoredPart, marked
from online_rnnlm.use.text import Layout, read_text

Per = Literal["word", "sentence", "document", "total"]
Form = Literal["plain", "tsv", "jsonl"]
LOGARITHMS = {"nats": 1.0, "bits": math.log(2), "log10": math.log(10)}
"""The units of log-probabilities, each in nats."""
_SUMMED = ["tokens", "unknown", "log_probability", "unknown_log_probability"]
_OF_TEXTS = ("perplexity_without_unknown", "oov_rate")
"""The columns that only the sum over a whole text has."""
_SHOWN = {
    "word": ("log_probability", "word"),
    "sentence": ("log_probability", "tokens", "unknown", "perplexity", "text"),
    "document": ("log_probability", "sentences", "tokens", "unknown", "perplexity", "document"),
}
"""The columns that are shown to people, by the thing that has a row."""
_WIDTH = 11
_IN_UNITS = {"log_probability", "unknown_log_probability"}
"""The columns that are given in the unit of log-probabilities."""


def summary(tables: Sequence[pd.DataFrame]) -> dict[str, int | float]:
    """Add up the rows of sentences, as `ScoredPart.rows_of_sentences` makes them.

    The sum over a text is that of the project's own evaluations. `tokens` counts an end, `</s>`,
    for each sentence; the OOV rate is the share of the words, ends not counted, that are not in the
    vocabulary.
    """
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


class ScoreWriter:
    """A writer of a row for each word, sentence or document, and of the sum over all."""

    def __init__(self, out: IO[str], per: Per, form: Form, unit: str) -> None:
        self._out = out
        self._per = per
        self._form = form
        self._unit = unit
        self._sentences: list[pd.DataFrame] = []
        """The numbers of all sentences."""
        self._document = 0
        """Number of the document that goes on."""
        self._of_document: list[pd.DataFrame] = []
        """The numbers of its sentences."""
        self._has_header = False

    def add(self, part: ScoredPart) -> None:
        """Write the rows of a part; a document's row follows when the document has ended."""
        table = part.rows_of_sentences()
        if self._per == "word":
            words = part.rows_of_words()
            if self._form == "plain":
                words["word"] = marked(words["word"], ~words["known"])
            self._write(words)
        elif self._per == "sentence":
            self._write(table.assign(text=part.marked) if self._form == "plain" else table)
        elif self._per == "document":
            for document in table["document"].unique().tolist():
                if document != self._document:
                    self._end_document()
                self._document = document
                self._of_document.append(table.loc[table["document"] == document, _SUMMED])
        self._sentences.append(table[_SUMMED])

    def finish(self) -> None:
        """Write what is left and, for people or if rows are `total`, the sum over all sentences."""
        self._end_document()
        total = summary(self._sentences)
        if self._form == "plain":
            self._out.write(self._in_words(total))
        elif self._per == "total":
            self._write(pd.DataFrame([total]))

    def _end_document(self) -> None:
        if self._of_document:
            sums = summary(self._of_document)
            row = {"document": self._document, **sums}
            self._write(pd.DataFrame([row]).drop(columns=[*_OF_TEXTS]))
            self._of_document = []

    def _write(self, table: pd.DataFrame) -> None:
        for name in _IN_UNITS & {*table}:
            table = table.assign(**{name: table[name] / LOGARITHMS[self._unit]})
        if self._form == "plain":
            shown = [name for name in _SHOWN[self._per] if name in table]
            self._out.write(self._plain(table[shown]))
        elif self._form == "tsv":
            if not self._has_header:
                self._out.write("\t".join(table.columns) + "\n")
            rows = table.itertuples(index=False)
            self._out.write("".join(["\t".join(map(str, row)) + "\n" for row in rows]))
        else:
            for record in table.astype(object).where(table.notna(), None).to_dict("records"):
                self._out.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._has_header = True

    def _plain(self, table: pd.DataFrame) -> str:
        """Return lines of right-aligned numbers, the text last; titles stand above the first."""
        kinds = [".2f" if kind.kind == "f" else "" for kind in table.dtypes[:-1]]
        names = ["log P" if name == "log_probability" else name for name in table.columns]
        titles = " ".join([*(f"{name:>{_WIDTH}}" for name in names[:-1]), f" {names[-1]}\n"])
        line = " ".join([*(f"{{:>{_WIDTH}{kind}}}" for kind in kinds), " {}\n"]).format
        rows = [line(*row) for row in table.itertuples(index=False)]
        return "".join(rows if self._has_header else [titles, *rows])

    def _in_words(self, total: dict[str, int | float]) -> str:
        """Return the sum over all sentences in one line."""
        words = total["tokens"] - total["sentences"]
        shown = total["log_probability"] / LOGARITHMS[self._unit]
        return (
            f"{counted(total['sentences'], 'sentence')}, {counted(words, 'word')}, "
            f"{total['unknown']} unknown ({total['oov_rate']:.1%}): "
            f"log P {shown:.2f} {self._unit}, perplexity {total['perplexity']:.2f}, "
            f"{total['perplexity_without_unknown']:.2f} without unknown words\n"
        )


def score_text(
    model: TrainedModel,
    files: Sequence[str],
    layout: Layout,
    way: Way,
    writer: ScoreWriter,
    *,
    flush: bool = False,
) -> None:
    """Score a text; with `flush`, each sentence is scored and written before the next is read.

    Raises UserError for text that cannot be read, and if the model diverges.
    """
    if flush and model.network.unit_of(way) != "sentence":
        raise UserError("--flush: needs `--unit-of-text sentence`: nothing may be kept")
    sentences = read_text(files, model.preparation, layout)
    # The bar would be in the way of what is written to the same terminal.
    hidden = True if flush or sys.stdout.isatty() else None
    shown = tqdm(sentences, desc="scored", unit=" sentences", disable=hidden)
    size = 1 if flush else SENTENCES_A_CALL
    for part in model.score_parts(shown, way, size=size):
        writer.add(part)
        if flush:
            sys.stdout.flush()
    writer.finish()
