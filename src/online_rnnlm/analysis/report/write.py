"""Write `report.html`, one page that needs no other file and opens with the finding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from online_rnnlm.analysis.claims import paper
from online_rnnlm.analysis.claims.grid import grid
from online_rnnlm.analysis.claims.write import NOT_SUPPORTED, SUPPORTED, UNDECIDED, WORST_FIRST
from online_rnnlm.analysis.figures import PAGE_COLOURS
from online_rnnlm.analysis.report.settings import corpus_settings_table, runs_table, settings_table
from online_rnnlm.analysis.report.summary import summary
from online_rnnlm.analysis.results import NothingToShowError, Results, collect
from online_rnnlm.analysis.row import Row
from online_rnnlm.analysis.tables.write import (
    environment,
    interval,
    make_table,
    p_value,
    signed,
)
from online_rnnlm.config.catalogue import FigureEntry, Section, figures_of, tables_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Captions, Claim, Claims

_EFFECTS = {
    SUPPORTED: "takes test perplexity",
    NOT_SUPPORTED: "does not help here: it takes test perplexity",
    UNDECIDED: "makes no clear difference: it takes test perplexity",
}


def write_report(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the report and the summary; `claims.json` and the figures must exist already.

    Raises UserError if they were made for other settings than the report's.
    """
    page = environment().get_template("report.html.j2")
    results = collect(experiment, directory)
    content = _content(results)
    texts = {
        directory.report: page.render(content),
        directory.summary: summary(results, content["findings"]),
    }
    for path, text in texts.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _content(results: Results) -> dict[str, Any]:
    """The values that the template uses, by name."""
    directory, experiment = results.directory, results.experiment
    claims = records.read(Claims, directory.claims)
    captions = records.read(Captions, directory.captions)
    for made, path, verb in (
        (claims.settings, directory.claims, "claims"),
        (captions.settings, directory.captions, "figures"),
    ):
        if made != results.settings_digest:
            raise UserError(
                f"{path}: was made for other settings than the report: run `online-rnnlm {verb}` "
                "with this configuration first"
            )
    return {
        "experiment": experiment,
        "seeds": experiment.seeds,
        "several_corpora": results.several_corpora,
        "findings": findings(results, claims.claims),
        "missing": results.missing,
        "sections": list(_sections(results, captions.captions)),
        "claims": claims,
        "grid": grid(claims.claims) if claims.claims else None,
        "claim_numbers": claim_numbers,
        "one_seed": paper.ONE_SEED,
        "sources": {name: corpus.source for name, corpus in results.corpora.items()},
        "settings": settings_table(results),
        "corpus_settings": corpus_settings_table(results),
        "runs": runs_table(results),
        "effort": _effort(results),
        "facts": _facts(results),
        "audit": _audit(records.read(records.Audits, directory.audits).audits),
        "directory": directory,
        "again": f"snakemake --cores all --configfile {directory.configuration} --force",
    }


def _sections(results: Results, captions: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the sections that have a table or a figure; `captions` are by the figures' names."""
    for section in Section:
        drawn = [entry for entry in figures_of(results.experiment) if entry.section is section]
        made = [entry for entry in tables_of(results.experiment) if entry.section is section]
        if drawn or made:
            yield {
                "heading": section.value,
                "opening": f"{section.name.lower()}.html.j2",
                "tables": [make_table(entry, results) for entry in made],
                "figures": [_figure(entry, results.directory, captions) for entry in drawn],
            }


def _figure(
    entry: FigureEntry, directory: ExperimentDirectory, captions: Mapping[str, str]
) -> dict[str, str]:
    """Read a figure's `<svg>` for use within a page, which sets its size and colours.

    Raises UserError if it has not been drawn.
    """
    path = directory.figure(entry.name, "svg")
    if entry.name not in captions or not path.is_file():
        raise UserError(f"{path}: missing; draw the figures first")
    svg = path.read_text(encoding="utf-8")
    head, rest = svg[svg.index("<svg") :].split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    named = Markup('{} role="img" aria-label="{}">').format(Markup(head), entry.title)
    for colour, variable in PAGE_COLOURS.items():
        rest = rest.replace(colour, f"var({variable})")
    # It is safe to include, since this package drew it.
    drawing = named + Markup(rest)
    return {"name": entry.name, "drawing": drawing, "caption": captions[entry.name]}


def findings(results: Results, claims: Sequence[Claim]) -> list[str]:
    """One sentence for each corpus on its scale, its best row and that row's claims.

    A corpus of which no row has finished has none; if none has, a sentence says so.
    """
    try:
        corpora = results.compared_corpora
    except NothingToShowError as error:
        return [str(error)]
    return [f"On {corpus}{_finding(results, results.best(corpus), claims)}" for corpus in corpora]


def _finding(results: Results, row: Row, claims: Sequence[Claim]) -> str:
    tokens = results.corpora[row.corpus].splits["train"].tokens
    size = f"{tokens / 1e6:.1f} million" if tokens >= 100_000 else f"{tokens:,}"
    order = "in order" if results.experiment.corpora[row.corpus].keeps_order else "shuffled"
    scale = f" ({size} training words, sentences {order}): "
    reached = row.perplexity("test").mean
    if not row.has_vector:
        return (
            f"{scale}"
            "Only static networks have finished, so the paper's claims are not tested here: the "
            f"best of them on the validation set, of {row.units}, has a test perplexity of "
            f"{reached:.1f}."
        )
    mine = _worst(row, claims)
    said = [n for n in (paper.MORE_PARAMETERS, paper.SAME_HIDDEN, paper.LEARNING) if n in mine]
    claim = mine.pop(said[0])
    effect = claim.effect
    still = said[0] == paper.LEARNING
    other = "the same, held still" if still else f"the static network {claim.network_against}"
    p = f", corrected p {p_value(claim.p_value_holm)}" if claim.p_value_holm is not None else ""
    others = "".join(  # what does not hold must be as visible as what does
        f"; {verdict}: {', '.join(names)}"
        for verdict in (NOT_SUPPORTED, UNDECIDED)
        if (names := [paper.CLAIMS[n].name for n, c in mine.items() if c.verdict == verdict])
    )
    return (
        f"{scale}"
        f"A {row.settings.document_size}-number document vector that keeps learning in testing "
        f"{_EFFECTS[claim.verdict]} from {effect.test_perplexity_against:.1f} ({other}) to "
        f"{reached:.1f} ({signed(effect.change_percent)} %{p}){others}."
    )


def _worst(row: Row, claims: Sequence[Claim]) -> dict[int, Claim]:
    """The claims about a row, as it was trained or of the best that it can do, by number.

    Of several claims of one number it is the one with the worst verdict.
    """
    of_best = (paper.BEST_RIVAL, paper.BEST_SYSTEM)
    found: dict[int, Claim] = {}
    for claim in sorted(claims, key=lambda claim: WORST_FIRST.index(claim.verdict)):
        is_of_row = (claim.corpus, claim.row) == (row.corpus, row.label)
        if is_of_row and (claim.number in of_best or claim.model == row.label):
            found.setdefault(claim.number, claim)
    return {number: found[number] for number in sorted(found)}


def claim_numbers(claim: Claim) -> str:
    """A claim's values in one line: both sides, the change, its interval and p-values."""
    effect = claim.effect
    change = f"{signed(effect.change_percent)} %"
    if claim.p_value is None or claim.p_value_holm is None:
        ours, theirs = effect.multiply_adds_per_word, effect.multiply_adds_per_word_against
        counted = f"{ours:,.0f} against {theirs:,.0f} multiply-adds a word ({change})"
        if effect.seconds_per_word is None:
            return counted
        micro, other = (
            f"{1e6 * (seconds or 0):.2f}"
            for seconds in (effect.seconds_per_word, effect.seconds_per_word_against)
        )
        times = f"{micro} against {other} µs a word"
        return f"{counted}; {times} (95 % interval {interval(effect.seconds_change_percent)})"
    said = [
        f"{effect.test_perplexity:.1f} against {effect.test_perplexity_against:.1f} "
        f"({change}; 95 % interval {interval(effect.interval_percent)})",
        f"p {p_value(claim.p_value)}, corrected {p_value(claim.p_value_holm)}",
        f"over {effect.pieces:,} {effect.drawn}s",
    ]
    if effect.equivalence is not None:
        equal = effect.equivalence
        shown = "shown" if equal.shown else "not shown"
        said.append(f"equal within {equal.margin_percent:g} %: {shown}, p {p_value(equal.p_value)}")
    if claim.seeds is not None:
        bounds = (signed(bound, 3) for bound in claim.seeds.interval_nats_per_token)
        said.append(f"over {claim.seeds.seeds} seeds {' to '.join(bounds)} nats a token")
    return "; ".join(said)


def _effort(results: Results) -> dict[str, Any]:
    """The machines, and the time of an average training and of all trainings."""
    seconds = [run.end.seconds for run in results.runs]
    busy = sum(run.end.cpu_seconds for run in results.runs)
    machines = (run.record.machine for run in results.trainings)
    named = (f"{m.processor}, {m.cores} cores, {m.gpu or 'no GPU'}, {m.system}" for m in machines)
    return {
        "machines": list(dict.fromkeys(named)),
        "seconds": sum(seconds) / max(1, len(seconds)),
        "cores": busy / max(sum(seconds), 1e-9),
        "hours": sum(run.end.seconds for run in results.trainings) / 3600,
    }


def _audit(audits: Sequence[records.Audit]) -> str:
    """Say in a sentence what the audit of the networks found."""
    broken = [f"{one.name} ({', '.join(one.broken)})" for one in audits if one.broken]
    if broken:
        return f"The audit of the networks as they are tested is not passed: {'; '.join(broken)}."
    return (
        f"The audit of the networks as they are tested is passed by all {len(audits)}: no word is "
        "known before it is scored, the probabilities of all words add up to 1, and what is said "
        "to be forgotten is (docs/audit.md)."
    )


def _facts(results: Results) -> dict[str, str]:
    """Code, packages and machines of the runs; several values if the runs differ."""
    facts: dict[str, set[str]] = {}
    for run in results.trainings:
        record = run.record
        machine = {key: value for key, value in record.machine if value is not None}
        found = {"code digest": record.code_digest[:12], "python": record.python}
        for name, value in {**found, **record.packages, **machine}.items():
            facts.setdefault(name, set()).add(str(value))
    for corpus, statistics in results.corpora.items():
        facts[f"corpus {corpus}"] = {statistics.digest[:12]}
    return {name: ", ".join(sorted(values)) for name, values in facts.items()}
