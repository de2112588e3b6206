"""The table of verdicts on the claims, which the report alone shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from online_rnnlm.analysis.claims import heading_of
from online_rnnlm.analysis.tables.table import Column, Table, signed
from online_rnnlm.storage.experiments import Claim, UntestedClaim

NOT_TESTED = "not tested"
"""The cell of a claim that a network does not test."""


class VerdictCell(NamedTuple):
    """A verdict in the table."""

    text: str
    look: str
    """Its class in the page's style: the verdict's own, or `muted` for what is not to stand out."""


class VerdictRow(NamedTuple):
    """A claim in the table of verdicts."""

    claim: str
    by_network: Mapping[str, VerdictCell]
    """The verdicts on it, by network."""

    def cell(self, network: str) -> VerdictCell:
        """The verdict of a network."""
        return self.by_network.get(network, VerdictCell(NOT_TESTED, "muted"))


def grid(
    claims: Sequence[Claim], not_tested: Sequence[UntestedClaim] = (), *, one_seed: bool = False
) -> Table[VerdictRow]:
    """Make the table of verdicts: a row for each claim, a column for each network with a vector.

    It names the corpus of a network if there are several. A claim that no network tests has a row,
    too. With one seed, every verdict says so.
    """
    several = len({claim.corpus for claim in claims}) > 1
    verdicts: dict[str, dict[str, VerdictCell]] = defaultdict(dict)
    for claim in claims:
        network = f"{claim.row}, {claim.corpus}" if several else claim.row
        said = f"{claim.verdict} {signed(claim.comparison.change_percent)} %"
        verdicts[heading_of(claim.letter, claim.case)][network] = VerdictCell(
            f"one seed: {said}" if one_seed else said, "muted" if one_seed else claim.verdict
        )
    networks = dict.fromkeys(network for of_claim in verdicts.values() for network in of_claim)
    tested = {claim.letter for claim in claims}
    for letter in {untested.letter for untested in not_tested} - tested:
        verdicts[heading_of(letter)] = {}
    rows = [VerdictRow(name, verdicts[name]) for name in sorted(verdicts, key=lambda name: name[0])]
    columns: list[Column[VerdictRow]] = [
        Column("Claim", lambda row: row.claim, text=True, wide=True),
        *map(_column_of, networks),
    ]
    return Table("Verdicts by claim and network", rows, columns)


def _column_of(network: str) -> Column[VerdictRow]:
    """The column of a network."""
    return Column(
        network,
        lambda row: row.cell(network).text,
        text=True,
        wide=True,
        look=lambda row: row.cell(network).look,
    )
