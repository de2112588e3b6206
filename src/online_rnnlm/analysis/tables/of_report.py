"""The tables of settings, of runs and of verdicts, which the report alone shows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic.fields import FieldInfo

from online_rnnlm.analysis.claims import heading_of
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import Column, Row, Table
from online_rnnlm.analysis.tables.values import integer, signed
from online_rnnlm.config.runs import network_name
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.storage.experiments import Claim, UntestedClaim

PUBLISHED = "published"
TOOLKIT = "RNNLM Toolkit's"
ASSUMED = "assumed"

ORIGINS: Mapping[str, Mapping[str, Any]] = {
    PUBLISHED: {"cell": "sigmoid"},
    TOOLKIT: {
        "error_clip": 15.0,
        "improvement_factor": 1.003,
        "rate_divisor": 2.0,
        "rate_rule": "toolkit",
        "classes.rule": "sqrt_frequency",
        "classes.count": 100,
        "testing.steps": 5,
    },
}
"""The values of settings that are not assumed, by their origin.

Published values are in the author's summary of the paper, the toolkit's in its source code.
"""
NOT_TESTED = "not tested"
"""The verdict on a claim that is not tested."""
_DECIDED_BY_ROW = {"corpus", "seed", "hidden_size", "document_size"}


def origin(key: str, value: Any) -> str:
    """The origin of a setting's value."""
    for source, known in ORIGINS.items():
        if key in known and known[key] == value:
            return source
    return ASSUMED


def _texts(caption: str, rows: list[Row]) -> Table:
    """A table of texts, whose headings are the keys of its rows."""
    return Table(caption, rows, [Column(heading, heading, text=True) for heading in rows[0]])


def settings_table(results: Results) -> Table:
    """The settings of training and testing; if networks differ, with each one's own value."""
    rows = []
    for key, field in RunSettings.model_fields.items():
        used = [network for network in results.networks if key not in network.settings.unused]
        if used and key not in _DECIDED_BY_ROW:
            several = len({network.corpus for network in used}) > 1
            values = {
                f"{one.corpus + ' ' if several else ''}{one.network_name}": getattr(
                    one.settings, key
                )
                for one in used
            }
            rows.append(_setting(key, values, field))
    for key, field in TestingSettings.model_fields.items():
        values = {
            f"{one.settings.corpus + ' ' if results.several_corpora else ''}"
            f"{network_name(one.settings)}": getattr(one.testing, key)
            for one in results.experiment.networks
        }
        rows.append(_setting(f"testing.{key}", values, field))
    return _texts("Training", rows)


def _setting(name: str, values: Mapping[str, Any], field: FieldInfo) -> Row:
    """A row of the table; `values` are by the network that has them."""
    several = len(set(map(repr, values.values()))) > 1
    shown = "; ".join(f"{network}: {value}" for network, value in values.items())
    return {
        "Setting": name,
        "Value": shown if several else str(next(iter(values.values()))),
        "Status": " / ".join(dict.fromkeys(origin(name, value) for value in values.values())),
        "Meaning": " ".join((field.description or "").replace("`", "").split()),
    }


def corpus_settings_table(results: Results) -> Table:
    """The settings by which the corpora are prepared."""
    rows: list[Row] = [
        {"Setting": f"{name}: {key}", "Value": value, "Status": origin(str(key), value)}
        for name, corpus in results.experiment.corpora.items()
        for key, value in pd.json_normalize(corpus.model_dump(mode="json")).iloc[0].items()
    ]
    return _texts("Corpora", rows)


def runs_table(results: Results) -> Table:
    """The runs of the comparison, each with its epochs, time and identity."""
    columns = [
        Column("Run", lambda run: run.name, text=True),
        Column("Epochs", lambda run: run.end.epochs, integer),
        Column("Best epoch", lambda run: run.end.best_epoch, integer),
        Column("Training (s)", lambda run: run.end.seconds, integer),
        Column("Identity", lambda run: run.end.identity[:12], text=True),
    ]
    return Table("Runs", results.runs, columns)


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
