"""Judge the paper's claims by an experiment's own results; write and show the verdicts.

A verdict follows from the interval, the p-value and the seeds of a comparison of two sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from online_rnnlm.analysis.claims import (
    CLAIMS,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
    comparisons,
)
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.sides import ComparedSides, compare_times, null_of
from online_rnnlm.analysis.significance import LEVEL, holm, side
from online_rnnlm.analysis.tables.table import Column, Table, label, signed
from online_rnnlm.config.experiment import Plan
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import (
    Claim,
    Claims,
    Effect,
    SeedDifference,
    UntestedClaim,
    Verdict,
)
from online_rnnlm.storage.evaluations import Timing
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


def write_claims(experiment: Plan, directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs can test, and those that they cannot."""
    records.write(directory.claims, judge(collect(experiment, directory)))


def judge(results: Results) -> Claims:
    """Judge all claims, vector row by vector row; their p-values are corrected together."""
    found = list(comparisons(results))
    compared = [one for one in found if isinstance(one, ComparedSides)]
    corrected = holm([comparison.p_value for comparison in compared])
    claims = []
    for comparison, p_value in zip(compared, corrected, strict=True):
        claim = _claim_of(results, comparison, p_value)
        claims.append(claim)
        if claim.number == MORE_PARAMETERS:
            claims.append(_less_computation(results.timings, claim))
    return Claims(
        settings=digest_of_json(results.experiment.of_results()),
        claims=tuple(claims),
        not_tested=tuple(one for one in found if isinstance(one, UntestedClaim)),
    )


def _claim_of(results: Results, compared: ComparedSides, adjusted: float) -> Claim:
    """The claim that two sides were compared for; `adjusted` is its p-value after correction."""
    corpus = compared.row.corpus
    model = results.name_of(compared.ours)
    against = results.name_of(compared.theirs)
    if compared.which:
        against += f" (the {compared.which})"
    return Claim(
        number=compared.number,
        claim=CLAIMS[compared.number].text.format(model=model, against=against),
        corpus=corpus,
        train_tokens=results.corpora[corpus].splits["train"].tokens,
        row=compared.row.label,
        model=model,
        against=against,
        case=compared.case,
        network=compared.ours.row.label,
        network_against=compared.theirs.row.label,
        evaluation=compared.ours.evaluation,
        evaluation_against=compared.theirs.evaluation,
        effect=compared.effect,
        seeds=compared.seeds,
        p_value=compared.p_value,
        p_value_holm=adjusted,
        verdict=verdict_of(compared.effect, compared.seeds, adjusted),
    )


def _less_computation(timings: Iterable[Timing], better: Claim) -> Claim:
    """The claim on the computation of the sides of claim 2, which is counted, and timed.

    It holds if claim 2 does, that our side is the `better` one, and if it computes less, in less
    time, as far as that was measured.
    """
    ours = better.effect.multiply_adds_per_word
    theirs = better.effect.multiply_adds_per_word_against
    assert ours is not None and theirs is not None
    times = compare_times(timings, better.corpus, better.network, better.network_against)
    effect = Effect(
        multiply_adds_per_word=ours,
        multiply_adds_per_word_against=theirs,
        change_percent=100 * (ours / theirs - 1),
        **times,
    )
    faster = SUPPORTED
    if effect.seconds_change_percent is not None:
        faster = _BY_SIDE[-side(effect.seconds_change_percent)]
    verdicts = (better.verdict, SUPPORTED if ours < theirs else NOT_SUPPORTED, faster)
    return better.model_copy(
        update={
            "number": MULTIPLY_ADDS,
            "claim": CLAIMS[MULTIPLY_ADDS].text.format(model=better.model, against=better.against),
            "evaluation": None,
            "evaluation_against": None,
            "effect": effect,
            "seeds": None,
            "p_value": None,
            "p_value_holm": None,
            "verdict": min(verdicts, key=WORST_FIRST.index),
        }
    )


def verdict_of(effect: Effect, seeds: SeedDifference | None, adjusted: float) -> Verdict:
    """The verdict on a tested claim; `adjusted` is its p-value after correction.

    A claim with a margin, that the vector alone suffices, is not supported unless the vector is
    also cheaper.
    """
    if effect.margin_percent is not None and not _is_cheaper(effect):
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
