"""`report.html`: one self-contained page that opens with the finding."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from online_rnnlm.analysis.figures.drawing import PAGE_COLOURS
from online_rnnlm.analysis.names import figure_names
from online_rnnlm.analysis.neighbours import neighbours_table
from online_rnnlm.analysis.published import load_published
from online_rnnlm.analysis.report.checklist import checklist
from online_rnnlm.analysis.report.finding import findings, p_value, signed, updates_finding
from online_rnnlm.analysis.report.settings import corpus_settings_table, runs_table, settings_table
from online_rnnlm.analysis.results import Results, collect, read
from online_rnnlm.analysis.tables.rendering import environment
from online_rnnlm.analysis.tables.write import tables
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Captions, Claims


def write_report(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write the report; `claims.json` and the figures must be there already."""
    results = collect(experiment, directory)
    page = environment().get_template("report.html.j2").render(_content(results, published))
    with replacing(directory.report) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _content(results: Results, published: Path) -> dict[str, Any]:
    """All that the template asks for."""
    experiment, directory = results.experiment, results.directory
    made = {table.name: table for table in tables(results, load_published(published))}
    claims = read(Claims, directory.claims)
    captions = records.read(Captions, directory.captions).captions
    return {
        "experiment": experiment.experiment,
        "seeds": experiment.seeds,
        "tables": made,
        "findings": findings(results, made["perplexity"].data, claims["claims"]),
        "updates_finding": updates_finding(results) if "updates" in made else "",
        "figures": {
            name: {"drawing": _drawing(directory.figure(name, "svg")), "caption": captions[name]}
            for name in figure_names(experiment)
        },
        "neighbours": neighbours_table(results),
        "claims": [{**claim, "figures": claim_figures(claim)} for claim in claims["claims"]],
        "not_tested": claims["not_tested"],
        "tests": claims["tests"],
        "several_corpora": len(results.corpora) > 1,
        "sources": [{"corpus": s["corpus"], **s["source"]} for s in results.corpora.values()],
        "settings": settings_table(results),
        "corpus_settings": corpus_settings_table(results),
        "runs": runs_table(results),
        "checklist": checklist(results),
        "facts": _facts(results),
        "commands": Commands(directory),
    }


class Commands:
    """The exact command that makes a file again, from the configuration kept beside it."""

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._directory = directory

    def again(self, *files: Path) -> str:
        """Makes these files anew, and before them whatever is missing or out of date."""
        configuration = self._directory.configuration
        names = " ".join(map(str, files))
        return f"snakemake --cores all --configfile {configuration} --force {names}"

    def table(self, name: str) -> str:
        """Makes a table anew."""
        return self.again(self._directory.table(name, "csv"))

    def figure(self, name: str) -> str:
        """Draws a figure anew."""
        return self.again(self._directory.figure(name, "svg"))

    def claims(self) -> str:
        """Judges the claims anew."""
        return self.again(self._directory.claims)

    def run(self, name: str = "RUN") -> str:
        """Trains one run of the table of runs anew."""
        return self.again(self._directory.run(name).result)


def _drawing(path: Path) -> Markup:
    """A figure's `<svg>` for use within a page, its colours left to the page."""
    svg = path.read_text(encoding="utf-8")
    svg = svg[svg.index("<svg") :]
    head, rest = svg.split(">", 1)
    svg = re.sub(r' (width|height)="[^"]*"', "", head) + ">" + rest  # the page decides the size
    for colour, variable in PAGE_COLOURS.items():
        svg = svg.replace(colour, f"var({variable})")
    return Markup(svg)  # drawn by this package from numbers


def claim_figures(claim: dict[str, Any]) -> str:
    """A claim's effect in a line: both figures, the change, and how sure it is."""
    effect = claim["effect"]
    change = f"{signed(effect['change_percent'])} %"
    if "test_perplexity" not in effect:
        ours, theirs = effect["multiply_adds_per_word"], effect["multiply_adds_per_word_against"]
        return f"{ours:,.0f} against {theirs:,.0f} ({change})"
    low, high = (signed(bound) for bound in effect["interval_percent"])
    said = [
        f"{effect['test_perplexity']:.1f} against {effect['test_perplexity_against']:.1f} "
        f"({change}; 95 % interval {low} to {high} %)",
        f"p {p_value(claim['p_value'])}, corrected {p_value(claim['p_value_holm'])}",
    ]
    seeds = claim["seeds"]
    if seeds is not None:
        bounds = (signed(bound, 3) for bound in seeds["interval_nats_per_token"])
        said.append(f"over {seeds['seeds']} seeds {' to '.join(bounds)} nats a token")
    return "; ".join(said)


def _facts(results: Results) -> dict[str, str]:
    """What the runs were made with; several values where the runs do not agree."""
    records = list(results.records.values())
    facts = {"code digest": {record["code_digest"][:12] for record in records}}
    for record in records:
        for package, version in {"python": record["python"], **record["packages"]}.items():
            facts.setdefault(package, set()).add(str(version))
        for what, value in record["machine"].items():
            facts.setdefault(what, set()).add(str(value))
    for statistics in results.corpora.values():
        facts[f"corpus {statistics['corpus']}"] = {statistics["digest"][:12]}
    return {name: ", ".join(sorted(values)) for name, values in facts.items()}
