"""The table of verdicts on the claims, by claim and network."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from online_rnnlm.analysis.claims import heading_of
from online_rnnlm.analysis.tables.table import Column, Row, Table
from online_rnnlm.analysis.tables.values import signed
from online_rnnlm.storage.experiments import Claim, UntestedClaim

NOT_TESTED = "not tested"
"""The verdict on a claim that is not tested."""


def verdicts_table(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim] = (), *, one_seed: bool = False
) -> Table:
    """Make the table of verdicts: a row for each claim, a column for each network whose vector
    learns, by its hidden units.

    A column names the network's corpus, too, if there are several. A claim that no network tests
    has a row, too. With one seed, every verdict says so.
    """
    several = len({claim.corpus for claim in claims}) > 1
    found: dict[str, Row] = defaultdict(dict)
    for claim in claims:
        network = f"{claim.row}, {claim.corpus}" if several else claim.row
        found[heading_of(claim.letter, claim.case)][network] = claim
    named = dict.fromkeys(network for by_network in found.values() for network in by_network)
    networks = sorted(named, key=lambda name: int(re.findall(r"\d+", name)[0]))  # hidden units
    for untested in untested_to_show(claims, not_tested):
        found.setdefault(heading_of(untested.letter, untested.case), {})

    def verdict(claim: Claim | None) -> str:
        """The verdict of a network on a claim, and the change that it is about."""
        if claim is None:
            return NOT_TESTED
        said = f"{claim.verdict} {signed(claim.comparison.change_percent)} %"
        return f"one seed: {said}" if one_seed else said

    def look(claim: Claim | None) -> str:
        """Its class in the page's style: the verdict's own, or that of what is not to stand out."""
        return "muted" if claim is None or one_seed else claim.verdict

    columns = [
        Column("Claim", "heading", text=True, wide=True),
        *(Column(one, one, verdict, text=True, look=look) for one in networks),
    ]
    rows = [
        {"heading": heading, **dict.fromkeys(networks), **found[heading]}
        for heading in sorted(found, key=lambda heading: heading[0])  # by the claim's letter
    ]
    return Table("Verdicts by claim and network", rows, columns)


def lines_of(table: Table) -> list[str]:
    """The verdicts in the table's order, each claim in one line."""
    _, *networks = table.headings
    lines = []
    for heading, *cells in table.cells():
        found = zip(networks, cells, strict=True)
        said = [f"{network} ({cell})" for network, cell in found if cell != NOT_TESTED]
        lines.append(f"{heading}: {', '.join(said) or NOT_TESTED}.")
    return lines


def untested_to_show(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim]
) -> list[UntestedClaim]:
    """Single cases that cannot be tested, and whole claims that no other network tests, either."""
    tested = {claim.letter for claim in claims}
    return [one for one in not_tested if one.case or one.letter not in tested]
