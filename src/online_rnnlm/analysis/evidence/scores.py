"""The scores of a folder of evidence, and the comparison of a value with what they give."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from online_rnnlm.analysis.evidence.folder import COLUMNS, EvidenceFolder
from online_rnnlm.errors import UserError

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""


class Scores:
    """The scores of each network in each evaluation."""

    def __init__(self, scores: pd.DataFrame) -> None:
        keys = ["corpus", "model", "evaluation"]
        self._found = dict(list(scores.groupby(keys, observed=True, sort=False)))

    def of(self, corpus: str, model: str, evaluation: str) -> pd.DataFrame:
        """The scores of all seeds; raises UserError if there are none."""
        found: pd.DataFrame | None = self._found.get((corpus, model, evaluation))
        if found is None:
            raise UserError(f"{corpus}, {model}, {evaluation}: the evidence has no scores of it")
        return found

    def perplexity(self, corpus: str, model: str, evaluation: str) -> float:
        """The mean of the seeds' perplexities."""
        sums = self._of_seeds(corpus, model, evaluation)
        return float(np.exp(-sums["log_probability"] / sums["tokens"]).mean())

    def by_piece(self, corpus: str, model: str, evaluation: str) -> pd.DataFrame:
        """`log_probability`, a mean over the seeds, and `tokens`, for each piece of the text."""
        found = self.of(corpus, model, evaluation)
        return found.groupby("piece")[["log_probability", "tokens"]].mean()

    def entropies(self, corpus: str, model: str, evaluation: str) -> dict[str, float]:
        """The entropy in nats per token, by seed."""
        sums = self._of_seeds(corpus, model, evaluation)
        found = -sums["log_probability"] / sums["tokens"]
        return {str(seed): float(value) for seed, value in found.items()}

    def _of_seeds(self, corpus: str, model: str, evaluation: str) -> pd.DataFrame:
        """`log_probability` and `tokens` of the whole text, by seed."""
        found = self.of(corpus, model, evaluation)
        return found.groupby("seed", observed=True)[["log_probability", "tokens"]].sum()


def read_scores(evidence: EvidenceFolder) -> Scores:
    """Read the scores; raises UserError if they are damaged."""
    try:
        return Scores(pd.read_parquet(evidence.scores, columns=[*COLUMNS]))
    except (OSError, ValueError, KeyError):  # pyarrow's errors are among them
        raise UserError(f"{evidence.scores}: damaged: it has not the columns of scores") from None


def refuse_difference(what: str, said: float | None, computed: float) -> None:
    """Raise UserError if a value is not the one that was computed; a missing one differs."""
    said = math.nan if said is None else said
    if not math.isclose(said, computed, rel_tol=TOLERANCE, abs_tol=1e-9):
        raise UserError(f"{what}: is {said:.8g}, but the scores give {computed:.8g}")
