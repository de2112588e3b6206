"""`report.html`: one self-contained page that opens with the finding."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from online_rnnlm.analysis.collect import Results, chosen, collect, read
from online_rnnlm.analysis.figures import FIGURES, GRID, INK, MUTED, ONLINE, STATIC, SURFACE
from online_rnnlm.analysis.finding import findings, p_value, updates_finding
from online_rnnlm.analysis.neighbours import neighbours_table
from online_rnnlm.analysis.published import load_published
from online_rnnlm.analysis.rendering import Column, Table, environment, integer, label
from online_rnnlm.analysis.tables import tables
from online_rnnlm.configuration import Experiment, RunSettings, TestingSettings
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, replacing

_DECIDED_BY_ROW = {"corpus", "seed", "hidden_size", "document_size"}
# The page has a light and a dark scheme, so a drawing takes its colours from the page.
_PAGE_COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    SURFACE: "var(--surface)",
    STATIC: "var(--static)",
    ONLINE: "var(--online)",
}


def write_report(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write the report; `claims.json` and the figures must be there already."""
    results = collect(experiment, directory)
    made = {table.name: table for table in tables(results, load_published(published))}
    claims = read(directory.claims)
    neighbours = neighbours_table(results)
    page = environment().get_template("report.html.j2").render(
        experiment=experiment.experiment,
        findings=findings(results, made["perplexity"].data, claims["claims"]),
        figures={name: _drawing(directory.figure(name, "svg")) for name in FIGURES},
        perplexity=made["perplexity"],
        corpora=made["corpora"],
        updates=made.get("updates"),
        updates_finding=updates_finding(results, made["updates"].data)
        if "updates" in made
        else "",
        search=made.get("search"),
        neighbours=neighbours,
        claims=[{**claim, "figures": _claim_figures(claim)} for claim in claims["claims"]],
        tests=claims["tests"],
        sources=[_source(statistics) for statistics in results.corpora.values()],
        settings=settings_table(results),
        corpus_settings=corpus_settings_table(results),
        runs=runs_table(results),
        facts=_facts(results),
        seeds=experiment.seeds,
    )  # fmt: skip
    with replacing(directory.report) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _drawing(path: Path) -> Markup:
    """A figure's `<svg>` for use within a page, its colours left to the page."""
    try:
        svg = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read: {error.strerror}; draw the figures first"
        ) from None
    svg = svg[svg.index("<svg") :]
    head, rest = svg.split(">", 1)
    svg = re.sub(r' (width|height)="[^"]*"', "", head) + ">" + rest  # the page decides the size
    for colour, variable in _PAGE_COLOURS.items():
        svg = svg.replace(colour, variable)
    return Markup(svg)  # drawn by this package from numbers


def _claim_figures(claim: dict[str, Any]) -> str:
    """A claim's numbers in a line."""
    numbers = claim["numbers"]
    change = _signed(numbers["change_percent"])
    if "p_value" not in numbers:
        key = next(iter(numbers))
        return f"{numbers[key]:,.0f} against {numbers[f'{key}_against']:,.0f} ({change} %)"
    low, high = (_signed(bound) for bound in numbers["change_interval_percent"])
    return (
        f"{numbers['test_perplexity']:.1f} against {numbers['test_perplexity_against']:.1f} "
        f"({change} %; 95 % interval {low} to {high} %; p {p_value(numbers['p_value'])}; "
        f"{numbers['log_probability_difference']:+.3f} nats a token)"
    ).replace("-", "−")


def _signed(change: float) -> str:
    return f"{change:+.1f}".replace("-", "−")


def _source(statistics: dict[str, Any]) -> dict[str, Any]:
    return {"corpus": statistics["corpus"], **statistics["source"]}


def settings_table(results: Results) -> Table:
    """Every setting of the shown runs; where rows differ, each row's own value."""
    runs, columns = chosen(results), ("corpus", "model", "name")
    rows = []
    for key, field in RunSettings.model_fields.items():
        if key not in _DECIDED_BY_ROW:
            values = {
                (corpus, model): results.records[name]["settings"][key]
                for corpus, model, name in zip(*(runs[k] for k in columns), strict=True)
            }
            rows.append({"setting": key, "value": _values(values), "meaning": field.description})
    return _settings("settings", "Training", [*rows, *_testing_rows(results.experiment.testing)])


def _testing_rows(testing: TestingSettings) -> list[dict[str, Any]]:
    """How weights learn during testing, where some do."""
    if not testing.updates:
        return []
    return [
        {"setting": f"testing.{key}", "value": str(getattr(testing, key)), "meaning": text}
        for key, field in TestingSettings.model_fields.items()
        if key != "updates" and (text := field.description)
    ]


def _values(values: dict[tuple[str, str], Any]) -> str:
    if len(set(map(repr, values.values()))) == 1:
        return str(next(iter(values.values())))
    several = len({corpus for corpus, _ in values}) > 1
    return "; ".join(
        f"{corpus + ' ' if several else ''}{model}: {value}"
        for (corpus, model), value in values.items()
    )


def corpus_settings_table(results: Results) -> Table:
    """Every setting of the corpora's preparation."""
    rows = []
    for name, corpus in results.experiment.corpora.items():
        for key, value in _flat(corpus.model_dump(mode="json")).items():
            rows.append({"setting": f"{name}: {key}", "value": str(value), "meaning": ""})
    return _settings("corpus_settings", "Corpora", rows)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def _settings(name: str, caption: str, rows: list[dict[str, Any]]) -> Table:
    columns = [
        Column("Setting", label("setting"), text=True),
        Column("Value", label("value"), text=True),
    ]
    if any(row["meaning"] for row in rows):
        columns.append(Column("Meaning", lambda row: row["meaning"].replace("`", ""), text=True))
    return Table(name, caption, pd.DataFrame(rows), columns)


def runs_table(results: Results) -> Table:
    """Every run with its seed, epochs and identity."""
    data = results.runs[["name", "seed", "epochs", "best_epoch", "identity"]]
    columns = [
        Column("Run", label("name"), text=True),
        Column("Seed", integer("seed")),
        Column("Epochs", integer("epochs")),
        Column("Best epoch", integer("best_epoch")),
        Column("Identity", lambda row: row["identity"][:12], text=True),
    ]
    return Table("runs", "Runs", data, columns)


def _facts(results: Results) -> dict[str, str]:
    """What the runs were made with; several values where the runs do not agree."""
    records = list(results.records.values())
    facts = {"code digest": {record["code_digest"][:12] for record in records}}
    for record in records:
        for package, version in record["versions"].items():
            facts.setdefault(package, set()).add(str(version))
    for statistics in results.corpora.values():
        facts[f"corpus {statistics['corpus']}"] = {statistics["digest"][:12]}
    return {name: ", ".join(sorted(values)) for name, values in facts.items()}
