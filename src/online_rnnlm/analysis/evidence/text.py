"""The parts of README.md and docs/evidence.md that are made from folders of evidence.

The lines between `<!-- evidence NAME PART -->` and `<!-- end -->` are made from the folder
`docs/evidence/NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from online_rnnlm.analysis.claims.paper import (
    BEST_SYSTEM,
    CLAIMS,
    MORE_PARAMETERS,
    MULTIPLY_ADDS,
)
from online_rnnlm.analysis.claims.verdict import NOT_SUPPORTED, SUPPORTED, UNDECIDED
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.analysis.wording import p_value, signed
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, OnlineEvaluation
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.records import Claim, Claims

DOCUMENTS = (Path("README.md"), Path("docs/evidence.md"))
FOLDERS = Path("docs/evidence")
_MARKED = re.compile(r"(<!-- evidence (\S+) (\S+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_KEPT = OnlineEvaluation(DOCUMENT_VECTOR, "word", "document").name
_RIVALS = {
    "neural_cache": "with a neural cache",
    "dynamic_evaluation": "with dynamic evaluation",
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
        evidence.refuse_changes()
        return f"{match[1]}{PARTS[part](evidence)}{match[4]}"

    return _MARKED.sub(made, document)


def write_documents(project: Path) -> None:
    """Make the parts of all documents anew; raises UserError as `with_evidence` does."""
    for name in DOCUMENTS:
        text = with_evidence((project / name).read_text(encoding="utf-8"), project)
        with replacing(project / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _networks(evidence: EvidenceFolder) -> str:
    """A table of the networks by themselves and with their most important rivals."""
    table = pd.read_csv(evidence.table("perplexity"))
    updates = pd.read_csv(evidence.table("updates"))
    kept = updates[updates["evaluation"] == _KEPT].set_index("model")
    rivals = {name: table[table["evaluation"] == name] for name in _RIVALS}
    headings = ["network", "test perplexity", "vector kept for the article", *_RIVALS.values()]
    lines = [
        f"| {' | '.join([*headings, 'parameters', 'multiply-adds a word'])} |",
        f"|---|{'---:|' * (len(headings) + 1)}",
    ]
    for _, row in table[table["hidden_size"].notna()].iterrows():
        model = row["model"]
        cells = [_value(row), _value(kept.loc[model]) if model in kept.index else ""]
        for found in rivals.values():
            mine = found[found["model"].str.startswith(f"{model} + ")]
            cells.append(_value(mine.iloc[0]) if len(mine) else "")
        counts = (f"{row['parameters']:,.0f}", f"{row['multiply_adds_per_word']:,.0f}")
        lines.append(f"| {' | '.join([model, *cells, *counts])} |")
    others = table[table["hidden_size"].isna() & ~table["model"].str.contains(r" \+ ")]
    for _, row in others.iterrows():
        blank = [""] * (len(headings) - 2)
        counts = (f"{row['parameters']:,.0f}", f"{row['multiply_adds_per_word']:,.0f}")
        lines.append(f"| {' | '.join([row['model'], _value(row), *blank, *counts])} |")
    return "\n".join(lines) + "\n"


def _summary(evidence: EvidenceFolder) -> str:
    """A table of the networks by themselves, and what the vector brings to the first of them."""
    table = pd.read_csv(evidence.table("perplexity"))
    headings = ["network", "parameters", "multiply-adds a word", "valid perplexity"]
    headings += ["test perplexity", "test, vector held still"]
    lines = [f"| {' | '.join(headings)} |", f"|---|{'---:|' * (len(headings) - 1)}"]
    for _, row in table[table["hidden_size"].notna()].iterrows():
        still = _value(row, STILL) if row["document_size"] > 0 else ""
        counts = (f"{row['parameters']:,.0f}", f"{row['multiply_adds_per_word']:,.0f}")
        values = (_value(row, "valid_perplexity"), _value(row))
        lines.append(f"| {' | '.join([row['model'], *counts, *values, still])} |")
    found = records.read(Claims, evidence.claims).claims
    larger = next((claim for claim in found if claim.number == MORE_PARAMETERS), None)
    if larger is not None:
        before, after = larger.effect.test_perplexity_against, larger.effect.test_perplexity
        lines += [
            "",
            f"The vector of {larger.network} takes the test perplexity from {before:.1f}, which "
            f"the larger static network {larger.network_against} reaches, to {after:.1f}.",
        ]
    return "\n".join(lines) + "\n"


def _value(row: pd.Series, key: str = "test_perplexity") -> str:
    """A perplexity, with its deviation over the seeds if there is one."""
    deviation = row.get(f"{key}_sd")
    spread = "" if deviation is None or pd.isna(deviation) else f" ± {deviation:.1f}"
    return f"{row[key]:.1f}{spread}"


def _claims(evidence: EvidenceFolder) -> str:
    """All claims with their verdicts; those that do not hold come first."""
    return _claims_table(records.read(Claims, evidence.claims).claims)


def _open_claims(evidence: EvidenceFolder) -> str:
    """The claims that do not hold, or of which it is not known."""
    found = records.read(Claims, evidence.claims).claims
    return _claims_table([claim for claim in found if claim.verdict != SUPPORTED])


def _best_claims(evidence: EvidenceFolder) -> str:
    """The claims of the row that the experiment's report is about: the best of the paper's model.

    The claim on the best systems is that row's.
    """
    found = records.read(Claims, evidence.claims).claims
    best = {(claim.corpus, claim.row) for claim in found if claim.number == BEST_SYSTEM}
    return _claims_table([claim for claim in found if (claim.corpus, claim.row) in best])


def _claims_table(found: Sequence[Claim]) -> str:
    order = (NOT_SUPPORTED, UNDECIDED, SUPPORTED)
    ranked = sorted(found, key=lambda claim: (order.index(claim.verdict), claim.number))
    lines = [
        "| verdict | claim | change | 95 % interval | corrected p |",
        "|---|---|---:|---:|---:|",
    ]
    return "\n".join([*lines, *map(_claim_row, ranked)]) + "\n"


def _claim_row(claim: Claim) -> str:
    effect = claim.effect
    p = "" if claim.p_value_holm is None else p_value(claim.p_value_holm).removeprefix("= ")
    interval = ""
    if effect.interval_percent is not None:
        low, high = map(signed, effect.interval_percent)
        interval = f"{low} to {high} %"
    what = "multiply-adds" if claim.number == MULTIPLY_ADDS else "perplexity"
    said = f"{claim.number}. {claim.model}: {CLAIMS[claim.number].name} (against {claim.against})"
    change = f"{signed(effect.change_percent)} % {what}"
    return f"| **{claim.verdict}** | {said} | {change} | {interval} | {p} |"


def _mixtures(evidence: EvidenceFolder) -> str:
    """The table of what each rival adds, as the experiment made it."""
    path = evidence.table("mixtures", "md")
    if not path.is_file():
        raise UserError(f"{path}: missing")
    return "\n".join(_table_lines(path)) + "\n"


def _table_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a Markdown file's table and of the notes below it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    yield from lines[first:]


PARTS: Mapping[str, Callable[[EvidenceFolder], str]] = {
    "summary": _summary,
    "networks": _networks,
    "claims": _claims,
    "open-claims": _open_claims,
    "best-claims": _best_claims,
    "mixtures": _mixtures,
}
"""The parts by name."""
