"""The comparison of two sides; a side is a row in one of its evaluations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.pieces import PieceName, Pieces, longest, pieces_of
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Metric, Row
from online_rnnlm.analysis.significance import Comparison, compare
from online_rnnlm.config.evaluations import online_evaluation
from online_rnnlm.config.testing import UnitOfText
from online_rnnlm.corpora.corpus import load_articles
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import is_rival
from online_rnnlm.storage.scores import sentence_scores


class Side(NamedTuple):
    """A row in one of its evaluations."""

    row: Row
    evaluation: str

    def perplexity(self, split: str = "test") -> Metric:
        """The side's perplexity on a split, one value for each seed."""
        return self.row.perplexity(split, self.evaluation)

    @property
    def kept_for(self) -> UnitOfText:
        """The unit of text at whose end the side forgets what it has read; a cache never does."""
        if is_rival(self.evaluation):
            return "stream"
        online, trained = online_evaluation(self.evaluation), self.row.settings.unit_of_text
        return longest([trained, online.unit_of_text] if online else [trained])


@dataclass(frozen=True)
class SidesCompared:
    """Two sides compared on the test text."""

    found: Comparison
    drawn: PieceName
    """The pieces of text that the tests drew."""
    sentences: int


def final_side(row: Row) -> Side:
    """The row in its main evaluation: its vector, if it has one, learns as in training."""
    return Side(row, row.final)


def compare_sides(
    results: Results, ours: Side, theirs: Side, null: float = 0.0, margin: float | None = None
) -> SidesCompared:
    """Compare two sides on the test text, each averaged over its seeds, as `compare` does.

    Raises UserError if they were tested on different sentences.
    """
    mine, others = _pooled(results, ours), _pooled(results, theirs)
    if not mine["tokens"].equals(others["tokens"]):
        names = " and ".join(f"`{side.row.first.name}`" for side in (ours, theirs))
        raise UserError(f"{results.directory.path}: {names} were tested on different sentences")
    pieces = pieces_for(results, ours, theirs)
    found = compare(
        pieces.sums(mine["log_probability"].to_numpy()),
        pieces.sums(others["log_probability"].to_numpy()),
        pieces.sums(mine["tokens"].to_numpy()).astype(np.int64),
        null,
        margin=margin,
    )
    return SidesCompared(found, pieces.name, len(mine))


def pieces_for(results: Results, *sides: Side) -> Pieces:
    """The pieces of the test text that a comparison of these sides draws; all on one corpus."""
    return pieces_of_test(results, sides[0].row.corpus, longest([side.kept_for for side in sides]))


def pieces_of_test(results: Results, corpus: str, kept_for: UnitOfText) -> Pieces:
    """The pieces of a corpus's test text for models that keep things for a unit of text."""
    path = results.directory.corpus(corpus).split_articles("test")
    articles = load_articles(path, results.corpora[corpus].splits["test"].sentences)
    return pieces_of(results.experiment.corpora[corpus], articles, kept_for)


def _pooled(results: Results, side: Side) -> pd.DataFrame:
    """Per-sentence test scores of a side, averaged over its seeds."""
    frames = [
        sentence_scores(results.directory, run.name, side.evaluation) for run in side.row.runs
    ]
    pooled = frames[0][["tokens"]].copy()
    pooled["log_probability"] = np.mean([f["log_probability"].to_numpy() for f in frames], axis=0)
    return pooled


def seed_differences(ours: Side, theirs: Side) -> list[float]:
    """Their test entropy minus ours in nats per token, one value for each seed that both have."""
    mine, others = _entropies(ours), _entropies(theirs)
    return [others[seed] - mine[seed] for seed in mine if seed in others]


def _entropies(side: Side) -> dict[int, float]:
    """Test entropy in nats per token, by seed."""
    values = side.perplexity().values
    return {run.seed: math.log(value) for run, value in zip(side.row.runs, values, strict=True)}


def percent_of_gain(gain: float) -> float:
    """The change of perplexity in per cent that a gain in nats per token makes."""
    return 100 * math.expm1(-gain)
