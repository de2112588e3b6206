"""The parts of README.md and pages that are made from folders of evidence.

The lines between `<!-- evidence NAME PART -->` and `<!-- end -->` are made from the folder
`docs/evidence/NAME`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from online_rnnlm.analysis.claims.paper import CLAIMS
from online_rnnlm.analysis.claims.write import verdict_and_change
from online_rnnlm.analysis.comparison import percents_of_gains
from online_rnnlm.analysis.evidence.folder import EvidenceFolder, networks_of
from online_rnnlm.analysis.tables.perplexity import networks
from online_rnnlm.analysis.tables.write import (
    Column,
    integer,
    interval,
    label,
    markdown_of,
    mean,
)
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, Learning, final_evaluation, learning_in
from online_rnnlm.errors import UserError

DOCUMENTS = (Path("README.md"), Path("docs/evidence.md"), Path("docs/tutorial.md"))
FOLDERS = Path("docs/evidence")
_MARKED = re.compile(r"(<!-- evidence (\S+) (\S+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_KEPT = {
    Learning(updates=DOCUMENT_VECTOR, unit_of_text="document").name: "vector kept for the article"
}
_RIVALS = {
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
    several = [Column("text", label("corpus"), text=True)] if table["corpus"].nunique() > 1 else []
    own = Column("test perplexity", mean(_TEST))
    return markdown_of(shown, *several, _MODEL, own, *kept, *with_rivals, *_COUNTS)


def _headline(evidence: EvidenceFolder) -> str:
    """The networks in four columns, with what an n-gram model adds.

    Those that no static network reads alike are left out.
    """
    table = evidence.read_table("perplexity", "evaluation", "hidden_size")
    added = {name: _RIVALS[name] for name in ("ngram_mixture",)}
    networks = table[table["hidden_size"].notna()]
    alike = [networks["cell"], networks["unit_of_text"]]
    networks = networks[networks["document_size"].groupby(alike).transform("min") == 0]
    shown, with_rivals = _beside(networks, table, added)
    return markdown_of(
        shown, _MODEL, _COUNTS[0], Column("test perplexity", mean(_TEST)), *with_rivals
    )


def _ending(evidence: EvidenceFolder) -> str:
    """The table with which a run of the workflow ends, as a terminal shows it."""
    table = evidence.read_table("perplexity", "evaluation", "hidden_size")
    return "\n".join(f"    {line}".rstrip() for line in networks(table).splitlines()) + "\n"


def _beside(
    shown: pd.DataFrame, table: pd.DataFrame, headings: Mapping[str, str], *more_keys: str
) -> Made:
    """Put the test perplexities of a table's evaluations beside those of networks.

    `headings` are by evaluation. Rows with the same corpus, model and `more_keys` belong together.
    The columns of those that have a value are returned, too.
    """
    keys, columns = ["corpus", "model", *more_keys], []
    for evaluation, heading in headings.items():
        others = table[table["evaluation"] == evaluation]
        others = others.assign(model=networks_of(others["model"])).set_index(keys)
        values = others.reindex(columns=[_TEST, f"{_TEST}_sd"]).add_prefix(f"{evaluation}_")
        shown = shown.join(values, on=keys)
        if shown[f"{evaluation}_{_TEST}"].notna().any():
            columns.append(Column(heading, mean(f"{evaluation}_{_TEST}")))
    return shown, columns


def _intervals(evidence: EvidenceFolder) -> str:
    """A row for each way in which the vector may learn in testing: perplexity and words/s."""
    table = evidence.read_table("updates", "evaluation", "timed_words_per_second")
    shown = table[(table["document_size"] > 0) & table["timed_words_per_second"].notna()]
    ways = [learning_in(name) for name in shown["evaluation"]]
    shown = shown.assign(way=[(way and way.in_words) or "as in training" for way in ways])
    return markdown_of(
        shown,
        _MODEL,
        Column("in testing, its vector is", label("way"), text=True),
        Column("test perplexity", mean(_TEST)),
        Column("words/s", integer("timed_words_per_second")),
    )


def _other_texts(evidence: EvidenceFolder) -> str:
    """The networks' perplexities on texts of another kind, by themselves and with rivals."""
    table = evidence.read_table("other_texts", "evaluation", "text")
    table = table[table["document_size"].notna() & (table["text"] != "test")]
    final = [final_evaluation(int(size)) for size in table["document_size"]]
    shown = table[table["evaluation"] == final].sort_values("text", kind="stable")
    shown, with_rivals = _beside(shown, table, _RIVALS, "text")
    text, own = Column("text", label("text"), text=True), Column("test perplexity", mean(_TEST))
    return markdown_of(shown, text, _MODEL, own, *with_rivals)


def _as_made(evidence: EvidenceFolder, name: str) -> str:
    """A table as the experiment made it, with its last note."""
    path = evidence.table(name, "md")
    if not path.is_file():
        raise UserError(f"{path}: missing")
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join([*(line for line in lines if line.startswith("|")), "", lines[-1], ""])


def _verdicts(evidence: EvidenceFolder) -> str:
    """A row for each claim: its two sides with their test perplexities, and the verdict."""
    rows = []
    for claim in sorted(evidence.read_claims().claims, key=lambda claim: claim.number):
        effect, ends = claim.effect, [claim.effect.interval_percent]
        if claim.seeds is not None:
            ends.append(percents_of_gains(claim.seeds.interval_nats_per_token))
        intervals = "; ".join(filter(None, map(interval, ends)))
        found = [effect.test_perplexity, effect.test_perplexity_against]
        ours, theirs = ("" if one is None else f": {one:.1f}" for one in found)
        rows.append(
            {
                "claim": f"{claim.number}. {CLAIMS[claim.number].name}",
                "network": f"{claim.model}{ours}",
                "against": f"{claim.against}{theirs}",
                "verdict": verdict_and_change(claim) + f" ({intervals})" * bool(intervals),
            }
        )
    columns = [Column(name.capitalize(), label(name), text=True) for name in rows[0]]
    return markdown_of(pd.DataFrame(rows), *columns)


PARTS: Mapping[str, Callable[[EvidenceFolder], str]] = {
    "headline": _headline,
    "ending": _ending,
    "networks": _networks,
    "verdicts": _verdicts,
    "intervals": _intervals,
    "lengths": partial(_as_made, name="lengths"),
    "other-texts": _other_texts,
}
"""The parts by name."""
