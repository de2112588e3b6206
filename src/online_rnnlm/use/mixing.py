"""Mixtures of a model with the scores of another one, word by word.

    P(w_t) = (1 - λ) P_model(w_t) + λ P_other(w_t)

The other scores are log-probabilities from a file, in the order of the text, or those of an n-gram
model in ARPA's format, as SRILM and KenLM write it. Both models must predict the same words: a word
that is not in the model's vocabulary is `<unk>` for the other one, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.errors import UserError
from online_rnnlm.rivals.arpa import DATA, Arpa
from online_rnnlm.rivals.mixture import best_weights, mixed

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel
    from online_rnnlm.use.request import Request
    from online_rnnlm.use.text import Sentence

Floats = NDArray[np.float64]
_HEAD = 100
"""The number of lines of a file among which that is by which a model is known."""


class ScoresOfFile:
    """The log-probabilities of a file, in a text's order: one for each word and each `</s>`.

    They are divided by spaces or line ends. The unit is that many nats.
    """

    def __init__(self, path: Path, unit: float = math.log(10)) -> None:
        self._path, self._unit = path, unit
        self._values = self._read()

    def _read(self) -> Iterator[float]:
        for number, line in enumerate(read_lines(self._path), 1):
            for value in line.split():
                try:
                    found = float(value) * self._unit
                except ValueError:
                    found = math.nan
                if not found <= 0:
                    raise UserError(
                        f"{self._path}, line {number}: {value[:40]!r}: a log-probability, a "
                        "number of at most 0, is needed"
                    )
                yield found

    def of(self, words: Sequence[str]) -> Floats:
        """Return the next log-probabilities; raises UserError if there are too few."""
        values = np.fromiter(islice(self._values, len(words)), np.float64)
        if len(values) < len(words):
            raise UserError(
                f"{self._path}: ends before the text: a log-probability is needed for each word "
                "and for each sentence's end"
            )
        return values

    def end(self) -> None:
        """Raise UserError if the file has more."""
        if next(self._values, None) is not None:
            raise UserError(f"{self._path}: has scores of more words than the text has")


@dataclass(frozen=True)
class Mixture:
    """Another model's scores, and their share λ of the mixture."""

    scores: Arpa | ScoresOfFile
    share: float = 0.5

    def __post_init__(self) -> None:
        """Raise UserError for a share that is none."""
        if not 0 <= self.share <= 1:
            raise UserError(f"the share of a mixture is from 0 to 1, not {self.share}")

    def of(self, log_probabilities: Floats, words: Sequence[str]) -> Floats:
        """Return the mixture's log P (nats) of each word and each `</s>`, given the model's."""
        both = np.stack([log_probabilities, self.scores.of(words)])
        return mixed(both, np.array([1 - self.share, self.share]))

    def end(self) -> None:
        """Raise UserError if there are scores of more words than the text has."""
        if isinstance(self.scores, ScoresOfFile):
            self.scores.end()


def read_scores(file: str | Path, unit: float = math.log(10)) -> Arpa | ScoresOfFile:
    """Read an n-gram model in ARPA's format, or log-probabilities, which are that many nats."""
    path = Path(file)
    is_arpa = any(line.strip() == DATA for line in islice(read_lines(path), _HEAD))
    return Arpa(path) if is_arpa else ScoresOfFile(path, unit)


def fitted_mixture(
    model: TrainedModel,
    scores: Arpa | ScoresOfFile,
    text: Iterable[Sentence],
    request: Request,
    of_text: ScoresOfFile | None = None,
) -> Mixture:
    """Return the mixture with which a held-out text is most probable.

    `of_text` are the other model's scores of it; without them, `scores` must be an n-gram model.
    """
    logs, words = [np.zeros(0)], list[str]()
    for part in model.score_parts(text, request):
        logs.append(part.log_probabilities)
        words += part.read
    mixture = Mixture(of_text or scores)
    both = np.stack([np.concatenate(logs), mixture.scores.of(words)])
    mixture.end()
    return Mixture(scores, float(best_weights(both)[1]))
