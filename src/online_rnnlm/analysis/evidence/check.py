"""Compute an experiment's tables and claims once more from its evidence, and compare."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.claims.paper import MORE_PARAMETERS, MULTIPLY_ADDS
from online_rnnlm.analysis.claims.verdict import Verdict, verdict_on, verdict_on_multiply_adds
from online_rnnlm.analysis.comparison import percent_of_gain
from online_rnnlm.analysis.evidence.folder import COLUMNS, EvidenceFolder
from online_rnnlm.analysis.significance import Comparison, SeedInterval, compare, holm
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.config.evaluations import NONE, final_evaluation
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.errors import UserError
from online_rnnlm.storage.records import Claim

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""


def check_evidence(folder: Path) -> int:
    """Compute all test perplexities and the claims again; return the number of values.

    Perplexities are those of the tables `perplexity`, `updates` and, by themselves and with all
    mixed in, `mixtures`. Of each claim whose test drew the pieces of text that are kept, these are
    both perplexities, the change, the interval and the p-value; corrected p-values and verdicts are
    those of all claims. Claims of fewer multiply-adds are compared with the table `perplexity`. What a table
    says beside that rests on its checksum. Raises UserError, with the file and both values, for the
    first that differs, and for files that are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    try:
        scores = _Scores(pd.read_parquet(evidence.scores, columns=[*COLUMNS]))
    except (OSError, ValueError, KeyError):  # pyarrow's errors are among them
        raise UserError(f"{evidence.scores}: damaged: it has not the columns of scores") from None
    checked = sum(
        _check_table(evidence, name, scores)
        for name in ("perplexity", "updates")
        if evidence.table(name, "csv").is_file()
    )
    if evidence.table("mixtures", "csv").is_file():
        checked += _check_mixtures(evidence, scores)
    claims = evidence.read_claims()
    for claim in claims:
        if claim.evaluation is not None and claim.effect.pieces is not None:
            checked += _check_claim(evidence.claims, claim, scores)
    checked += _check_multiply_adds(evidence, claims)
    return checked + _check_verdicts(evidence.claims, claims)


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


def _check_table(evidence: EvidenceFolder, name: str, scores: _Scores) -> int:
    table = evidence.read_table(name, "evaluation", "test_perplexity")
    path = evidence.table(name, "csv")
    checked = 0
    for row in table.to_dict("records"):
        values = {"test_perplexity": str(row["evaluation"]), STILL: NONE}
        found = [key for key in values if not pd.isna(row.get(key, math.nan))]
        for key in found:
            _check_perplexity(path, scores, row, values[key], key)
        checked += len(found)
    return checked


def _check_mixtures(evidence: EvidenceFolder, scores: _Scores) -> int:
    """Check the perplexities of networks by themselves and with everything mixed in."""
    values = {"test_perplexity": None, "test_perplexity_all": MIXTURE}
    table = evidence.read_table("mixtures", "document_size", *values)
    path = evidence.table("mixtures", "csv")
    for row in table.to_dict("records"):
        final = final_evaluation(int(row["document_size"]))
        for key, evaluation in values.items():
            _check_perplexity(path, scores, row, evaluation or final, key)
    return len(values) * len(table)


def _check_perplexity(
    path: Path, scores: _Scores, row: Mapping[Hashable, Any], evaluation: str, key: str
) -> None:
    model = str(row["model"]).partition(" + ")[0]  # `100/0 + neural cache`
    found = scores.perplexity(str(row["corpus"]), model, evaluation)
    what = f"{path}: test perplexity of {row['model']}, {evaluation}"
    _refuse_difference(what, float(row[key]), found)


def _check_verdicts(path: Path, claims: Sequence[Claim]) -> int:
    """Correct the p-values again, and judge each tested claim by what its record says."""
    tested = [claim for claim in claims if claim.p_value is not None]
    corrected = holm([claim.p_value for claim in tested if claim.p_value is not None])
    for claim, p_value in zip(tested, corrected, strict=True):
        what = f"{path}: claim {claim.number}, {claim.model}"
        said = math.nan if claim.p_value_holm is None else claim.p_value_holm
        _refuse_difference(f"{what}: corrected p-value", said, p_value)
        verdict = _verdict_of(claim, p_value)
        if verdict is not None:
            _refuse_verdict(what, claim.verdict, verdict)
    return 2 * len(tested)


def _check_multiply_adds(evidence: EvidenceFolder, claims: Sequence[Claim]) -> int:
    """Compare the claims of fewer multiply-adds with the table, and judge them again."""
    counted = [claim for claim in claims if claim.number == MULTIPLY_ADDS]
    if not counted:
        return 0
    table = evidence.read_table("perplexity", "evaluation", "multiply_adds_per_word")
    rows = table.drop_duplicates(["corpus", "model"])
    models = zip(rows["corpus"], rows["model"], strict=True)
    adds = dict(zip(models, map(float, rows["multiply_adds_per_word"]), strict=True))
    lower = [claim for claim in claims if claim.number == MORE_PARAMETERS]
    verdicts = {_sides(claim): claim.verdict for claim in lower}
    for claim in counted:
        what = f"{evidence.claims}: claim {claim.number}, {claim.model}"
        try:
            ours = adds[claim.corpus, claim.network]
            theirs = adds[claim.corpus, claim.network_against]
            verdict = verdict_on_multiply_adds(verdicts[_sides(claim)], ours, theirs)
        except KeyError:
            raise UserError(f"{what}: the evidence has not what it rests on") from None
        effect = claim.effect
        for name, said, found in (
            ("multiply-adds", effect.multiply_adds_per_word, ours),
            ("multiply-adds of the other side", effect.multiply_adds_per_word_against, theirs),
            ("change", effect.change_percent, 100 * (ours / theirs - 1)),
        ):
            _refuse_difference(f"{what}: {name}", math.nan if said is None else said, found)
        _refuse_verdict(what, claim.verdict, verdict)
    return 4 * len(counted)


def _sides(claim: Claim) -> tuple[str, str, str]:
    return claim.corpus, claim.network, claim.network_against


def _verdict_of(claim: Claim, p_value: float) -> Verdict | None:
    """Judge a claim again from its interval, p-value and seeds; None if it has no interval."""
    effect, seeds = claim.effect, claim.seeds
    if effect.interval_nats_per_token is None or effect.nats_per_token is None:
        return None
    null = -math.log1p((effect.margin_percent or 0.0) / 100)
    compared = Comparison(
        effect.nats_per_token,
        *effect.interval_nats_per_token,
        p_value,
        effect.pieces or 0,
        effect.tokens or 0,
        null,
    )
    over_seeds = None
    if seeds is not None:
        interval = seeds.interval_nats_per_token
        over_seeds = SeedInterval(seeds.nats_per_token, *interval, seeds.p_value, seeds.seeds, null)
    return verdict_on(claim.number, compared, p_value, over_seeds, effect)


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
    other = scores.perplexity(claim.corpus, claim.network_against, claim.evaluation_against)
    values = {
        "test perplexity": (
            effect.test_perplexity,
            scores.perplexity(claim.corpus, claim.network, claim.evaluation),
        ),
        "test perplexity of the other side": (effect.test_perplexity_against, other),
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


def _refuse_verdict(what: str, said: str, found: Verdict) -> None:
    if said != found:
        raise UserError(f"{what}: verdict: is {said}, but the tests give {found}")


def _refuse_difference(what: str, said: float, computed: float) -> None:
    if not math.isclose(said, computed, rel_tol=TOLERANCE, abs_tol=1e-9):
        raise UserError(f"{what}: is {said:.8g}, but the scores give {computed:.8g}")
