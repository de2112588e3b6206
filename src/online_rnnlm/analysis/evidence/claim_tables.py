"""The tables of claims in README.md and docs/evidence.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from online_rnnlm.analysis.claims.paper import BEST_SYSTEM, MULTIPLY_ADDS
from online_rnnlm.analysis.claims.verdict import SUPPORTED, WORST_FIRST
from online_rnnlm.analysis.comparison import percent_of_gain
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.tables.rendering import Column, label, markdown_of
from online_rnnlm.analysis.wording import ONE_SEED, interval, p_value, signed
from online_rnnlm.storage.records import Claim, SeedDifference, UntestedClaim

OVER_TEXT, OVER_SEEDS = "95 % over the text", "95 % over the seeds"


def all_claims(evidence: EvidenceFolder) -> str:
    """All claims with their verdicts; those that do not hold come first, those not tested last."""
    return _claims_table(evidence.read_claims(), evidence.read_untested_claims())


def open_claims(evidence: EvidenceFolder) -> str:
    """The claims that the tests do not support or leave undecided, and those not tested."""
    found = [claim for claim in evidence.read_claims() if claim.verdict != SUPPORTED]
    return _claims_table(found, evidence.read_untested_claims())


def best_claims(evidence: EvidenceFolder) -> str:
    """The claims of the row that the experiment's report is about: the best of the paper's model.

    The claim on the best systems is that row's.
    """
    found = evidence.read_claims()
    best = {(claim.corpus, claim.row) for claim in found if claim.number == BEST_SYSTEM}
    return _claims_table([claim for claim in found if (claim.corpus, claim.row) in best])


def _claims_table(found: Sequence[Claim], untested: Sequence[UntestedClaim] = ()) -> str:
    ranked = sorted(found, key=lambda claim: (WORST_FIRST.index(claim.verdict), claim.number))
    several_seeds = any(claim.seeds is not None for claim in found)
    numbers = ["change", OVER_TEXT, *([OVER_SEEDS] if several_seeds else []), "corrected p"]
    table = markdown_of(
        pd.DataFrame([_claim_cells(claim) for claim in ranked]),
        Column("verdict", label("verdict"), text=True, best=lambda data: data["verdict"].notna()),
        *(Column(key, label(key), text=True) for key in ("claim", "network", "against")),
        *(Column(key, label(key)) for key in numbers),
    )
    notes = [*([] if several_seeds or not found else [ONE_SEED]), *_not_tested(untested)]
    return "\n".join([table, *(f"{note}\n" for note in notes)])


def _claim_cells(claim: Claim) -> dict[str, str]:
    effect = claim.effect
    of_what = " multiply-adds" if claim.number == MULTIPLY_ADDS else ""
    p = "" if claim.p_value_holm is None else p_value(claim.p_value_holm).removeprefix("= ")
    return {
        "verdict": claim.verdict,
        "claim": str(claim.number),
        "network": claim.model,
        "against": claim.against,
        "change": f"{signed(effect.change_percent)} %{of_what}",
        OVER_TEXT: interval(effect.interval_percent),
        OVER_SEEDS: interval(_percent_over_seeds(claim.seeds)),
        "corrected p": p,
    }


def _not_tested(untested: Sequence[UntestedClaim]) -> Iterator[str]:
    """Yield a line for each reason why claims were not tested, with their numbers and rows."""
    for reason in dict.fromkeys(claim.reason for claim in untested):
        found = [claim for claim in untested if claim.reason == reason]
        numbers = ", ".join(dict.fromkeys(str(claim.number) for claim in found))
        models = ", ".join(dict.fromkeys(claim.model for claim in found))
        yield f"Not tested: {numbers} of {models}: {reason}."


def _percent_over_seeds(seeds: SeedDifference | None) -> tuple[float, float] | None:
    """The ends of the interval over the seeds, as changes of the perplexity in per cent."""
    if seeds is None:
        return None
    low, high = seeds.interval_nats_per_token
    return percent_of_gain(high), percent_of_gain(low)
