"""The comparison of two trained models, or of two ways to use one, on any text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.analysis.pieces import blocks
from online_rnnlm.analysis.significance import LEVEL, Comparison, compare
from online_rnnlm.errors import WrongInputError
from online_rnnlm.use.columns import Columns, beginnings, joined
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.network import Request
from online_rnnlm.use.scored import Total
from online_rnnlm.use.text import Sentence

Unit = Literal["sentence", "document", "block"]


class Way(NamedTuple):
    """A model, the way in which it scores, and its name for people."""

    model: TrainedModel
    request: Request
    name: str


@dataclass(frozen=True)
class TextComparison:
    """Two models compared on a text; the first is better if the difference is above 0."""

    names: tuple[str, str]
    perplexities: tuple[float, float]
    comparison: Comparison
    unit: Unit
    """The pieces of text that the tests drew."""
    same_vocabulary: bool
    """False if the models know different words; then what is unknown to them differs, too."""

    def __str__(self) -> str:
        """Return the comparison as one line; a difference needs interval and test, as a claim."""
        (first, second), found = self.names, self.comparison
        better = {1: f"{first} is better", -1: f"{second} is better", 0: "no clear difference"}
        side = found.side if found.p_value < LEVEL else 0
        note = "" if self.same_vocabulary else "; their vocabularies differ, so `<unk>` does, too"
        return (
            f"{first} against {second}: perplexity {self.perplexities[0]:.2f} against "
            f"{self.perplexities[1]:.2f}: {better[side]} ({found.difference:+.4f} nats a "
            f"token, 95 % interval {found.low:+.4f} to {found.high:+.4f}, p {found.p_value:.4f}, "
            f"over {found.pieces} {self.unit}s{note})"
        )


def compare_on_text(
    first: Way,
    second: Way,
    texts: tuple[Sequence[Sentence], Sequence[Sentence]],
    unit: Unit | None = None,
) -> TextComparison:
    """Compare two models; `texts` is the text as the first and the second one prepare it.

    Without a `unit`, documents are drawn if there are two or more. In a single one, blocks of
    sentences are drawn if either model keeps something from one sentence to the next, since
    its sentences then depend on each other, and otherwise sentences.

    Raises WrongInputError if the two divide it into other sentences or words, or if it has fewer
    than two units to draw.
    """
    one, other = (_scored(way, text) for way, text in zip((first, second), texts, strict=True))
    _refuse_other_words(one, other)
    unit = unit or _drawn(one, (first, second))
    begins = _beginnings(one, unit)
    logs = [np.add.reduceat(np.asarray(t["log_probability"]), begins) for t in (one, other)]
    tokens = np.add.reduceat(np.asarray(one["tokens"]), begins)
    if len(tokens) < 2:
        raise WrongInputError(f"the text has one {unit}: at least two are needed to compare")
    return TextComparison(
        names=(first.name, second.name),
        perplexities=(_perplexity(one), _perplexity(other)),
        comparison=compare(logs[0], logs[1], tokens),
        unit=unit,
        same_vocabulary=set(first.model.words) == set(second.model.words),
    )


def _scored(way: Way, text: Sequence[Sentence]) -> Columns:
    """Return a row for each sentence."""
    return joined([part.table(0) for part in way.model.score_parts(text, way.request)])


def _drawn(table: Columns, ways: tuple[Way, Way]) -> Unit:
    """Return the pieces that are drawn if none are asked for."""
    if len(_beginnings(table, "document")) > 1:
        return "document"
    forgets = all(way.request.read_at_once == "sentence" for way in ways)
    return "sentence" if forgets else "block"


def _beginnings(table: Columns, unit: Unit) -> NDArray[np.int64]:
    """Return the rows with which the units begin."""
    documents = np.asarray(table["document"])
    if unit == "sentence":
        return np.arange(len(documents))
    if unit == "block":
        return beginnings(blocks(len(documents)).number)
    return beginnings(documents)


def _refuse_other_words(one: Columns, other: Columns) -> None:
    """Raise WrongInputError unless both models have scored the same number of words everywhere."""
    tokens = [np.asarray(table["tokens"]) for table in (one, other)]
    if len(tokens[0]) != len(tokens[1]):
        raise WrongInputError(
            f"the text: the models divide it into {len(tokens[0])} and {len(tokens[1])} "
            "sentences: give tokenised text"
        )
    differ = np.flatnonzero(tokens[0] != tokens[1])
    if differ.size:
        raise WrongInputError(
            f"sentence {differ[0]} of the text: the models divide it into other words: give "
            "tokenised text"
        )


def _perplexity(table: Columns) -> float:
    total = Total()
    total.add(table)
    return total.perplexity
