"""The parts of README.md and pages that are made from folders of evidence.

The lines between `<!-- evidence NAME PART -->` and `<!-- end -->` are made from the folder
`docs/evidence/NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import MIXED, NOT_TESTED, heading_of
from online_rnnlm.analysis.evidence import EvidenceFolder, networks_of
from online_rnnlm.analysis.tables.perplexity import networks
from online_rnnlm.analysis.tables.table import (
    Column,
    integer,
    interval,
    label,
    markdown_of,
    number,
    p_value,
    signed,
)
from online_rnnlm.config.experiment import load_plan
from online_rnnlm.core import way
from online_rnnlm.core.way import DOCUMENT_VECTOR, Way
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claims
from online_rnnlm.storage.runs import RunResult, read_end

DOCUMENTS = (Path("README.md"), Path("docs/evidence.md"), Path("docs/tutorial.md"))
FOLDERS = Path("docs/evidence")
UNDER_WAY = ("articles",)
"""Experiments of which finished runs are kept as they come."""
_MARKED = re.compile(r"(<!-- evidence (\S+) (\S+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_KEPT = {
    Way((DOCUMENT_VECTOR,), unit_of_text="document").name: "vector kept for the article",
    Way(way.PARTS, unit_of_text="document").name: "all weights learning, kept for it",
}
_RIVALS = {
    "short_neural_cache": "with a short neural cache",
    "neural_cache": "with a neural cache",
    "dynamic_evaluation": "with dynamic evaluation",
    "ngram_mixture": "with an n-gram model",
    "mixture": "all mixed in",
}


def with_evidence(document: str, project: Path) -> str:
    """Return a document with its parts made anew.

    Raises UserError for a part that does not exist, and for evidence that is missing or changed.
    """

    def made(match: re.Match[str]) -> str:
        _, name, part, _ = match.groups()
        if part not in PARTS:
            raise UserError(f"evidence {name} {part}: no part; allowed: {', '.join(PARTS)}")
        evidence = EvidenceFolder(project / FOLDERS / name)
        if name not in UNDER_WAY:
            evidence.refuse_changes()
        return f"{match[1]}{PARTS[part](evidence)}{match[4]}"

    return _MARKED.sub(made, document)


def write() -> None:
    """Make the parts of all documents anew; raises UserError as `with_evidence` does."""
    for name in DOCUMENTS:
        text = with_evidence(name.read_text(encoding="utf-8"), Path())
        name.write_text(text, encoding="utf-8")


_TEST = "test_perplexity"
_MODEL = Column("network", label("model"), text=True)
_COUNTS = (
    Column("parameters", integer("parameters")),
    Column("multiply-adds per word", integer("multiply_adds_per_word")),
)
Made = tuple[pd.DataFrame, list[Column]]


def _networks(evidence: EvidenceFolder) -> str:
    """A table of the networks, by themselves and with rivals, then of the corpora's models.

    It has a column of corpora if there are several, and no column without a value.
    """
    table = evidence.read_table("perplexity", "evaluation", "hidden_size")
    shown = table[table["hidden_size"].notna() | ~table["model"].str.contains(r" \+ ")]
    shown, kept = _beside(shown, evidence.read_table("updates", "evaluation"), _KEPT)
    shown, with_rivals = _beside(shown, table, _RIVALS)
    several, own = _corpus_if_several(table), Column("test perplexity", number(_TEST))
    return markdown_of(shown, *several, _MODEL, own, *kept, *with_rivals, *_COUNTS)


def _finding(evidence: EvidenceFolder) -> str:
    """The network of the first claim and all that its claims set against it, with their costs.

    The worst is first. What everything mixed in gives is left out: it is about other networks, too.
    Those that were not timed in turn have no speed.
    """
    rows: dict[str, dict[str, Any]] = {}
    claims = records.read(Claims, evidence.claims).claims
    for claim in (one for one in claims if one.row == claims[0].row and one.case != MIXED):
        compared = claim.comparison
        for side in (compared.ours, compared.theirs):
            rows.setdefault(side.name, side.model_dump())
        if claim.letter != "g":  # its vector may learn in another way
            verdict = "" if claim.verdict != "undecided" else ", undecided"
            change = f"{signed(compared.change_percent)} %{verdict}"
            rows[compared.theirs.name]["change"] = change
    shown = pd.DataFrame(rows.values()).sort_values("test_perplexity", ascending=False)
    timed = evidence.read_table("updates", "evaluation", "timed_words_per_second")
    speeds = timed.set_index(["model", "evaluation"])["timed_words_per_second"]
    shown = shown.join(speeds, on=["network", "evaluation"])
    return markdown_of(
        shown.fillna({"change": ""}),
        Column("network", label("name"), text=True),
        Column("test perplexity", number(_TEST)),
        *_COUNTS,
        Column("words/s", integer("timed_words_per_second")),
        Column(f"{claims[0].row} against it", label("change")),
    )


def _corpus_if_several(table: pd.DataFrame) -> list[Column]:
    """A column of corpora if the table has several."""
    several = table["corpus"].nunique() > 1
    return [Column("text", label("corpus"), text=True)] if several else []


def _ending(evidence: EvidenceFolder) -> str:
    """The table with which a run of the workflow ends, as a terminal shows it."""
    table = evidence.read_table("perplexity", "evaluation", "hidden_size")
    return "\n".join(f"    {line}".rstrip() for line in networks(table).splitlines()) + "\n"


def _beside(shown: pd.DataFrame, table: pd.DataFrame, headings: Mapping[str, str]) -> Made:
    """Put the test perplexities of a table's evaluations beside those of networks.

    `headings` are by evaluation. Rows with the same corpus and model belong together. The columns
    of those that have a value are returned, too.
    """
    keys = ["corpus", "model"]
    columns = []
    for evaluation, heading in headings.items():
        others = table[table["evaluation"] == evaluation]
        others = others.assign(model=networks_of(others["model"])).set_index(keys)
        values = others.reindex(columns=[_TEST, f"{_TEST}_sd"]).add_prefix(f"{evaluation}_")
        shown = shown.join(values, on=keys)
        if shown[f"{evaluation}_{_TEST}"].notna().any():
            columns.append(Column(heading, number(f"{evaluation}_{_TEST}")))
    return shown, columns


def _verdicts(evidence: EvidenceFolder) -> str:
    """A row for each claim: its two sides with their test perplexities, and the verdict.

    A claim that no network tests has a row, too.
    """
    rows = []
    found = records.read(Claims, evidence.claims)
    for claim in found.claims:
        compared = claim.comparison
        ours = compared.ours
        theirs = compared.theirs
        change = f"{signed(compared.change_percent)} % ({interval(compared.interval_percent)})"
        rows.append(
            {
                "claim": heading_of(claim.letter, claim.case),
                "network": f"{ours.name}: {ours.test_perplexity:.1f}",
                "against": f"{theirs.name}: {theirs.test_perplexity:.1f}",
                "change": change,
                "corrected p": p_value(claim.p_value_holm).removeprefix("= "),
                "verdict": claim.verdict,
            }
        )
    tested = {claim.letter for claim in found.claims}
    for untested in (one for one in found.not_tested if one.letter not in tested):
        rows.append(
            {
                "claim": heading_of(untested.letter),
                "network": untested.row,
                "against": untested.reason,
                "change": "",
                "corrected p": "",
                "verdict": NOT_TESTED,
            }
        )
    rows.sort(key=lambda row: row["claim"][0])
    columns = [Column(name.capitalize(), label(name), text=True) for name in rows[0]]
    return markdown_of(pd.DataFrame(rows), *columns)


def _searched(evidence: EvidenceFolder) -> str:
    """The lowest perplexity on `valid` of the search's runs, by network and length of training."""
    rows: list[dict[str, Any]] = []
    for row in load_plan(evidence.configuration).planned_rows:
        best: dict[str, float] = {}
        for run in row.candidates:
            end = read_end(evidence.run(run.name))
            if isinstance(end, RunResult):
                length = f"{run.settings.max_epochs} epochs"
                best[length] = min(end.valid_perplexity, best.get(length, end.valid_perplexity))
        if best:
            rows.append({"model": row.runs[0].model, **best})
    shown = pd.DataFrame(rows)
    lengths = [Column(length, number(length)) for length in shown.columns.drop("model")]
    return markdown_of(shown, _MODEL, *lengths)


PARTS: Mapping[str, Callable[[EvidenceFolder], str]] = {
    "finding": _finding,
    "ending": _ending,
    "networks": _networks,
    "searched": _searched,
    "verdicts": _verdicts,
}
"""The parts by name."""
