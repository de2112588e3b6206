"""Rescoring of n-best lists (`lists`) with a trained model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from online_rnnlm.core.way import UnitOfText, Way
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.errors import UserError, naming
from online_rnnlm.use.lists import Hypothesis, ListFormat, Rescored, read_lists
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.state import go_on, start
from online_rnnlm.use.text import Layout

Context = Literal["last", "all"]
"""The text read before a list: the best hypothesis of the previous list, or those of all before."""


def rescore(
    model: TrainedModel,
    files: Sequence[str],
    form: ListFormat,
    layout: Layout,
    way: Way,
    *,
    weight: float = 1.0,
    context: Context | None = None,
) -> Iterator[list[Rescored]]:
    """Yield each list of files, in its order, with the model's scores.

    No hypothesis learns from another one of its list: each begins with the trained weights or, with
    a context, after the best hypotheses before. An empty hypothesis has the probability of an end.
    Raises UserError for lists that cannot be read, and for a context from which nothing lives on.
    """
    unit: UnitOfText = "sentence" if context is None else "document"
    way = replace(way, unit_of_text=unit)
    network = model.network
    before = begin = start(network, way)
    reading = network.scorer(way, hidden_states=True).reading
    if context is not None and not (reading.state or network.vector_learns(way)):
        raise UserError(
            "--context: nothing lives on from one sentence to the next: no vector learns, and the "
            "hidden state begins anew with each sentence"
        )
    for hypotheses in read_lists(files, form):
        words = (_words(model, hypothesis, layout) for hypothesis in hypotheses)
        texts = [[*network.ids(of), SENTENCE_END_ID] for of in words]
        read = go_on(network, [before] * len(texts), texts)
        logs = [one.log_probabilities for one in read]
        sums = [float(np.add.reduceat(one, [0])[0]) for one in logs]  # as the sums of `score`
        found = [
            Rescored(hypothesis, log, hypothesis.score + weight * log)
            for hypothesis, log in zip(hypotheses, sums, strict=True)
        ]
        yield found
        best = max(range(len(found)), key=lambda place: found[place].total)
        if context == "all":
            before = read[best].state
        elif context == "last":
            [(_, _, before)] = go_on(network, [begin], [texts[best]])


def _words(model: TrainedModel, hypothesis: Hypothesis, layout: Layout) -> list[str]:
    with naming(f"list {hypothesis.key}"):
        found = model.preparation.sentences(hypothesis.text, layout)
    return [word for words in found for word in words]


def ranked(found: Sequence[Rescored]) -> list[Rescored]:
    """Return the hypotheses of a list, those with the highest total first; equal ones stay."""
    return sorted(found, key=lambda one: -one.total)
