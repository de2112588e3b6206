"""Write `report.html`, one page that needs no other file and opens with what was found."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from online_rnnlm.analysis import wording
from online_rnnlm.analysis.claims import EQUALLY_LARGE
from online_rnnlm.analysis.opponents import headline_on, opponents_of
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import NO_NETWORK, Results
from online_rnnlm.analysis.systems import FinishedNetwork
from online_rnnlm.analysis.tables import perplexity
from online_rnnlm.analysis.tables.making import make_table
from online_rnnlm.analysis.tables.of_report import (
    corpus_settings_table,
    runs_table,
    settings_table,
    verdicts_table,
)
from online_rnnlm.analysis.tables.table import Table
from online_rnnlm.analysis.tables.values import interval, p_value, signed
from online_rnnlm.analysis.tables.writing import environment
from online_rnnlm.config.catalogue import FIGURES, PERPLEXITY, TABLES, Entry, Section, those_of
from online_rnnlm.core.way import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Audits, Captions, Claim, Claims, Verdict
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunDivergence, RunRecord

_WIDTH = 88
"""Characters in a line of the summary."""
_LONGEST_FIRST = 30
_LONGEST_LATER = 12
"""The most rows of a section's first table, and of a later one, that is not folded."""
_IN_SENTENCE: Mapping[Verdict, str] = {
    "supported": "the vector is better",
    "refuted": "the static network is better",
    "undecided": "no clear difference",
}


def write_report(directory: ExperimentDirectory) -> None:
    """Write the report and the summary; `claims.json` and the figures must exist already."""
    results = collect(directory)
    claims = records.read(Claims, directory.claims)
    found = findings(results, claims.claims)
    warnings = small_texts(results)
    page = environment().get_template("report.html.j2")
    texts = {
        directory.report: page.render(_content(results, claims, found, warnings)),
        directory.summary: summary(results, [*found, *warnings]),
    }
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


class ShownTable(NamedTuple):
    """A table of a section."""

    table: Table[Any]
    is_folded: bool
    """True if its caption alone is seen until a reader opens it."""


class ShownFigure(NamedTuple):
    """A figure of a section."""

    drawing: Markup
    """The `<svg>`."""
    caption: str
    wide: bool
    """True if it fills the page."""


class ShownSection(NamedTuple):
    """A section of tables and figures."""

    heading: str
    tables: Sequence[ShownTable]
    figures: Sequence[ShownFigure]
    sources: Sequence[Markup]
    """In the section on the text, where each corpus is from."""


class ShownClaim(NamedTuple):
    """A claim in the list of the tests in numbers."""

    classes: str
    """The verdict's classes in the page's style: with one seed it has no colour."""
    verdict: str
    letter: str
    claim: str
    corpus: str
    """The corpus if there are several, else nothing."""
    numbers: str


def _content(
    results: Results, claims: Claims, findings: Sequence[str], warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what the page shows, by the names in its template.

    The first table of verdicts has the claims on the first corpus alone.
    """
    directory = results.directory
    first, *sections = _sections(results, records.read(Captions, directory.captions).captions)
    headings = [section.heading for section in sections]
    shown = [claim for claim in claims.claims if claim.corpus == claims.claims[0].corpus]
    untested = [claim for claim in claims.not_tested if shown and claim.corpus == shown[0].corpus]
    one_seed = not results.several_seeds
    facts = _facts(results)
    return {
        "results": results,
        "findings": findings,
        "warnings": warnings,
        "about_networks": wording.about_networks(results),
        "first": first,
        "verdicts": verdicts_table(shown, untested, one_seed=one_seed) if shown else None,
        "all_verdicts": verdicts_table(claims.claims, one_seed=one_seed),
        "claims": _shown_claims(results, claims),
        "how_tested": wording.how_tested(results),
        "not_tested": [wording.why_not_tested(results, claim) for claim in claims.not_tested],
        "sections": sections,
        "headings": [*headings, "Settings", "How to make these numbers again", "Limits"],
        "origins_of_settings": wording.ORIGINS_OF_SETTINGS,
        "settings": settings_table(results),
        "corpus_settings": corpus_settings_table(results),
        "said_of_audits": wording.said_of_audits(records.read(Audits, directory.audits).audits),
        "how_to_make_again": wording.how_to_make_again(results),
        "again": f"snakemake --cores all --configfile {directory.configuration} --force",
        "files": {
            "a table": directory.table("TABLE", "csv"),
            "a picture": directory.figure("PICTURE", "svg"),
            "the claims": directory.claims,
            "a run, by its name in the table below": directory.run("RUN").result,
        },
        "runs": runs_table(results),
        "facts": facts,
        "checklist": wording.checklist(results, facts),
        "limits": wording.LIMITS,
    }


def _shown_claims(results: Results, claims: Claims) -> list[ShownClaim]:
    """The claims that are tested, by letter."""
    return [
        ShownClaim(
            classes=f"verdict {claim.verdict}" if results.several_seeds else "verdict",
            verdict=claim.verdict.capitalize() + ("" if results.several_seeds else " (one seed)"),
            letter=claim.letter,
            claim=claim.claim,
            corpus=claim.corpus if results.several_corpora else "",
            numbers=claim_numbers(claim),
        )
        for claim in sorted(claims.claims, key=lambda claim: claim.letter)
    ]


def summary(results: Results, findings: Sequence[str]) -> str:
    """Return what a start of the workflow ends with: the finished networks and the findings.

    Its last line says where the report is.
    """
    parts = [perplexity.networks(perplexity.rows_of(results))] if results.networks else []
    parts += [textwrap.fill(finding, _WIDTH) for finding in findings]
    parts.append(f"The report is {results.directory.report}.")
    return "\n\n".join(parts) + "\n"


def _sections(results: Results, captions: Mapping[str, str]) -> Iterator[ShownSection]:
    """Yield the sections that have a table or a figure; `captions` are by the figures' names."""
    all_figures = those_of(FIGURES, results.experiment)
    all_tables = those_of(TABLES, results.experiment)
    for section in Section:
        figures = [
            _figure(entry, results.directory, captions)
            for entry in all_figures
            if entry.section is section
        ]
        tables: list[Table[Any]] = []
        for entry in all_tables:
            if entry.section is section:
                table = make_table(entry, results)
                has_systems = entry is PERPLEXITY and results.networks
                tables += perplexity.split(table) if has_systems else [table]
        shown = [
            ShownTable(table, len(table.rows) > (_LONGEST_LATER if place else _LONGEST_FIRST))
            for place, table in enumerate(tables)
        ]
        sources = []
        if section is Section.TEXT:
            sources = [wording.source_of(*corpus) for corpus in results.corpora.items()]
        if shown or figures:
            yield ShownSection(section.value, shown, figures, sources)


def _figure(
    entry: Entry, directory: ExperimentDirectory, captions: Mapping[str, str]
) -> ShownFigure:
    """Read a figure's `<svg>` for use within a page, which sets its size.

    Raises UserError if it has not been drawn.
    """
    path = directory.figure(entry.name, "svg")
    if entry.name not in captions or not path.is_file():
        raise UserError(f"{path}: missing; draw the figures first")
    svg = path.read_text(encoding="utf-8")
    head, rest = svg[svg.index("<svg") :].split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    named = Markup('{} role="img" aria-label="{}">').format(
        Markup(head), entry.name.replace("_", " ")
    )
    # It is safe to include, since this package drew it.
    drawing = named + Markup(rest)
    return ShownFigure(drawing, captions[entry.name], entry.wide)


def findings(results: Results, claims: Sequence[Claim]) -> list[str]:
    """One sentence for each corpus: its headline against static networks.

    A corpus on which no network has finished has none; if none has, a sentence says so.
    """
    if not results.networks:
        return [NO_NETWORK]
    found = []
    for corpus in results.compared_corpora:
        network = headline_on(results, corpus)
        where = f"On {corpus}, " if results.several_corpora else ""
        learning = ", whose vector keeps learning," if network.has_vector else ""
        reached = f"reaches a test perplexity of {network.main.perplexity().mean():.1f}"
        static = opponents_of(results, network)
        if not network.has_vector:
            said = "; no network with a vector has finished, so no claim can be tested."
        elif not static:
            said = f", and {network.tested[NONE].perplexity().mean():.1f} frozen."
        else:
            sides = " and ".join(_static_side(network, opponent, claims) for opponent in static)
            said = f", against {sides}{'' if results.several_seeds else '; one seed'}."
        found.append(f"{where}{network.network_name}{learning} {reached}{said}")
    return found


def small_texts(results: Results) -> list[str]:
    """A warning for each corpus whose validation or test text is larger than its training text."""
    found = []
    for name, corpus in results.corpora.items():
        train, *others = (corpus.splits[split].sentences for split in ("train", "valid", "test"))
        if train < max(others):
            found.append(
                f"Warning: {name} has {train:,} sentences to train on, fewer than the "
                f"{max(others):,} to choose or to test on: a larger text is needed, or lower "
                "`valid_sentences` and `test_sentences`."
            )
    return found


def _static_side(vector: FinishedNetwork, static: FinishedNetwork, claims: Sequence[Claim]) -> str:
    """The perplexity of a static network, its costs beside the vector's network, and a verdict."""
    compared = [
        claim
        for claim in claims
        if (claim.corpus, claim.row) == (vector.corpus, vector.network_name)
        and claim.comparison.theirs.network == static.network_name
        and claim.letter in EQUALLY_LARGE
    ]
    more = round(100 * (static.parameters / vector.parameters - 1))
    said = f"{abs(more)} % {'more' if more > 0 else 'fewer'} parameters" if more else "as large"
    if compared:
        ours = compared[0].comparison.ours.seconds_per_word
        theirs = compared[0].comparison.theirs.seconds_per_word
        longer = round(100 * (theirs / ours - 1))
        said += f", {abs(longer)} % {'more' if longer > 0 else 'less'} time" if longer else ""
        said += f": {_IN_SENTENCE[compared[0].verdict]}"
    return f"{static.main.perplexity().mean():.1f} of the static {static.network_name} ({said})"


def claim_numbers(claim: Claim) -> str:
    """A claim's values in one line: the change, its interval and p-values, and the costs."""
    found = claim.comparison
    ours = found.ours
    theirs = found.theirs
    said = [
        f"{ours.test_perplexity:.1f} against {theirs.test_perplexity:.1f} "
        f"({signed(found.change_percent)} %; 95 % interval {interval(found.interval_percent)})",
        f"p {p_value(found.p_value)}, corrected {p_value(claim.p_value_holm)}, "
        f"over {found.pieces:,} {found.drawn}s",
        f"{ours.parameters:,} against {theirs.parameters:,} parameters",
        f"{ours.multiply_adds_per_word:,.0f} against {theirs.multiply_adds_per_word:,.0f} "
        "multiply-adds per word",
        f"{1e6 * ours.seconds_per_word:.2f} against {1e6 * theirs.seconds_per_word:.2f} µs "
        "per word",
    ]
    if found.seconds_change_percent is not None:
        said.append(f"95 % interval of the time {interval(found.seconds_change_percent)}")
    return "; ".join(said)


def _facts(results: Results) -> dict[str, str]:
    """Code, packages and machines of the runs; several values if the runs differ."""
    ended = [*results.candidates, *((run.run, run.end) for run in results.runs)]
    seconds = 0.0
    facts: dict[str, set[str]] = {}
    for run, end in ended:
        if isinstance(end, RunDivergence):
            continue
        seconds += end.seconds
        record = records.read(RunRecord, results.directory.run(run.name).record)
        machine = {key: value for key, value in record.machine if value is not None}
        found = {"code digest": record.code_digest[:12], "python": record.python}
        for name, value in {**found, **record.packages, **machine}.items():
            facts.setdefault(name, set()).add(str(value))
    for corpus, statistics in results.corpora.items():
        facts[f"corpus {corpus}"] = {statistics.digest[:12]}
    facts["hours of training in all"] = {f"{seconds / 3600:.2f}"}
    return {name: ", ".join(sorted(values)) for name, values in facts.items()}
