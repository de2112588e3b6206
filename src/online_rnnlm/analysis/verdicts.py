"""Judge the paper's claims by an experiment's own results; write and show the verdicts.

The verdicts follow from the intervals, p-values and seeds in the claims' records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import CLAIMS, MULTIPLY_ADDS, VECTOR_ALONE, compared_claims
from online_rnnlm.analysis.comparison import null_of
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.significance import LEVEL, holm, side
from online_rnnlm.analysis.tables.write import Column, Table, label, signed
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claim, Claims, Effect, UntestedClaim, Verdict
from online_rnnlm.storage.files import digest_of_json
from online_rnnlm.storage.paths import ExperimentDirectory

SUPPORTED: Verdict = "supported"
NOT_SUPPORTED: Verdict = "not supported"
UNDECIDED: Verdict = "undecided"
NOT_TESTED = "not tested"
"""What stands in place of a verdict on a claim that a network does not test."""
WORST_FIRST = (NOT_SUPPORTED, UNDECIDED, SUPPORTED)
"""The order of verdicts where what does not hold is shown first."""
_BY_SIDE: Mapping[int, Verdict] = {1: SUPPORTED, -1: NOT_SUPPORTED, 0: UNDECIDED}
"""The verdict by the side of no difference on which the interval of a gain lies."""
ENOUGH_SEEDS = 3
"""With at least this many seeds, a verdict also needs the agreement of the seeds."""


def write_claims(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs can test, and those that they cannot."""
    records.write(directory.claims, judge(collect(experiment, directory)))


def judge(results: Results) -> Claims:
    """Judge all claims, vector row by vector row."""
    claims = list(compared_claims(results))
    return Claims(
        settings=digest_of_json(results.experiment.of_results()),
        claims=tuple(judged([claim for claim in claims if isinstance(claim, Claim)])),
        not_tested=tuple(claim for claim in claims if isinstance(claim, UntestedClaim)),
    )


def judged(claims: Sequence[Claim]) -> list[Claim]:
    """Correct the claims' p-values together, and give each claim its verdict.

    A claim without a p-value is decided by counting and by time: it holds if the claim before it,
    of a lower perplexity of the same networks, holds, and less is computed in less time, if that
    was measured.
    """
    corrected = iter(holm([claim.p_value for claim in claims if claim.p_value is not None]))
    judged_claims: list[Claim] = []
    for claim in claims:
        if claim.p_value is None:
            lower_perplexity = judged_claims[-1].verdict
            less_computed = SUPPORTED if _is_cheaper(claim.effect) else NOT_SUPPORTED
            interval = claim.effect.seconds_change_percent
            faster = SUPPORTED if interval is None else _BY_SIDE[-side(interval)]
            verdicts = (lower_perplexity, less_computed, faster)
            update: dict[str, Any] = {"verdict": min(verdicts, key=WORST_FIRST.index)}
        else:
            p_value = next(corrected)
            update = {"p_value_holm": p_value, "verdict": verdict_of(claim, p_value)}
        judged_claims.append(claim.model_copy(update=update))
    return judged_claims


def verdict_of(claim: Claim, adjusted: float) -> Verdict:
    """The verdict on a tested claim; `adjusted` is its p-value after correction.

    Claim 4, that the vector alone suffices, is not supported unless the vector is also cheaper.
    """
    effect = claim.effect
    seeds = claim.seeds
    if claim.number == VECTOR_ALONE and not _is_cheaper(effect):
        return NOT_SUPPORTED
    intervals = [effect.interval_nats_per_token]
    if seeds is not None and seeds.seeds >= ENOUGH_SEEDS:
        intervals.append(seeds.interval_nats_per_token)
    null = null_of(effect.margin_percent)
    sides = {side(interval, null) for interval in intervals if interval is not None}
    if adjusted >= LEVEL or len(sides) > 1:
        return UNDECIDED
    return _BY_SIDE[sides.pop()]


def _is_cheaper(effect: Effect) -> bool:
    """True if our side is lower in every cost that the claim is about."""
    costs = (
        (effect.multiply_adds_per_word, effect.multiply_adds_per_word_against),
        (effect.parameters_touched_per_word, effect.parameters_touched_per_word_against),
    )
    return all(ours < theirs for ours, theirs in costs if ours is not None and theirs is not None)


def grid(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim] = (), *, one_seed: bool = False
) -> Table:
    """Make the table of verdicts: a row for each claim, a column for each network with a vector.

    It names the corpus of a network if there are several. A claim that no network tests has a row,
    too. With one seed, every verdict says so.
    """
    several = len({claim.corpus for claim in claims}) > 1
    cells: dict[str, dict[str, str]] = {}
    for claim in sorted(claims, key=lambda claim: claim.number):
        case = f", {claim.case}" if claim.case else ""
        row = f"{claim.number}. {CLAIMS[claim.number].name}{case}"
        network = f"{claim.row}, {claim.corpus}" if several else claim.row
        said = verdict_and_change(claim)
        cells.setdefault(row, {})[network] = f"one seed: {said}" if one_seed else said
    networks = dict.fromkeys(network for row in cells.values() for network in row)
    tested = {claim.number for claim in claims}
    for number in {untested.number for untested in not_tested} - tested:
        cells[f"{number}. {CLAIMS[number].name}"] = {}
    rows = [
        {"claim": name, **dict.fromkeys(networks, NOT_TESTED), **cells[name]}
        for name in sorted(cells)
    ]
    columns = [Column("Claim", label("claim"), text=True, wide=True)]
    columns += [Column(name, label(name), text=True, wide=True) for name in networks]
    return Table("claims", "Verdicts by claim and network", pd.DataFrame(rows), columns)


def verdict_and_change(claim: Claim) -> str:
    """Return a claim's verdict, and the change from the other side, in words."""
    effect = claim.effect
    said = f"{claim.verdict} {signed(effect.change_percent)} %"
    if claim.number == MULTIPLY_ADDS:
        said += " multiply-adds"
        if effect.seconds_per_word and effect.seconds_per_word_against:
            change = 100 * (effect.seconds_per_word / effect.seconds_per_word_against - 1)
            said += f", {signed(change)} % time"
    return said
