"""Judge the paper's claims by an experiment's own results; write and show the verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from online_rnnlm.analysis.claims import CLAIMS, ClaimSides, heading_of, sides_of_claims
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.sides import compare_pairs, names_of
from online_rnnlm.analysis.significance import LEVEL, holm
from online_rnnlm.analysis.tables.table import Column, Table, label, signed
from online_rnnlm.config.experiment import Plan
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claim, Claims, UntestedClaim, Verdict
from online_rnnlm.storage.files import digest_of_json
from online_rnnlm.storage.paths import ExperimentDirectory

SUPPORTED: Verdict = "supported"
REFUTED: Verdict = "refuted"
UNDECIDED: Verdict = "undecided"
NOT_TESTED = "not tested"
"""What stands in place of a verdict on a claim that a network does not test."""


def write_claims(experiment: Plan, directory: ExperimentDirectory) -> None:
    """Write `claims.json`: the claims that the runs can test, and those that they cannot."""
    records.write(directory.claims, judge(collect(experiment, directory)))


def judge(results: Results) -> Claims:
    """Judge all claims, vector row by vector row.

    The p-values are corrected together; two claims with the same two sides are one comparison.
    """
    found = list(sides_of_claims(results))
    tested = [one for one in found if isinstance(one, ClaimSides)]
    compared = compare_pairs(results, ((one.ours, one.theirs) for one in tested))
    p_values = holm([comparison.p_value for comparison in compared.values()])
    corrected = dict(zip(compared, p_values, strict=True))
    claims = []
    for one in tested:
        names = names_of(one.ours, one.theirs)
        comparison = compared[names]
        p_value = corrected[names]
        text = CLAIMS[one.letter].text
        claims.append(
            Claim(
                letter=one.letter,
                claim=text.format(model=comparison.ours.name, against=comparison.theirs.name),
                case=one.case,
                corpus=one.row.corpus,
                train_tokens=results.corpora[one.row.corpus].splits["train"].tokens,
                row=one.row.label,
                comparison=comparison,
                p_value_holm=p_value,
                verdict=verdict_of(comparison.nats_per_token, p_value),
            )
        )
    return Claims(
        settings=digest_of_json(results.experiment.of_results()),
        claims=tuple(claims),
        not_tested=tuple(one for one in found if isinstance(one, UntestedClaim)),
    )


def verdict_of(gain: float, p_value: float) -> Verdict:
    """The verdict on a claim, by the gain of its side and the corrected p-value."""
    if p_value >= LEVEL:
        return UNDECIDED
    return SUPPORTED if gain > 0 else REFUTED


def grid(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim] = (), *, one_seed: bool = False
) -> Table:
    """Make the table of verdicts: a row for each claim, a column for each network with a vector.

    It names the corpus of a network if there are several. A claim that no network tests has a row,
    too. With one seed, every verdict says so.
    """
    several = len({claim.corpus for claim in claims}) > 1
    cells: dict[str, dict[str, str]] = {}
    for claim in claims:
        row = heading_of(claim.letter, claim.case)
        network = f"{claim.row}, {claim.corpus}" if several else claim.row
        said = f"{claim.verdict} {signed(claim.comparison.change_percent)} %"
        cells.setdefault(row, {})[network] = f"one seed: {said}" if one_seed else said
    networks = dict.fromkeys(network for row in cells.values() for network in row)
    tested = {claim.letter for claim in claims}
    for letter in {untested.letter for untested in not_tested} - tested:
        cells[heading_of(letter)] = {}
    rows = [
        {"claim": name, **dict.fromkeys(networks, NOT_TESTED), **cells[name]}
        for name in sorted(cells, key=lambda name: name[0])
    ]
    columns = [Column("Claim", label("claim"), text=True, wide=True)]
    columns += [Column(name, label(name), text=True, wide=True) for name in networks]
    return Table("claims", "Verdicts by claim and network", pd.DataFrame(rows), columns)
