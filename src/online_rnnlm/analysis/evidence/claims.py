"""The claims of a folder of evidence, computed once more from its scores."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from online_rnnlm.analysis.claims.paper import MORE_PARAMETERS, MULTIPLY_ADDS
from online_rnnlm.analysis.claims.verdict import Verdict, verdict_on, verdict_on_multiply_adds
from online_rnnlm.analysis.comparison import percent_of_gain
from online_rnnlm.analysis.evidence.folder import EvidenceFolder, networks_of
from online_rnnlm.analysis.evidence.scores import Scores, refuse_difference
from online_rnnlm.analysis.significance import (
    Comparison,
    SeedInterval,
    compare,
    holm,
    seed_interval,
)
from online_rnnlm.config.evaluations import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.storage.records import Claim, SeedDifference
from online_rnnlm.storage.records.claims import PerplexityChange


class _Side(NamedTuple):
    """A network in one of its evaluations."""

    corpus: str
    network: str
    evaluation: str


def check_claims(evidence: EvidenceFolder, scores: Scores) -> int:
    """Compute the claims again; return the number of values.

    Raises UserError, with the file and both values, for the first that differs.
    """
    claims = evidence.read_claims()
    tested = [claim for claim in claims if claim.evaluation is not None]
    corpora = {claim.corpus for claim in tested}
    drawn = {corpus: _drawn_as_kept(tested, corpus, scores) for corpus in corpora}
    checked = sum(
        _check_claim(evidence.claims, claim, drawn[claim.corpus], scores) for claim in tested
    )
    checked += _check_multiply_adds(evidence, claims) + _check_costs(evidence, tested)
    return checked + _check_verdicts(evidence.claims, claims)


def _check_claim(path: Path, claim: Claim, drawn: Collection[str], scores: Scores) -> int:
    """Compute a claim again; `drawn` are the kinds of pieces that are drawn as they are kept."""
    assert claim.evaluation is not None
    assert claim.evaluation_against is not None
    effect, what = claim.effect, f"{path}: claim {claim.number}, {claim.model}"
    ours = _Side(claim.corpus, claim.network, claim.evaluation)
    theirs = _Side(claim.corpus, claim.network_against, claim.evaluation_against)
    found = _compared(scores, ours, theirs, effect.margin_percent)
    checked = _check_change(what, effect, found, (ours, theirs), drawn, scores)
    if effect.drawn in drawn:
        refuse_difference(f"{what}: p-value", claim.p_value, found.p_value)
        checked += 1
        if effect.equivalence is not None and found.equivalence_p_value is not None:
            said, name = effect.equivalence.p_value, f"{what}: p-value of equivalence"
            refuse_difference(name, said, found.equivalence_p_value)
            checked += 1
    other = effect.still_against_static
    if other is not None:
        sides = _Side(claim.corpus, claim.network, NONE), _Side(claim.corpus, other.against, NONE)
        against = _compared(scores, *sides, None)
        checked += _check_change(f"{what}, vector still", other, against, sides, drawn, scores)
    return checked + _check_seeds(what, claim.seeds, found.null, ours, theirs, scores)


def _compared(
    scores: Scores, ours: _Side, theirs: _Side, margin_percent: float | None
) -> Comparison:
    """Compare two sides on the pieces of the text that are kept."""
    mine, others = scores.by_piece(*ours), scores.by_piece(*theirs)
    margin = None if margin_percent is None else math.log1p(margin_percent / 100)
    return compare(
        mine["log_probability"].to_numpy(),
        others["log_probability"].to_numpy(),
        mine["tokens"].to_numpy().round().astype(np.int64),
        -(margin or 0.0),
        margin=margin,
    )


def _drawn_as_kept(claims: Sequence[Claim], corpus: str, scores: Scores) -> set[str]:
    """The kinds of pieces that claims on a corpus draw as they are kept."""
    found: set[str] = set()
    for claim in claims:
        drawn = claim.effect.drawn
        if claim.corpus == corpus and drawn is not None:
            kept = scores.by_piece(corpus, claim.network, str(claim.evaluation))
            if claim.effect.pieces == len(kept):
                found.add(drawn)
    return found or {"sentence"}


def _check_change(
    what: str,
    change: PerplexityChange,
    found: Comparison,
    sides: tuple[_Side, _Side],
    drawn: Collection[str],
    scores: Scores,
) -> int:
    """Compute a change again, and its interval if the test drew pieces that are kept."""
    ours, theirs = (scores.perplexity(*side) for side in sides)
    values: dict[str, tuple[float | None, float]] = {
        "test perplexity": (change.test_perplexity, ours),
        "test perplexity of the other side": (change.test_perplexity_against, theirs),
        "change": (change.change_percent, percent_of_gain(found.difference)),
        "nats per token": (change.nats_per_token, found.difference),
        "tokens": (change.tokens, found.tokens),
    }
    if change.drawn in drawn:
        refuse_difference(f"{what}: pieces", change.pieces, found.pieces)
        percent = change.interval_percent or (None, None)
        nats = change.interval_nats_per_token or (None, None)
        values |= {
            "interval's low end": (percent[0], percent_of_gain(found.high)),
            "interval's high end": (percent[1], percent_of_gain(found.low)),
            "interval's low end in nats": (nats[0], found.low),
            "interval's high end in nats": (nats[1], found.high),
        }
    for name, (said, computed) in values.items():
        refuse_difference(f"{what}: {name}", said, computed)
    return len(values)


def _check_seeds(
    what: str,
    said: SeedDifference | None,
    null: float,
    ours: _Side,
    theirs: _Side,
    scores: Scores,
) -> int:
    mine, others = scores.entropies(*ours), scores.entropies(*theirs)
    differences = [others[seed] - mine[seed] for seed in mine if seed in others]
    found = seed_interval(differences, null)
    if (said is None) != (found is None):
        raise UserError(f"{what}: seeds: the scores have {len(differences)}")
    if said is None or found is None:
        return 0
    values = {
        "number": (said.seeds, found.seeds),
        "difference": (said.nats_per_token, found.mean),
        "interval's low end": (said.interval_nats_per_token[0], found.low),
        "interval's high end": (said.interval_nats_per_token[1], found.high),
        "p-value": (said.p_value, found.p_value),
    }
    for name, (value, computed) in values.items():
        refuse_difference(f"{what}: seeds: {name}", value, computed)
    return len(values)


def _check_verdicts(path: Path, claims: Sequence[Claim]) -> int:
    """Correct the p-values again, and judge each tested claim by what its record says."""
    tested = [claim for claim in claims if claim.p_value is not None]
    compared = len(tested)
    corrected = holm([claim.p_value for claim in tested if claim.p_value is not None])
    for claim, p_value in zip(tested, corrected, strict=True):
        what = f"{path}: claim {claim.number}, {claim.model}"
        refuse_difference(f"{what}: corrected p-value", claim.p_value_holm, p_value)
        verdict = _verdict_of(claim, p_value)
        if verdict is not None:
            _refuse_verdict(what, claim.verdict, verdict)
            compared += 1
    return compared


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
            refuse_difference(f"{what}: {name}", said, found)
        _refuse_verdict(what, claim.verdict, verdict)
    return 4 * len(counted)


def _check_costs(evidence: EvidenceFolder, claims: Sequence[Claim]) -> int:
    """Compare the multiply-adds of both sides of tested claims with the tables."""
    counted = [claim for claim in claims if claim.effect.multiply_adds_per_word is not None]
    adds = _adds_by_side(evidence) if counted else {}
    for claim in counted:
        what, effect = f"{evidence.claims}: claim {claim.number}, {claim.model}", claim.effect
        sides = (claim.network, claim.evaluation), (claim.network_against, claim.evaluation_against)
        said = effect.multiply_adds_per_word, effect.multiply_adds_per_word_against
        for side, count in zip(sides, said, strict=True):
            found = adds.get((claim.corpus, *side))
            if found is None:
                raise UserError(f"{what}: the evidence has not what it rests on")
            refuse_difference(f"{what}: multiply-adds of {side[0]}, {side[1]}", count, found)
    return 2 * len(counted)


def _adds_by_side(evidence: EvidenceFolder) -> dict[tuple[str, str, str | None], float]:
    """Multiply-adds a word by corpus, network and evaluation; a rival's row is its network's."""
    found: dict[tuple[str, str, str | None], float] = {}
    for name in ("perplexity", "updates"):
        if evidence.table(name, "csv").is_file():
            table = evidence.read_table(name, "evaluation", "multiply_adds_per_word")
            keys = zip(
                table["corpus"], networks_of(table["model"]), table["evaluation"], strict=True
            )
            found |= dict(zip(keys, map(float, table["multiply_adds_per_word"]), strict=True))
    return found


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


def _refuse_verdict(what: str, said: str, found: Verdict) -> None:
    if said != found:
        raise UserError(f"{what}: verdict: is {said}, but the tests give {found}")
