"""Compute an experiment's tables and claims once more from its evidence, and compare."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from online_rnnlm.analysis.comparison import percent_of_gain
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.significance import compare
from online_rnnlm.config.evaluations import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.records import Claim, Claims

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""


def check_evidence(folder: Path) -> int:
    """Compute all test perplexities, effects, intervals and p-values again; return their number.

    Perplexities are those of the tables `perplexity` and `updates`. The claims are those whose
    tests drew the pieces of text that are kept. Raises UserError, with the file
    and both values, for the first that differs, and for files that have changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    scores = _Scores(pd.read_parquet(evidence.scores))
    checked = 0
    for name in ("perplexity", "updates"):
        path = evidence.table(name)
        if path.is_file():
            checked += _check_table(path, scores)
    for claim in records.read(Claims, evidence.claims).claims:
        if claim.evaluation is not None and claim.effect.pieces is not None:
            checked += _check_claim(evidence.claims, claim, scores)
    return checked


class _Scores:
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
        found = self.of(corpus, model, evaluation)
        sums = found.groupby("seed", observed=True)[["log_probability", "tokens"]].sum()
        return float(np.exp(-sums["log_probability"] / sums["tokens"]).mean())

    def by_piece(self, corpus: str, model: str, evaluation: str) -> pd.DataFrame:
        """`log_probability`, a mean over the seeds, and `tokens`, for each piece of the text."""
        found = self.of(corpus, model, evaluation)
        return found.groupby("piece")[["log_probability", "tokens"]].mean()


def _check_table(path: Path, scores: _Scores) -> int:
    table = pd.read_csv(path)
    if "test_perplexity" not in table:  # a table that says that nothing has finished
        return 0
    for row in table.to_dict("records"):
        model = str(row["model"]).partition(" + ")[0]  # `100/0 + neural cache`
        evaluation = NONE if pd.isna(row["evaluation"]) else str(row["evaluation"])
        found = scores.perplexity(str(row["corpus"]), model, evaluation)
        what = f"{path}: test perplexity of {row['model']}, {evaluation}"
        _refuse_difference(what, row["test_perplexity"], found)
    return len(table)


def _check_claim(path: Path, claim: Claim, scores: _Scores) -> int:
    effect = claim.effect
    assert claim.evaluation is not None
    assert claim.evaluation_against is not None
    ours = scores.by_piece(claim.corpus, claim.network, claim.evaluation)
    theirs = scores.by_piece(claim.corpus, claim.network_against, claim.evaluation_against)
    if len(ours) != effect.pieces:
        return 0  # drawn by other pieces than those that are kept
    margin = None if effect.margin_percent is None else math.log1p(effect.margin_percent / 100)
    found = compare(
        ours["log_probability"].to_numpy(),
        theirs["log_probability"].to_numpy(),
        ours["tokens"].to_numpy().round().astype(np.int64),
        -(margin or 0.0),
        margin=margin,
    )
    values = {
        "change": (effect.change_percent, percent_of_gain(found.difference)),
        "p-value": (claim.p_value, found.p_value),
    }
    if effect.interval_percent is not None:
        low, high = percent_of_gain(found.high), percent_of_gain(found.low)
        values["interval's low end"] = effect.interval_percent[0], low
        values["interval's high end"] = effect.interval_percent[1], high
    for name, (said, computed) in values.items():
        assert said is not None
        _refuse_difference(f"{path}: claim {claim.number}, {claim.model}: {name}", said, computed)
    return len(values)


def _refuse_difference(what: str, said: float, computed: float) -> None:
    if not math.isclose(said, computed, rel_tol=TOLERANCE, abs_tol=1e-9):
        raise UserError(f"{what}: is {said:.8g}, but the scores give {computed:.8g}")
