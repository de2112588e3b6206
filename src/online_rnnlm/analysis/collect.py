"""Every run's files as tidy frames: what all tables, figures and claims are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.configuration import Experiment, Run, TestingSettings
from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, final_updates, updates_of
from online_rnnlm.updates import changes_weights

MODEL = ["corpus", "hidden_size", "document_size"]


@dataclass(frozen=True)
class Results:
    """All that an experiment's finished runs have to say.

    `runs`: a row a run, in the configuration's order: `name`, `corpus`, `hidden_size`,
    `document_size`, `model` (such as `100/20`), `searched`, `seed` and the keys of `result.json`.
    `epochs`: a row an epoch: `name` and the keys of `metrics.jsonl`.
    `evaluations`: a row for each run, `updates` and `split`, with that split's figures.
    `records`: every run's `run.json`; `corpora`: every corpus's `statistics.json`.
    """

    experiment: Experiment
    directory: ExperimentDirectory
    runs: pd.DataFrame
    epochs: pd.DataFrame
    evaluations: pd.DataFrame
    records: dict[str, dict[str, Any]]
    corpora: dict[str, dict[str, Any]]

    def perplexity(self, name: str, split: str, updates: str) -> float:
        """A run's perplexity on a split, `updates` learning while it is read."""
        return self.figure(name, split, updates, "perplexity")

    def figure(self, name: str, split: str, updates: str, key: str) -> float:
        """One of the figures of a split in an evaluation of a run."""
        return float(self.evaluations[key].loc[(name, updates, split)])

    def updates(self) -> list[str]:
        """What learns in some run's evaluations: what always does, then what is configured."""
        subsets = self.experiment.testing.updates
        there = set(self.evaluations.index.get_level_values("updates"))
        known = [*updates_of(1, subsets), *updates_of(0, subsets)]
        return [name for name in dict.fromkeys(known) if name in there]


def collect(experiment: Experiment, directory: ExperimentDirectory) -> Results:
    """Read all runs of an experiment; raises UserError for what is missing or out of date."""
    runs = experiment.runs()
    return Results(
        experiment=experiment,
        directory=directory,
        runs=pd.DataFrame([_run_row(directory, run) for run in runs]),
        epochs=pd.DataFrame([row for run in runs for row in _epoch_rows(directory, run)]),
        evaluations=_evaluations(directory, experiment),
        records={run.name: read(directory.run(run.name).run) for run in runs},
        corpora={name: read(directory.corpus(name).statistics) for name in experiment.corpora},
    )


def read(path: Path) -> dict[str, Any]:
    """Read a file with one JSON object; raises UserError with its name."""
    try:
        value = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: one JSON object is needed")
    return value


def sentence_scores(
    directory: ExperimentDirectory, name: str, updates: str, split: str = "test"
) -> pd.DataFrame:
    """Per-sentence scores of a split: `tokens`, `log_probability`, by `sentence`."""
    path = directory.sentence_scores(name, updates)
    if not path.is_file():
        raise UserError(f"{path}: missing; evaluate the run `{name}` first")
    columns = ["split", "sentence", "tokens", "log_probability"]
    scores = pd.read_parquet(path, columns=columns)
    return scores[scores["split"] == split].set_index("sentence").sort_index()


def chosen(results: Results) -> pd.DataFrame:
    """The runs that stand for their row: the searched combination that is best on `valid`.

    Best is the lowest mean over seeds; the test set has no say. Order as in the configuration.
    """
    runs = results.runs.assign(valid=valid_perplexities(results))
    means = runs.groupby([*MODEL, "searched"], sort=False)["valid"].mean()
    best = set(means.groupby(level=MODEL, sort=False).idxmin())
    keys = list(runs[[*MODEL, "searched"]].itertuples(index=False, name=None))
    selected = np.array([key in best for key in keys])
    return runs[selected].drop(columns="valid").reset_index(drop=True)


def valid_perplexities(results: Results) -> list[float]:
    """Each run's perplexity on `valid` as it counts: the document vector learning, if any."""
    pairs = zip(results.runs["name"], results.runs["document_size"], strict=True)
    return [results.perplexity(name, "valid", final_updates(size)) for name, size in pairs]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def _run_row(directory: ExperimentDirectory, run: Run) -> dict[str, Any]:
    files = directory.run(run.name)
    record, result = read(files.run), read(files.result)
    if record["settings"] != run.settings.model_dump(mode="json"):
        raise UserError(f"{files.run}: trained with other settings than the configuration's")
    _same_identity(files.result, result, record)
    settings = run.settings
    return {
        "name": run.name,
        "corpus": settings.corpus,
        "hidden_size": settings.hidden_size,
        "document_size": settings.document_size,
        "model": f"{settings.hidden_size}/{settings.document_size}",
        "searched": ", ".join(f"{key} {value}" for key, value in run.searched.items()),
        "seed": settings.seed,
        **result,
    }


def _same_identity(path: Path, found: dict[str, Any], record: dict[str, Any]) -> None:
    if found["identity"] != record["identity"]:
        raise UserError(f"{path}: belongs to an older training of `{record['name']}`")


def _epoch_rows(directory: ExperimentDirectory, run: Run) -> Iterator[dict[str, Any]]:
    path = directory.run(run.name).metrics
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            yield {"name": run.name, **json.loads(line)}
        except json.JSONDecodeError as error:
            raise UserError(f"{path}:{number}: not JSON: {error.msg}") from None


def _evaluations(directory: ExperimentDirectory, experiment: Experiment) -> pd.DataFrame:
    runs, testing = experiment.runs(), experiment.testing
    rows = [row for run in runs for row in _evaluation_rows(directory, run, testing)]
    return pd.DataFrame(rows).set_index(["name", "updates", "split"]).sort_index()


def _evaluation_rows(
    directory: ExperimentDirectory, run: Run, testing: TestingSettings
) -> Iterator[dict[str, Any]]:
    record = read(directory.run(run.name).run)
    rates = testing.model_dump(mode="json", exclude={"updates"})
    for updates in updates_of(run.settings.document_size, testing.updates):
        path = directory.evaluation(run.name, updates)
        found = read(path)
        _same_identity(path, found, record)
        if changes_weights(updates) and found.get("testing") != rates:
            raise UserError(f"{path}: tested with another `testing` than the configuration's")
        for split, figures in found["splits"].items():
            yield {"name": run.name, "updates": updates, "split": split, **figures}
