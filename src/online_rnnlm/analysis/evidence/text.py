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
    BEST_RIVAL,
    BEST_SYSTEM,
    MORE_PARAMETERS,
)
from online_rnnlm.analysis.evidence.claim_tables import (
    all_claims,
    best_claims,
    open_claims,
)
from online_rnnlm.analysis.evidence.folder import EvidenceFolder, networks_of
from online_rnnlm.analysis.tables import gains
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.analysis.tables.rendering import (
    Column,
    integer,
    label,
    markdown_of,
    mean,
)
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, OnlineEvaluation
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.records import Claim

DOCUMENTS = (Path("README.md"), Path("docs/evidence.md"))
FOLDERS = Path("docs/evidence")
_MARKED = re.compile(r"(<!-- evidence (\S+) (\S+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_KEPT = OnlineEvaluation(DOCUMENT_VECTOR, "word", "document").name
_RIVALS = {
    "neural_cache": "with a neural cache",
    "dynamic_evaluation": "with dynamic evaluation",
    "ngram_mixture": "with an n-gram model",
    "mixture": "all mixed in",
}
_IN_SUMMARY = ("ngram_mixture", "neural_cache")
"""The rivals in the summary: the one that adds least computation, and the best known one."""


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


_COUNTS = (
    Column("parameters", integer("parameters")),
    Column("multiply-adds a word", integer("multiply_adds_per_word")),
)
_TEST = "test_perplexity"
_NETWORK = ["corpus", "model"]


def _networks(evidence: EvidenceFolder) -> str:
    """A table of the networks, by themselves and with rivals, then of the corpora's models.

    It has a column of corpora if there are several, and no column without a value.
    """
    table = evidence.read_table("perplexity", "corpus", "evaluation", "hidden_size")
    updates = evidence.read_table("updates", "corpus", "evaluation")
    found = {"kept": updates[updates["evaluation"] == _KEPT].set_index(_NETWORK)}
    found |= {name: _of_rival(table, name) for name in _RIVALS}
    shown = table[table["hidden_size"].notna() | ~table["model"].str.contains(r" \+ ")]
    for name, values in found.items():
        shown = _beside(shown, name, values)
    headings = {"kept": "vector kept for the article", **_RIVALS}
    others = {f"{name}_{_TEST}": heading for name, heading in headings.items()}
    several = table["corpus"].nunique() > 1
    return markdown_of(
        shown,
        *([Column("text", label("corpus"), text=True)] if several else []),
        Column("network", label("model"), text=True),
        Column("test perplexity", mean(_TEST)),
        *(Column(name, mean(key)) for key, name in others.items() if shown[key].notna().any()),
        *_COUNTS,
    )


def _summary(evidence: EvidenceFolder) -> str:
    """A table of the networks by themselves, then what the vector brings and what its rivals do."""
    table = evidence.read_table("perplexity", "corpus", "hidden_size", "evaluation")
    shown = table[table["hidden_size"].notna()]
    for name in _IN_SUMMARY:
        shown = _beside(shown, name, _of_rival(table, name))
    rivals = {f"{name}_{_TEST}": _RIVALS[name] for name in _IN_SUMMARY}
    networks = markdown_of(
        shown,
        Column("network", label("model"), text=True),
        *_COUNTS,
        Column("test perplexity", mean(_TEST)),
        Column("vector held still", mean(STILL)),
        *(Column(name, mean(key)) for key, name in rivals.items() if shown[key].notna().any()),
    )
    sentences = " ".join(_in_words(evidence.read_claims()))
    return f"{networks}\n{sentences}\n" if sentences else networks


def _in_words(claims: Sequence[Claim]) -> Iterator[str]:
    """Yield what the claims say of the report's row, or of the first row that they speak of."""
    systems = [claim for claim in claims if claim.number == BEST_SYSTEM]
    larger = [claim for claim in claims if claim.number == MORE_PARAMETERS]
    row = next((claim.row for claim in systems or larger), None)
    for claim in larger:
        if claim.row == row:
            effect = claim.effect
            yield (
                f"{claim.network} reaches a test perplexity of {effect.test_perplexity:.1f}, the "
                f"larger static network {claim.network_against} "
                f"{effect.test_perplexity_against:.1f}."
            )
    rivals = [claim for claim in claims if claim.number == BEST_RIVAL and claim.row == row]
    if rivals:
        best = rivals[-1]  # the best at any cost, of all that were compared
        against = best.against.partition(" (")[0]
        yield (
            f"Of the static networks with one rival each, the best on valid, {against}, reaches "
            f"{best.effect.test_perplexity_against:.1f}."
        )
    for claim in systems:
        yield (
            f"The best of all with a vector ({claim.model}) reaches "
            f"{claim.effect.test_perplexity:.1f}, the best of all without "
            f"{claim.effect.test_perplexity_against:.1f}."
        )


def _of_rival(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of all networks with a rival, by the corpora's and the networks' names."""
    of_rival = table[table["evaluation"] == name]
    return of_rival.assign(model=networks_of(of_rival["model"])).set_index(_NETWORK)


def _beside(networks: pd.DataFrame, name: str, others: pd.DataFrame) -> pd.DataFrame:
    """Put test perplexities of `others`, by corpus and network, into columns that begin so."""
    columns = (_TEST, f"{_TEST}_sd")
    found = others.reindex(columns=columns).add_prefix(f"{name}_")
    return networks.join(found, on=_NETWORK)


def _mixtures(evidence: EvidenceFolder) -> str:
    """The table of what each rival adds, as the experiment made it."""
    path = evidence.table("mixtures", "md")
    if not path.is_file():
        raise UserError(f"{path}: missing")
    return "\n".join(_table_lines(path)) + "\n"


def _gains(evidence: EvidenceFolder) -> str:
    """The table of what computation buys, from the table of perplexities."""
    columns = ("hidden_size", "document_size", gains.ADDS, gains.VALID, gains.TEST)
    found = gains.gains(evidence.read_table("perplexity", *columns))
    return f"{markdown_of(gains.shown(found), *gains.COLUMNS)}\n{gains.NOTE}\n"


def _table_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a Markdown file's table and of the notes below it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    yield from lines[first:]


PARTS: Mapping[str, Callable[[EvidenceFolder], str]] = {
    "summary": _summary,
    "networks": _networks,
    "claims": all_claims,
    "open-claims": open_claims,
    "best-claims": best_claims,
    "mixtures": _mixtures,
    "gains": _gains,
}
"""The parts by name."""
