"""The comparison of two models by their log-probabilities of one text, as the claims make it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from csv import QUOTE_NONE
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from online_rnnlm.analysis.significance import (
    Floats,
    Gain,
    Ints,
    bootstrap_interval,
    pieces_of,
    sign_flip_p_value,
)
from online_rnnlm.analysis.tables.values import interval, signed
from online_rnnlm.errors import UserError, naming

_COLUMNS = ["document", "sentence", "word", "known", "log_probability"]
"""The columns that are read of the table that `score --per word` writes."""

_ROUNDING = 1e-3
"""The most that rounding can put a log-probability above 0."""
_NEEDED = "a log-probability is needed, a finite number of at most 0"

_SMALL = 0.05
"""The p-value below which a difference is usually said not to be chance."""


@dataclass(frozen=True)
class Difference:
    """The difference between two models on one text, and how sure it is."""

    perplexity: float
    """Perplexity of the first model."""
    perplexity_against: float
    """Perplexity of the second one."""
    change_percent: float
    """Change from the second model's perplexity to the first one's (%): below 0, the first is
    better."""
    interval_percent: tuple[float, float]
    """95 % bootstrap interval of the change (%), pieces of the text drawn with replacement."""
    nats_per_token: float
    """Gain of the first model (nats per token)."""
    interval_nats_per_token: tuple[float, float]
    """95 % bootstrap interval of the gain (nats per token)."""
    p_value: float
    """Two-sided p-value of the paired permutation test over the pieces."""
    drawn: Literal["document", "block"]
    """The kind of the pieces: documents or, if these are not known, blocks of consecutive items."""
    pieces: int
    """Number of pieces."""
    tokens: int
    """Number of tokens."""

    def __str__(self) -> str:
        """Return what people read."""
        lines = [
            f"perplexity {self.perplexity:.2f} against {self.perplexity_against:.2f}: "
            f"{signed(self.change_percent, 2)} %, "
            f"95 % interval {interval(self.interval_percent, 2)}, p = {self.p_value:.2g}",
            f"{self.tokens} tokens in {self.pieces} {self.drawn}s, which are drawn",
        ]
        least = 2 ** (1 - self.pieces)  # all signs of the gains alike: two patterns of all
        if least > _SMALL:
            lines.append(
                f"{self.pieces} {self.drawn}s decide nothing, whatever the interval: with so few, "
                f"p is never below {least:.2g}; take a longer text"
            )
        return "\n".join(lines)


def compare(
    ours: Sequence[ArrayLike], theirs: Sequence[ArrayLike], documents: ArrayLike | None = None
) -> Difference:
    """Compare two models by their natural log P of the same text.

    Each has an item for each sentence, an array of its tokens' log P such as `log_probabilities`
    returns, or for each token, a number. `documents` has the number of each item's document. The
    interval and the test draw documents, since sentences of one share its subject and what is
    learnt from it; where these are not known, or are single items, blocks of N^(1/3) items of N.

    Raises UserError for what is no such list, if the items differ in number or length, a log P is
    not finite, or if there is a single piece.
    """
    lengths, logs, logs_against = _sums(ours, theirs)
    try:
        numbers = np.zeros(len(lengths)) if documents is None else np.asarray(documents)
        count = len(numbers)
        articles = np.unique(numbers, return_inverse=True)[1].astype(np.int32)
    except (TypeError, ValueError):
        raise UserError("`documents`: a number for each item of text is needed") from None
    if count != len(lengths):
        raise UserError(f"`documents`: {count} numbers for {len(lengths)} items of text")
    pieces = pieces_of(articles, "stream", in_order=True) if lengths.any() else None
    if pieces is None or pieces.count < 2:
        raise UserError("to compare two models, a text needs two documents, or several sentences")
    tokens = pieces.sums(lengths).astype(np.int64)
    gains = pieces.sums(logs - logs_against)
    nats = float(gains.sum() / tokens.sum())
    gain = Gain(nats, bootstrap_interval(gains, tokens), sign_flip_p_value(gains))
    return Difference(
        perplexity=math.exp(-logs.sum() / tokens.sum()),
        perplexity_against=math.exp(-logs_against.sum() / tokens.sum()),
        change_percent=gain.change_percent,
        interval_percent=gain.interval_percent,
        nats_per_token=gain.nats_per_token,
        interval_nats_per_token=gain.interval,
        p_value=gain.p_value,
        drawn="document" if pieces.name == "article" else "block",
        pieces=pieces.count,
        tokens=int(tokens.sum()),
    )


def _sums(ours: Sequence[ArrayLike], theirs: Sequence[ArrayLike]) -> tuple[Ints, Floats, Floats]:
    """The items' numbers of tokens, and the sums of their log P of each model, all (items,)."""
    try:
        sides = [[np.asarray(logs, np.float64) for logs in side] for side in (ours, theirs)]
    except (TypeError, ValueError):
        raise UserError(
            "two lists of log-probabilities are needed; the command `online-rnnlm compare` reads "
            "them from files"
        ) from None
    lengths, others = (np.array([logs.size for logs in side], np.int64) for side in sides)
    if not np.array_equal(lengths, others):
        raise UserError("the two lists of log-probabilities are not of the same items of text")
    for which, side in zip(("first", "second"), sides, strict=True):
        wrong = np.flatnonzero(~_are_logs(np.concatenate([[], *map(np.ravel, side)])))
        if wrong.size:
            item = np.searchsorted(np.cumsum(lengths), wrong[0], side="right")
            raise UserError(f"item {item} (from 0) of the {which} list: {_NEEDED}")
    sums = [np.array([logs.sum() for logs in side]) for side in sides]
    return lengths, sums[0], sums[1]


def _are_logs(values: Floats) -> NDArray[np.bool_]:
    """True for each value that is a log-probability; rounding may put it a little above 0."""
    return np.isfinite(values) & (values <= _ROUNDING)


def compare_files(ours: Path, theirs: Path) -> Difference:
    """Compare two models by the tables of one text that `score --per word` has written.

    Raises UserError if a table cannot be read, if they are of different texts, or if one model
    knows a word that the other one does not: its perplexity is then one of another vocabulary.
    """
    first = _words(ours)
    second = _words(theirs)
    if len(first) != len(second):
        raise UserError(f"{ours} and {theirs}: {len(first)} and {len(second)} words: not one text")
    for column in ("document", "sentence", "word", "known"):
        differ = np.flatnonzero((first[column] != second[column]).to_numpy())
        if len(differ):
            at = int(differ[0])
            why = "not one vocabulary" if column == "known" else "not one text"
            raise UserError(
                f"{ours} and {theirs}: row {at + 1}, `{first['word'][at]}`: {column} is "
                f"{first[column][at]} and {second[column][at]}: {why}"
            )
    starts = np.flatnonzero(first["sentence"].diff().to_numpy())
    logs, against = (
        np.split(table["log_probability"].to_numpy(np.float64), starts[1:])
        for table in (first, second)
    )
    return compare(logs, against, first["document"].to_numpy()[starts])


def _words(file: Path) -> pd.DataFrame:
    """Read a table of words: TSV, or lines of JSON."""
    with naming(str(file)):
        try:
            with file.open(encoding="utf-8") as lines:
                is_json = lines.read(1) == "{"
            if is_json:
                table = pd.read_json(file, lines=True, dtype=False)
            else:
                table = pd.read_csv(
                    file, sep="\t", quoting=QUOTE_NONE, na_filter=False, dtype={"word": str}
                )
            words = table[_COLUMNS].astype({"log_probability": np.float64})
        except (ValueError, KeyError):
            raise UserError(
                f"needed: what `score --per word --format tsv` writes in nats, with the columns "
                f"{', '.join(_COLUMNS)}"
            ) from None
        if words.empty:
            raise UserError("has no words")
        wrong = np.flatnonzero(~_are_logs(words["log_probability"].to_numpy()))
        if len(wrong):
            at = int(wrong[0])
            value = words["log_probability"][at]
            raise UserError(f"row {at + 1}, `{words['word'][at]}`: {_NEEDED}, not {value}")
        return words
