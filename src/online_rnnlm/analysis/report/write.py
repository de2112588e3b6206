"""Write `report.html`, one page that needs no other file and opens with the finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from online_rnnlm.analysis.published import load_published
from online_rnnlm.analysis.report.checklist import checklist
from online_rnnlm.analysis.report.finding import findings, updates_finding
from online_rnnlm.analysis.report.sections import sections
from online_rnnlm.analysis.report.settings import corpus_settings_table, runs_table, settings_table
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.rendering import environment
from online_rnnlm.analysis.wording import ONE_SEED, interval, p_value, signed
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Captions, Claim, Claims


def write_report(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write the report; `claims.json` and the figures must exist already.

    Raises UserError if they were made for other settings than the report's.
    """
    results = collect(experiment, directory, load_published(published))
    page = environment().get_template("report.html.j2").render(_content(results))
    with replacing(directory.report) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _content(results: Results) -> dict[str, Any]:
    """The values that the template uses, by name."""
    experiment = results.experiment
    claims = records.read(Claims, results.directory.claims)
    captions = records.read(Captions, results.directory.captions)
    _refuse_other_settings(results, claims, results.directory.claims, "claims")
    _refuse_other_settings(results, captions, results.directory.captions, "figures")
    return {
        "experiment": experiment.experiment,
        "seeds": experiment.seeds,
        "several_corpora": results.several_corpora,
        "findings": findings(results, claims.claims),
        "missing": results.missing,
        "sections": list(sections(results, captions.captions)),
        "updates_finding": updates_finding(results),
        "claims": claims,
        "claim_numbers": claim_numbers,
        "one_seed": ONE_SEED,
        "sources": {name: corpus.source for name, corpus in results.corpora.items()},
        "settings": settings_table(results),
        "corpus_settings": corpus_settings_table(results),
        "runs": runs_table(results),
        "checklist": checklist(results),
        "facts": _facts(results),
        "commands": Commands(results.directory),
    }


def _refuse_other_settings(
    results: Results, made: Claims | Captions, path: Path, verb: str
) -> None:
    if made.settings != results.settings_digest:
        raise UserError(
            f"{path}: was made for other settings than the report: run `online-rnnlm {verb}` with "
            "this configuration first"
        )


class Commands:
    """The commands that remake files from the configuration kept beside them."""

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._directory = directory

    def again(self, *files: Path) -> str:
        """The command that remakes files, and first any input that is missing or out of date."""
        configuration = self._directory.configuration
        names = " ".join(map(str, files))
        return f"snakemake --cores all --configfile {configuration} --force {names}"

    def table(self, name: str) -> str:
        """The command that remakes a table."""
        return self.again(self._directory.table(name, "csv"))

    def figure(self, name: str) -> str:
        """The command that draws a figure again."""
        return self.again(self._directory.figure(name, "svg"))

    def claims(self) -> str:
        """The command that judges the claims again."""
        return self.again(self._directory.claims)

    def run(self, name: str = "RUN") -> str:
        """The command that trains a run of the table of runs again."""
        return self.again(self._directory.run(name).result)


def claim_numbers(claim: Claim) -> str:
    """A claim's values in one line: both sides, the change, its interval and p-values."""
    effect = claim.effect
    change = f"{signed(effect.change_percent)} %"
    if effect.interval_percent is None or claim.p_value is None or claim.p_value_holm is None:
        ours, theirs = effect.multiply_adds_per_word, effect.multiply_adds_per_word_against
        return f"{ours:,.0f} against {theirs:,.0f} ({change})"  # Counts are not tested.
    said = [
        f"{effect.test_perplexity:.1f} against {effect.test_perplexity_against:.1f} "
        f"({change}; 95 % interval {interval(effect.interval_percent)})",
        f"p {p_value(claim.p_value)}, corrected {p_value(claim.p_value_holm)}",
    ]
    if effect.drawn is not None:
        said.append(f"over {effect.pieces:,} {effect.drawn}s")
    if effect.equivalence is not None:
        equal = effect.equivalence
        shown = "shown" if equal.shown else "not shown"
        said.append(f"equal within {equal.margin_percent:g} %: {shown}, p {p_value(equal.p_value)}")
    if claim.seeds is not None:
        bounds = (signed(bound, 3) for bound in claim.seeds.interval_nats_per_token)
        said.append(f"over {claim.seeds.seeds} seeds {' to '.join(bounds)} nats a token")
    return "; ".join(said)


def _facts(results: Results) -> dict[str, str]:
    """Code, packages and machines of the runs; several values if the runs differ."""
    facts: dict[str, set[str]] = {}
    for run in [*results.search, *results.runs]:
        record = run.record
        machine = {key: value for key, value in record.machine if value is not None}
        found = {"code digest": record.code_digest[:12], "python": record.python}
        for name, value in {**found, **record.packages, **machine}.items():
            facts.setdefault(name, set()).add(str(value))
    for corpus, statistics in results.corpora.items():
        facts[f"corpus {corpus}"] = {statistics.digest[:12]}
    return {name: ", ".join(sorted(values)) for name, values in facts.items()}
