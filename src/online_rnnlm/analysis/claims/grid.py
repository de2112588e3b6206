"""The table of verdicts: a row for each claim, a column for each network with a vector."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from online_rnnlm.analysis.claims.paper import CLAIMS, MULTIPLY_ADDS
from online_rnnlm.analysis.comparison import percents_of_gains
from online_rnnlm.analysis.tables.write import Column, Table, interval, label, signed
from online_rnnlm.storage.records import Claim

_NOTE = (
    "Each cell: the verdict, the change of test perplexity (in claim 3 of what is named), its 95 % "
    "interval over the test text and, with several seeds, over the seeds."
)


def grid(claims: Sequence[Claim], *, intervals: bool = True) -> Table:
    """Make the table; it names the corpus of a network if there are several."""
    several = len({claim.corpus for claim in claims}) > 1
    cells: dict[str, dict[str, str]] = {}
    for claim in sorted(claims, key=lambda claim: claim.number):
        case = f", {claim.case}" if claim.case else ""
        row = f"{claim.number}. {CLAIMS[claim.number].name}{case}"
        column = f"{claim.row}, {claim.corpus}" if several else claim.row
        cells.setdefault(row, {})[column] = _cell(claim, intervals)
    networks = dict.fromkeys(name for row in cells.values() for name in row)
    data = pd.DataFrame([{"claim": name, **row} for name, row in cells.items()])
    columns = [Column("Claim", label("claim"), text=True, wide=True)]
    columns += [Column(name, label(name), text=True, wide=True) for name in networks]
    notes = [_NOTE] if intervals else []
    return Table("claims", "Verdicts by claim and network", data, columns, notes)


def _cell(claim: Claim, intervals: bool) -> str:
    ends = [claim.effect.interval_percent]
    if claim.seeds is not None:
        ends.append(percents_of_gains(claim.seeds.interval_nats_per_token))
    shown = "; ".join(filter(None, map(interval, ends if intervals else [])))
    effect = claim.effect
    said = f"{claim.verdict} {signed(effect.change_percent)} %"
    if claim.number == MULTIPLY_ADDS:
        said += " multiply-adds"
        if effect.seconds_per_word and effect.seconds_per_word_against:
            change = 100 * (effect.seconds_per_word / effect.seconds_per_word_against - 1)
            said += f", {signed(change)} % time"
    return f"{said} ({shown})" if shown else said
