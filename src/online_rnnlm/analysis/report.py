"""Write `report.html`, one page that needs no other file and opens with what was found.

Its text is in `templates/report.html.j2`, which is given the results; sentences that take more than
a few conditions are made in `wording`.
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from online_rnnlm.analysis import wording
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.significance import LEVEL
from online_rnnlm.analysis.tables import perplexity
from online_rnnlm.analysis.tables.of_report import (
    corpus_settings_table,
    lines_of,
    runs_table,
    settings_table,
    verdicts_table,
)
from online_rnnlm.analysis.tables.table import Table, make_table
from online_rnnlm.analysis.tables.writing import environment, to_text
from online_rnnlm.config.catalogue import FIGURES, PERPLEXITY, TABLES, Entry, Section, those_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Audits, Captions, Claims
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, has_finished, read_epochs

_WIDTH = 88
"""Characters in a line of the summary."""


class ShownFigure(NamedTuple):
    """A figure of a section."""

    drawing: Markup
    """The `<svg>`."""
    caption: str
    wide: bool
    """True if it fills the page."""


class ShownSection(NamedTuple):
    """A section with its tables and figures."""

    section: Section
    tables: Sequence[Table]
    figures: Sequence[ShownFigure]


def write_report(directory: ExperimentDirectory) -> None:
    """Write the report and the summary.

    Raises UserError if claims, audits or figures have not been made.
    """
    results = collect(directory)
    claims = records.read(Claims, directory.claims)
    first, *sections = _sections(results)
    findings = wording.findings(results, claims.claims)
    warnings = wording.small_texts(results)
    verdicts_on_all = verdicts_table(
        claims.claims, claims.not_tested, one_seed=not results.several_seeds
    )
    template = environment().get_template("report.html.j2")
    report = template.render(
        wording=wording,
        Section=Section,
        results=results,
        claims=claims,
        findings=findings,
        warnings=warnings,
        first=first,
        verdicts=_verdicts_on_first(results, claims),
        verdicts_on_all=verdicts_on_all,
        level=LEVEL,
        sections=sections,
        settings=settings_table(results),
        corpus_settings=corpus_settings_table(results),
        audits=records.read(Audits, directory.audits).audits,
        runs=runs_table(results),
        facts=facts_of_trainings(results),
    )
    texts = {
        directory.report: report,
        directory.summary: summary(results, [*findings, *warnings], lines_of(verdicts_on_all)),
    }
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _verdicts_on_first(results: Results, claims: Claims) -> Table | None:
    """The verdicts on the first corpus's claims, and those that are not tested on it.

    None if no claim is tested.
    """
    if not claims.claims:
        return None
    corpus = claims.claims[0].corpus
    tested = [claim for claim in claims.claims if claim.corpus == corpus]
    untested = [claim for claim in claims.not_tested if claim.corpus == corpus]
    return verdicts_table(tested, untested, one_seed=not results.several_seeds)


def summary(results: Results, findings: Sequence[str], verdicts: Sequence[str] = ()) -> str:
    """Return what a start of the workflow ends with: the networks, the findings and the verdicts.

    Its last line says where the report and the runs are.
    """
    parts = [to_text(perplexity.networks(results))] if results.networks else []
    parts += [_filled(finding) for finding in findings]
    parts += ["\n".join(_filled(line, indent="   ") for line in verdicts)] if verdicts else []
    runs = f"`make ui EXPERIMENT={results.directory.path.name}` shows the runs in MLflow"
    parts.append(f"The report is {results.directory.report}; {runs}.")
    return "\n\n".join(parts) + "\n"


def _filled(text: str, indent: str = "") -> str:
    """The text in lines, of which none begins with a number's `%`."""
    kept_together = text.replace(" %", "\u00a0%")
    lines = textwrap.fill(kept_together, _WIDTH, subsequent_indent=indent)
    return lines.replace("\u00a0", " ")


def _sections(results: Results) -> Iterator[ShownSection]:
    """Yield the sections that have a table or a figure."""
    captions = records.read(Captions, results.directory.captions).captions
    for section in Section:
        tables: list[Table] = []
        for entry in those_of(TABLES, results.experiment):
            if entry.section is section:
                table = make_table(entry, results)
                has_systems = entry is PERPLEXITY and results.networks
                tables += perplexity.split(table) if has_systems else [table]
        figures = [
            _figure(entry, results.directory, captions)
            for entry in those_of(FIGURES, results.experiment)
            if entry.section is section
        ]
        if tables or figures:
            yield ShownSection(section, tables, figures)


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


def facts_of_trainings(results: Results) -> dict[str, str]:
    """Read code, packages and machines of all trainings, the texts, and the time of training.

    The trainings are those of the search and of the rows. If they differ, a fact has several
    values. The time is that of all whole epochs, without validation.
    """
    seconds = 0.0
    some_diverged = False
    found: dict[str, set[str]] = defaultdict(set)
    for run in results.experiment.trainings():
        files = results.directory.run(run.name)
        seconds += sum(epoch.seconds for epoch in read_epochs(files))
        some_diverged |= not has_finished(files)
        record = records.read(RunRecord, files.record)
        machine = {key: value for key, value in record.machine if value is not None}
        code = {"code digest": record.code_digest[:12], "python": record.python}
        for name, value in {**code, **record.packages, **machine}.items():
            found[name].add(str(value))
    facts = {name: ", ".join(sorted(values)) for name, values in found.items()}
    facts |= {f"corpus {name}": texts.digest[:12] for name, texts in results.corpora.items()}
    not_counted = ", without the epochs in which training diverged" if some_diverged else ""
    facts["hours of training in all"] = f"{seconds / 3600:.2f}{not_counted}"
    return facts
