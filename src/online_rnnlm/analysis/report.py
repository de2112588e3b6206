"""Write `report.html`, one page that needs no other file and opens with what was found."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from online_rnnlm.analysis import wording
from online_rnnlm.analysis.checklist import Answers, checklist
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import FinishedRun
from online_rnnlm.analysis.tables import perplexity
from online_rnnlm.analysis.tables.making import make_table
from online_rnnlm.analysis.tables.of_report import (
    SettingRow,
    corpus_settings_table,
    runs_table,
    settings_table,
)
from online_rnnlm.analysis.tables.table import Table
from online_rnnlm.analysis.tables.verdicts import verdicts_table
from online_rnnlm.analysis.tables.writing import environment, to_text
from online_rnnlm.analysis.trainings import Trainings, trainings_of
from online_rnnlm.config.catalogue import FIGURES, PERPLEXITY, TABLES, Entry, Section, those_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Audits, Captions, Claims
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory

_WIDTH = 88
"""Characters in a line of the summary."""
_LONGEST_FIRST = 30
_LONGEST_LATER = 12
"""The most rows of a section's first table, and of a later one, that is not folded."""


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


@dataclass(frozen=True, kw_only=True)
class Page:
    """The contents of an experiment's page, in the page's order.

    Sentences that are the same for every experiment are in `wording`, which the template is given
    as well.
    """

    experiment: str
    """The experiment's name."""
    missing: Sequence[str]
    """A line for each thing that has diverged."""
    findings: Sequence[str]
    """A sentence for each corpus. The first is the page's headline."""
    about_networks: str
    """A note on the networks' names and their training text."""
    warnings: Sequence[str]
    first_figures: Sequence[ShownFigure]
    """The figures beside the headline."""
    verdicts: Table[str] | None
    """The verdicts on the claims on the first corpus; None if no claim is tested."""
    why_no_verdicts: str
    """The sentence in the place of the verdicts if there are none."""
    verdicts_on_all: Table[str] | None
    """The verdicts on all corpora, if there are several."""
    claims: Sequence[ShownClaim]
    """The claims that are tested, by letter."""
    how_tested: Markup
    """A note that explains the claims and the test that decides them."""
    not_tested: Sequence[str]
    """A line for each claim that is not tested, with the reason."""
    sections: Sequence[ShownSection]
    """The sections of tables and figures, but the first, which opens the page."""
    settings: Table[SettingRow]
    corpus_settings: Table[SettingRow]
    audits: str
    """A sentence on the audit of the networks."""
    how_to_make_again: Markup
    """The text before the command that makes a file again."""
    command: str
    """The command that makes a file again, without the name of the file."""
    files: Mapping[str, Path]
    """Examples of files that it makes, by what they are."""
    runs: Table[FinishedRun]
    facts: Mapping[str, str]
    """Code, packages and machines of the trainings, the texts, and the time of training."""
    checklist: Mapping[str, Answers]
    """The answers to the checklist, in parts by their headings."""

    @property
    def headings(self) -> list[str]:
        """The headings of all sections, to which the page links."""
        last = [wording.SETTINGS, wording.MAKE_AGAIN, wording.LIMITS]
        return [*(section.heading for section in self.sections), *last]


def write_report(directory: ExperimentDirectory) -> None:
    """Write the report and the summary; `claims.json` and the figures must exist already."""
    results = collect(directory)
    page = page_of(results)
    template = environment().get_template("report.html.j2")
    texts = {
        directory.report: template.render(page=page, wording=wording),
        directory.summary: summary(results, [*page.findings, *page.warnings]),
    }
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def page_of(results: Results) -> Page:
    """Gather what the page shows; raises UserError if claims or figures have not been made."""
    directory = results.directory
    claims = records.read(Claims, directory.claims)
    first, *sections = _sections(results)
    trainings = trainings_of(results)
    return Page(
        experiment=results.experiment.experiment,
        missing=[missing.line for missing in results.missing],
        findings=wording.findings(results, claims.claims),
        about_networks=wording.about_networks(results),
        warnings=wording.small_texts(results),
        first_figures=first.figures,
        verdicts=_verdicts_on_first(results, claims),
        why_no_verdicts=wording.why_no_verdicts(claims),
        verdicts_on_all=_verdicts_on_all(results, claims),
        claims=_shown_claims(results, claims),
        how_tested=wording.how_tested(results),
        not_tested=[wording.why_not_tested(results, claim) for claim in claims.not_tested],
        sections=sections,
        settings=settings_table(results),
        corpus_settings=corpus_settings_table(results),
        audits=wording.said_of_audits(records.read(Audits, directory.audits).audits),
        how_to_make_again=wording.how_to_make_again(results),
        command=f"snakemake --cores all --configfile {directory.configuration} --force",
        files=wording.files_to_make(directory),
        runs=runs_table(results),
        facts=_facts(results, trainings),
        checklist=checklist(results, trainings),
    )


def _verdicts_on_first(results: Results, claims: Claims) -> Table[str] | None:
    """The verdicts on the first corpus's claims, and those that are not tested on it."""
    if not claims.claims:
        return None
    corpus = claims.claims[0].corpus
    tested = [claim for claim in claims.claims if claim.corpus == corpus]
    untested = [claim for claim in claims.not_tested if claim.corpus == corpus]
    return verdicts_table(tested, untested, one_seed=not results.several_seeds)


def _verdicts_on_all(results: Results, claims: Claims) -> Table[str] | None:
    """The verdicts on all corpora, if there are several."""
    if not results.several_corpora:
        return None
    return verdicts_table(claims.claims, one_seed=not results.several_seeds)


def _shown_claims(results: Results, claims: Claims) -> list[ShownClaim]:
    """The claims that are tested, by letter."""
    return [
        ShownClaim(
            classes=f"verdict {claim.verdict}" if results.several_seeds else "verdict",
            verdict=wording.verdict_in_words(results, claim),
            letter=claim.letter,
            claim=claim.claim,
            corpus=claim.corpus if results.several_corpora else "",
            numbers=wording.claim_numbers(claim),
        )
        for claim in sorted(claims.claims, key=lambda claim: claim.letter)
    ]


def summary(results: Results, findings: Sequence[str]) -> str:
    """Return what a start of the workflow ends with: the finished networks and the findings.

    Its last line says where the report is.
    """
    parts = [to_text(perplexity.networks(results))] if results.networks else []
    parts += [textwrap.fill(finding, _WIDTH) for finding in findings]
    parts.append(f"The report is {results.directory.report}.")
    return "\n\n".join(parts) + "\n"


def _sections(results: Results) -> Iterator[ShownSection]:
    """Yield the sections that have a table or a figure."""
    captions = records.read(Captions, results.directory.captions).captions
    for section in Section:
        tables = _tables(results, section)
        figures = [
            _figure(entry, results.directory, captions)
            for entry in those_of(FIGURES, results.experiment)
            if entry.section is section
        ]
        sources = []
        if section is Section.TEXT:
            sources = [wording.source_of(*corpus) for corpus in results.corpora.items()]
        if tables or figures:
            yield ShownSection(section.value, tables, figures, sources)


def _tables(results: Results, section: Section) -> list[ShownTable]:
    """Make the tables of a section."""
    tables: list[Table[Any]] = []
    for entry in those_of(TABLES, results.experiment):
        if entry.section is section:
            table = make_table(entry, results)
            has_systems = entry is PERPLEXITY and results.networks
            tables += perplexity.split(table) if has_systems else [table]
    return [
        ShownTable(table, len(table.rows) > (_LONGEST_LATER if place else _LONGEST_FIRST))
        for place, table in enumerate(tables)
    ]


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


def _facts(results: Results, trainings: Trainings) -> dict[str, str]:
    """Code, packages and machines of the trainings, the texts, and the time of training."""
    corpora = {f"corpus {name}": texts.digest[:12] for name, texts in results.corpora.items()}
    hours = f"{trainings.hours:.2f}{wording.not_counted(trainings)}"
    return {**trainings.facts, **corpora, "hours of training in all": hours}
