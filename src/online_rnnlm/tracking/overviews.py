"""Entries of MLflow about several runs: a row's means over its seeds, and the summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.files import digest_of_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Claim, Claims
from online_rnnlm.storage.shown import figure_files, table_files
from online_rnnlm.tracking.entries import EARLIER, FINISHED, Entry, existing

ROW, SUMMARY = OVERVIEWS = "row", "summary"
"""The kinds of these entries."""


def overviews(
    directory: ExperimentDirectory, experiment: Experiment, found: Sequence[Entry], folder: str
) -> list[Entry]:
    """Return the entries of the rows and the summaries of an experiment with these runs' entries.

    `folder` is the id of the results folder. An entry's identity changes with all that it says.
    """
    asked = [one for one in found if one.kind != EARLIER]
    entries = [*_rows(directory, experiment, asked), *_summaries(directory, experiment, asked)]
    return [replace(one, identity=f"{one.name} of {folder} as of {one.digest}") for one in entries]


def _rows(
    directory: ExperimentDirectory, experiment: Experiment, found: Sequence[Entry]
) -> list[Entry]:
    """Return an entry for each row of several seeds whose runs have all finished.

    A row of a single seed has none: it would say what the run says.
    """
    judged = records.read_if_there(Claims, directory.claims)
    now = judged is not None and judged.settings == digest_of_json(experiment.of_results())
    claims = judged.claims if judged is not None and now else ()
    finished = {one.name: one for one in found if one.status == FINISHED}
    rows = defaultdict(list)
    for run in experiment.runs():
        rows[run.settings.corpus, run.model].append(run.name)
    return [
        _row([finished[name] for name in names], claims)
        for names in rows.values()
        if len(names) > 1 and finished.keys() >= {*names}
    ]


def _row(runs: Sequence[Entry], claims: Sequence[Claim]) -> Entry:
    corpus, model = runs[0].corpus, runs[0].tags["model"]
    ended = max(run.ended or run.began for run in runs)
    verdicts = defaultdict(list)
    for claim in claims:
        if (claim.row, claim.corpus) == (model, corpus):
            verdicts[f"claim.{claim.number}"].append(claim.verdict)
    # The metrics that all seeds have; the deviation is that of a sample.
    values = pd.DataFrame([{key: value for key, value, _, _ in run.final} for run in runs])
    values = values.dropna(axis="columns")
    means = pd.concat([values.mean(), values.std().add_suffix("_sd")])
    return Entry(
        name=f"{ROW} {model} of {corpus}",
        corpus=corpus,
        label=f"{model} · mean of {len(runs)} seeds",
        identity="",
        began=min(run.began for run in runs),
        ended=ended,
        tags={
            **_in_common([run.tags for run in runs]),
            "kind": ROW,
            "seeds": ", ".join(run.parameters["seed"] for run in runs),
            **{key: "; ".join(found) for key, found in verdicts.items()},
        },
        parameters=_in_common([run.parameters for run in runs]),
        final=tuple((str(key), float(mean), ended, 0) for key, mean in means.items()),
    )


def _in_common(values: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return what all of them have in common."""
    first, *others = values
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


def _summaries(
    directory: ExperimentDirectory, experiment: Experiment, found: Sequence[Entry]
) -> Iterator[Entry]:
    """Yield an entry for each corpus with the report and what it shows, if there is a report.

    Tables and figures of earlier configurations, which may still be in the folder, are left out.
    """
    if not directory.report.is_file():
        return
    written = round(1000 * directory.report.stat().st_mtime)
    files = [
        *existing("tables", table_files(experiment, directory)),
        *existing("figures", figure_files(experiment, directory)),
        *existing("", (directory.report, directory.claims)),
    ]
    for corpus in dict.fromkeys(entry.corpus for entry in found):
        yield Entry(
            name=f"{SUMMARY} of {corpus}",
            corpus=corpus,
            label=SUMMARY,
            identity="",
            began=written,
            ended=written,
            tags={"kind": SUMMARY},
            files=tuple(files),
        )
