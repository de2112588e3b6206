"""The comparison of two trained models, or of two ways to use one, on any text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.comparison import Pieces, blocks
from online_rnnlm.analysis.significance import LEVEL, compare, side
from online_rnnlm.config.evaluations import Learning
from online_rnnlm.errors import UserError
from online_rnnlm.storage.records.claims import Interval
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.text import Sentence


class Way(NamedTuple):
    """A model, the way in which it scores, its name for people, and the text as it prepares it."""

    model: TrainedModel
    request: Learning
    name: str
    text: Sequence[Sentence]

    def table(self) -> pd.DataFrame:
        """Score the text; return a row for each sentence."""
        parts = self.model.score_parts(self.text, self.request)
        return pd.concat([part.table(0) for part in parts])


@dataclass(frozen=True)
class TextComparison:
    """The comparison of two models on a text; `str` of it is a line for people."""

    first: str
    second: str
    perplexity: float
    perplexity_against: float
    nats_per_token: float
    """Mean log-probability of the first less that of the second: above 0 the first is better."""
    interval_nats_per_token: Interval
    """Its 95 % bootstrap interval."""
    p_value: float
    better: str | None
    """The better one; None if there is no clear difference: interval and test must agree."""
    drawn: str
    pieces: int
    """Number of pieces of text that the bootstrap draws."""
    same_vocabulary: bool

    def __str__(self) -> str:
        """Return all in one line."""
        low, high = self.interval_nats_per_token
        note = "" if self.same_vocabulary else "; their vocabularies differ, so `<unk>` does, too"
        return (
            f"{self.first} against {self.second}: perplexity {self.perplexity:.2f} against "
            f"{self.perplexity_against:.2f}: "
            f"{f'{self.better} is better' if self.better else 'no clear difference'} "
            f"({self.nats_per_token:+.4f} nats a token, 95 % interval {low:+.4f} to {high:+.4f}, "
            f"p {self.p_value:.4f}, over {self.pieces} {self.drawn}s{note})"
        )


def compare_on_text(
    first: Way, second: Way, unit: Literal["sentence", "document"] | None = None
) -> TextComparison:
    """Compare two models on a text; a difference needs interval and test, as a claim.

    Without a `unit`, documents are drawn if there are two or more. In a single one, blocks of
    sentences are drawn if either model keeps something from one sentence to the next, since
    its sentences then depend on each other, and otherwise sentences.

    Raises UserError if the two divide it into other sentences or words, or if it has fewer
    than two units to draw.
    """
    ways = (first, second)
    tables = [way.table() for way in ways]
    tokens, counts = (np.asarray(table["tokens"]) for table in tables)
    if not np.array_equal(tokens, counts):
        raise UserError(
            "the text: the models divide it into other sentences or words: give tokenised text"
        )
    documents = np.unique(np.asarray(tables[0]["document"]), return_inverse=True)[1]
    forgets = all(way.model.network.unit_of(way.request) == "sentence" for way in ways)
    drawn = unit or ("document" if documents.max() > 0 else "sentence" if forgets else "block")
    sentences = Pieces("sentence", np.arange(len(tokens)))
    pieces = Pieces("article", documents) if drawn == "document" else sentences
    pieces = blocks(len(tokens)) if drawn == "block" else pieces
    if pieces.count < 2:
        raise UserError(f"the text has one {drawn}: at least two are needed to compare")
    logs = [pieces.sums(np.asarray(table["log_probability"])) for table in tables]
    found = compare(logs[0], logs[1], pieces.sums(tokens).astype(np.int64))
    totals = [np.sum(table["log_probability"]) for table in tables]
    reached = [math.exp(-total / tokens.sum()) for total in totals]
    better = {1: first.name, -1: second.name}
    return TextComparison(
        first=first.name,
        second=second.name,
        perplexity=reached[0],
        perplexity_against=reached[1],
        nats_per_token=found.difference,
        interval_nats_per_token=found.interval,
        p_value=found.p_value,
        better=better.get(side(found.interval)) if found.p_value < LEVEL else None,
        drawn=drawn,
        pieces=found.pieces,
        same_vocabulary=set(first.model.words) == set(second.model.words),
    )
