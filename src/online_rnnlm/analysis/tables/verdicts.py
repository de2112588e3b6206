"""The tables of verdicts on the claims: by claim and network, and one test a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from online_rnnlm.analysis.claims import heading_of
from online_rnnlm.analysis.tables.table import Column, Table
from online_rnnlm.analysis.tables.values import interval, p_value, signed
from online_rnnlm.storage.experiments import Claim, UntestedClaim

NOT_TESTED = "not tested"
"""The verdict on a claim that is not tested."""


def verdicts_table(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim] = (), *, one_seed: bool = False
) -> Table[str]:
    """Make the table of verdicts: a row for each claim, a column for each network with a vector.

    A row is the claim's heading. A column names the network's corpus, too, if there are several. A
    claim that no network tests has a row, too. With one seed, every verdict says so.
    """
    several = len({claim.corpus for claim in claims}) > 1
    found: dict[str, dict[str, Claim]] = defaultdict(dict)
    for claim in claims:
        network = f"{claim.row}, {claim.corpus}" if several else claim.row
        found[heading_of(claim.letter, claim.case)][network] = claim
    networks = dict.fromkeys(network for by_network in found.values() for network in by_network)
    for untested in _by_no_network(claims, not_tested):
        found[heading_of(untested.letter)] = {}

    def verdict(heading: str, network: str) -> str:
        """The verdict of a network on a claim, and the change that it is about."""
        claim = found[heading].get(network)
        if claim is None:
            return NOT_TESTED
        said = f"{claim.verdict} {signed(claim.comparison.change_percent)} %"
        return f"one seed: {said}" if one_seed else said

    def look(heading: str, network: str) -> str:
        """Its class in the page's style: the verdict's own, or that of what is not to stand out."""
        claim = found[heading].get(network)
        return "muted" if claim is None or one_seed else claim.verdict

    columns: list[Column[str]] = [Column("Claim", str, text=True, wide=True)]
    for network in networks:
        show = partial(verdict, network=network)
        look_of = partial(look, network=network)
        columns.append(Column(network, show, text=True, wide=True, look=look_of))
    headings = sorted(found, key=lambda heading: heading[0])  # by the claim's letter
    return Table("Verdicts by claim and network", headings, columns)


class ClaimRow(NamedTuple):
    """A test of a claim: its two sides, or the reason why there is none."""

    claim: str
    network: str
    against: str
    change: str = ""
    corrected_p: str = ""
    verdict: str = NOT_TESTED


def claims_table(claims: Sequence[Claim], not_tested: Sequence[UntestedClaim]) -> Table[ClaimRow]:
    """Make the table of tests: a row for each claim, with its two sides and the verdict.

    A claim that no network tests has a row for each network, with the reason.
    """
    rows = [_judged(claim) for claim in claims]
    rows += [_not_judged(claim) for claim in _by_no_network(claims, not_tested)]
    rows.sort(key=lambda row: row.claim[0])  # by the claim's letter
    columns: list[Column[ClaimRow]] = [
        Column("Claim", lambda row: row.claim, text=True),
        Column("Network", lambda row: row.network, text=True),
        Column("Against", lambda row: row.against, text=True),
        Column("Change", lambda row: row.change, text=True),
        Column("Corrected p", lambda row: row.corrected_p, text=True),
        Column("Verdict", lambda row: row.verdict, text=True),
    ]
    return Table("Tests of the claims", rows, columns)


def _judged(claim: Claim) -> ClaimRow:
    """The row of a claim that was tested."""
    compared = claim.comparison
    ours = compared.ours
    theirs = compared.theirs
    return ClaimRow(
        claim=heading_of(claim.letter, claim.case),
        network=f"{ours.name}: {ours.test_perplexity:.1f}",
        against=f"{theirs.name}: {theirs.test_perplexity:.1f}",
        change=f"{signed(compared.change_percent)} % ({interval(compared.interval_percent)})",
        corrected_p=p_value(claim.p_value_holm).removeprefix("= "),
        verdict=claim.verdict,
    )


def _not_judged(claim: UntestedClaim) -> ClaimRow:
    """The row of a claim that was not tested."""
    return ClaimRow(heading_of(claim.letter), claim.row, claim.reason)


def _by_no_network(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim]
) -> list[UntestedClaim]:
    """The claims of `not_tested` that no other network tests, either."""
    tested = {claim.letter for claim in claims}
    return [untested for untested in not_tested if untested.letter not in tested]
