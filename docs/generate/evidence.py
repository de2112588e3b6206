"""The tables and values that pages have from a folder of evidence, `docs/evidence/<name>`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from online_rnnlm.analysis.claims import AT_ANY_COST, heading_of
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.opponents import headline_on, opponents_of
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import System
from online_rnnlm.analysis.tables import perplexity, updates
from online_rnnlm.analysis.tables.of_report import NOT_TESTED, untested_to_show
from online_rnnlm.analysis.tables.table import Column, Table
from online_rnnlm.analysis.tables.values import integer, interval, mean, number, p_value, signed
from online_rnnlm.analysis.tables.writing import to_markdown_grid, to_text
from online_rnnlm.config.plan import load_plan
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, PARTS, Adaptation
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claims
from online_rnnlm.storage.runs import read_end

EVIDENCE = Path(__file__).parents[1] / "evidence"
_ADAPTATIONS = [
    Adaptation(learning, unit_of_text="document").name for learning in ((DOCUMENT_VECTOR,), PARTS)
]
"""The names of the adaptations that are shown beside the main one."""


def parts() -> dict[str, Callable[[], str]]:
    """Return what makes each table or value, by the folder's name and its own: `paper finding`.

    `paper test 100/20` is a perplexity, `paper 100/20 against 135/0` a change. `paper updates of
    100/20` is what is updated in it, and in a static network beside it.
    """
    made: dict[str, Callable[[], str]] = {}
    for folder in EVIDENCE.iterdir():
        if folder.is_dir():
            evidence = EvidenceFolder(folder)
            for name, make in TABLES_OF_EVIDENCE.items():
                made[f"{folder.name} {name}"] = partial(_table, evidence, make)
            updates_file = evidence.table("updates", "csv")
            if updates_file.is_file():
                for network in dict.fromkeys(row["model"] for row in _rows(updates_file)):
                    make = partial(_updates, network=network)
                    made[f"{folder.name} updates of {network}"] = partial(_table, evidence, make)
            for name, value in _values(evidence):
                made[f"{folder.name} {name}"] = partial(str, value)
    return made


def _values(evidence: EvidenceFolder) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each perplexity, and of each change in whole per cent.

    `test 110/0 all.word.document` is the perplexity of a network in an evaluation.
    """
    updates_file = evidence.table("updates", "csv")
    if updates_file.is_file():
        for row in _rows(updates_file):
            yield f"test {row['model']} {row['evaluation']}", number(row["test_perplexity"])
    for row in _rows(evidence.table("perplexity", "csv")):
        for split in ("valid", "test"):
            yield f"{split} {row['model']}", number(row[f"{split}_perplexity"])
    for row in _rows(evidence.table("comparisons", "csv")):
        change = row["change_percent"]
        text = f"{abs(change):.0f} % {'worse' if change > 0 else 'better'}"
        yield f"{row['system']} against {row['system_against']}", text


def _rows(file: Path) -> list[dict[Hashable, Any]]:
    """Return the rows of a kept table."""
    return pd.read_csv(file).to_dict("records")


def _table(evidence: EvidenceFolder, make: Callable[[EvidenceFolder], str]) -> str:
    """Return a table made from a folder of evidence; raises UserError if its files have changed."""
    evidence.refuse_changes()
    return make(evidence)


@cache
def _results(evidence: EvidenceFolder) -> Results:
    """The results by the kept records."""
    return collect(evidence)


def _finding(evidence: EvidenceFolder) -> str:
    """The headline, static networks beside it, and what claims b to e compare, with their costs.

    The worst is first. Those that were not timed in turn have no speed.
    """
    claims = records.read(Claims, evidence.claims).claims
    results = _results(evidence)
    headline = headline_on(results, results.first_corpus).main
    networks = results.networks_on(headline.corpus)
    tested = {one.name: one for network in networks for one in network.tested.values()}
    names = [one.main.name for one in opponents_of(results, headline.network)]
    changes: dict[str, str] = {}
    for claim in claims:
        compared = claim.comparison
        is_shown = claim.letter in "bcde" and claim.case != AT_ANY_COST
        if not is_shown or (claim.corpus, claim.row) != (headline.corpus, headline.name):
            continue
        names += [compared.ours.name, compared.theirs.name]
        if compared.ours.name == headline.name:  # else its vector has another adaptation
            verdict = "" if claim.verdict != "undecided" else ", undecided"
            changes[compared.theirs.name] = f"{signed(compared.change_percent)} %{verdict}"
    if not changes:
        raise UserError(f"{evidence.claims}: no claim is tested, so that there is no finding")
    columns = [
        Column("network", lambda one: one.name, text=True),
        Column("test perplexity", lambda one: number(one.perplexity().mean())),
        Column("parameters", lambda one: integer(one.parameters)),
        Column("multiply-adds per word", lambda one: integer(one.multiply_adds)),
        Column("words/s", lambda one: integer(one.words_per_second_in_turn)),
        Column(f"{headline.name} against it", lambda one: changes.get(one.name, "")),
    ]
    shown = [tested[name] for name in dict.fromkeys(names)]
    shown.sort(key=lambda one: one.perplexity().mean(), reverse=True)
    return to_markdown_grid(Table("", shown, columns))


def _updates(evidence: EvidenceFolder, network: str) -> str:
    """The rows of the table `updates` on one network whose vector learns, without rates."""
    table = updates.make(_results(evidence))
    rows = [row for row in table.rows if row["vector"] == network]
    columns = [column for column in table.columns if column.value not in ("hidden_size", "rate")]
    return to_markdown_grid(replace(table, rows=rows, columns=columns).without_empty_columns())


def _ending(evidence: EvidenceFolder) -> str:
    """The table with which a run of the workflow ends, as a terminal shows it."""
    shown = to_text(perplexity.networks(_results(evidence)))
    return "\n".join(f"    {line}".rstrip() for line in shown.splitlines()) + "\n"


def _networks(evidence: EvidenceFolder) -> str:
    """A table of the networks, by themselves and with rivals, then of the corpora's models.

    It has a column of corpora if there are several, and no column without a value.
    """
    results = _results(evidence)
    systems = [
        system
        for corpus in results.corpora
        for system in results.systems_on(corpus)
        if not (system.network and system.rival)
    ]
    tested = [
        Column(results.in_words[name], partial(_perplexity_in, evaluation=name))
        for name in (*_ADAPTATIONS, *results.experiment.rivals)
        if any(_perplexity_in(system, name) for system in systems)
    ]
    return to_markdown_grid(perplexity.overview(systems, tested))


def _perplexity_in(system: System, evaluation: str) -> str:
    """The test perplexity of a network in one of its evaluations; nothing if it has no such one."""
    if system.network and evaluation in system.network.tested:
        return mean(system.network.tested[evaluation].perplexity())
    return ""


class SearchRow(NamedTuple):
    """The lowest perplexity on `valid` of a network in the search, by length of training."""

    network: str
    by_length: Mapping[str, float]

    def lowest(self, length: str) -> str:
        """The lowest with trainings of one length."""
        return number(self.by_length.get(length))


def _searched(evidence: EvidenceFolder) -> str:
    """The lowest perplexity on `valid` of the search's runs, by network and length of training."""
    rows = []
    for row in load_plan(evidence.configuration).planned_rows:
        best: dict[str, float] = {}
        for run in row.candidates:
            end = read_end(evidence.run(run.name))
            if end is not None and not end.reason:
                length = f"{run.settings.max_epochs} epochs"
                best[length] = min(end.reached, best.get(length, end.reached))
        if best:
            rows.append(SearchRow(row.runs[0].network_name, best))
    lengths = dict.fromkeys(length for row in rows for length in row.by_length)
    columns = [
        Column("network", lambda row: row.network, text=True),
        *(Column(length, partial(SearchRow.lowest, length=length)) for length in lengths),
    ]
    return to_markdown_grid(Table("", rows, columns))


class ClaimRow(NamedTuple):
    """A test of a claim: its two sides, or the reason why there is none."""

    claim: str
    network: str
    against: str
    change: str = ""
    corrected_p: str = ""
    verdict: str = NOT_TESTED


def _verdicts(evidence: EvidenceFolder) -> str:
    """A row for each claim: its two sides with their test perplexities, and the verdict.

    One that is not tested has the reason, unless other networks test it.
    """
    claims = records.read(Claims, evidence.claims)
    rows = []
    for claim in claims.claims:
        compared = claim.comparison
        ours = compared.ours
        theirs = compared.theirs
        row = ClaimRow(
            claim=heading_of(claim.letter, claim.case),
            network=f"{ours.name}: {ours.test_perplexity:.1f}",
            against=f"{theirs.name}: {theirs.test_perplexity:.1f}",
            change=f"{signed(compared.change_percent)} % ({interval(compared.interval_percent)})",
            corrected_p=p_value(claim.p_value_holm).removeprefix("= "),
            verdict=claim.verdict,
        )
        rows.append(row)
    for untested in untested_to_show(claims.claims, claims.not_tested):
        heading = heading_of(untested.letter, untested.case)
        rows.append(ClaimRow(heading, untested.row, untested.reason))
    rows.sort(key=lambda row: row.claim[0])  # by the claim's letter
    columns = [
        Column("Claim", lambda row: row.claim, text=True),
        Column("Network", lambda row: row.network, text=True),
        Column("Against", lambda row: row.against, text=True),
        Column("Change", lambda row: row.change, text=True),
        Column("Corrected p", lambda row: row.corrected_p, text=True),
        Column("Verdict", lambda row: row.verdict, text=True),
    ]
    return to_markdown_grid(Table("", rows, columns))


TABLES_OF_EVIDENCE: Mapping[str, Callable[[EvidenceFolder], str]] = {
    "finding": _finding,
    "ending": _ending,
    "networks": _networks,
    "searched": _searched,
    "verdicts": _verdicts,
}
"""The functions that make the tables, by name."""
