"""Every run's files as tidy frames: what all tables, figures and claims are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from online_rnnlm.config.evaluations import NONE, evaluations_of, final_evaluation
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Evaluation, Record, RunRecord, RunResult, Statistics
from online_rnnlm.storage.runs import read_epochs
from online_rnnlm.training.choice import resolve

MODEL = ["corpus", "hidden_size", "document_size", "document_layer"]
"""What tells the comparison's rows apart."""


@dataclass(frozen=True)
class Results:
    """All that an experiment's finished runs have to say.

    `runs`: a row a run, in the configuration's order: `name`, the keys of `MODEL`, `model` (such
    as `100/20`), `seed`, the keys of `result.json` and `multiply_adds_per_word` in testing.
    `search`: the search's runs in the same way, and `searched`. `epochs`: a row an epoch of a
    row's run: `name` and the keys of `metrics.jsonl`. `evaluations`: a row for each run,
    `evaluation` and `split`, with that split's figures; those of a corpus's rivals stand beside
    them, under their names. `details`: by run and evaluation, all that the evaluation's file says.
    `records`: every run's `run.json`; `corpora`: every corpus's `statistics.json`.
    """

    experiment: Experiment
    directory: ExperimentDirectory
    runs: pd.DataFrame
    search: pd.DataFrame
    epochs: pd.DataFrame
    evaluations: pd.DataFrame
    details: dict[tuple[str, str], dict[str, Any]]
    records: dict[str, dict[str, Any]]
    corpora: dict[str, dict[str, Any]]

    def perplexity(self, name: str, split: str, evaluation: str) -> float:
        """A run's perplexity on a split in an evaluation."""
        return self.figure(name, split, evaluation, "perplexity")

    def figure(self, name: str, split: str, evaluation: str, key: str) -> float:
        """One of the figures of a split in an evaluation of a run."""
        return float(self.evaluations[key].loc[(name, evaluation, split)])

    def evaluations_of(self, name: str) -> list[str]:
        """A run's evaluations, in the configuration's order."""
        return [evaluation for run, evaluation in self.details if run == name]

    def rows(self) -> list[pd.DataFrame]:
        """The runs of each row of the comparison, a run a seed."""
        return [runs for _, runs in self.runs.groupby(MODEL, sort=False)]


def collect(experiment: Experiment, directory: ExperimentDirectory) -> Results:
    """Read all runs of an experiment; raises UserError for what is missing or out of date."""
    runs = [resolve(run, directory) for run in experiment.runs()]
    search = [resolve(run, directory) for run in experiment.search_runs()]
    details = _details(experiment, directory)
    return Results(
        experiment=experiment,
        directory=directory,
        runs=_with_costs(pd.DataFrame([_run_row(directory, run) for run in runs]), details),
        search=pd.DataFrame([_run_row(directory, run) for run in search]),
        epochs=pd.DataFrame([row for run in runs for row in _epoch_rows(directory, run)]),
        evaluations=_evaluations(details),
        details=details,
        records={
            run.name: read(RunRecord, directory.run(run.name).run, exclude_none=True)
            for run in [*search, *runs]
        },
        corpora={
            name: read(Statistics, directory.corpus(name).statistics) for name in experiment.corpora
        },
    )


def read(kind: type[Record], path: Path, *, exclude_none: bool = False) -> dict[str, Any]:
    """What a record says, by key; raises UserError."""
    found = records.read(kind, path).model_dump(
        mode="json", exclude={"format"}, exclude_none=exclude_none
    )
    if kind is Evaluation:  # costs and settings beside the others
        found |= found.pop("costs")
        found["curve"] = [{**p.pop("settings"), **p} for p in found["curve"]]
    for claim in found.get("claims", ()):
        claim["effect"] = {k: v for k, v in claim["effect"].items() if v is not None}
    return found


def sentence_scores(
    directory: ExperimentDirectory, name: str, evaluation: str, split: str = "test"
) -> pd.DataFrame:
    """Per-sentence scores of a split: `tokens`, `log_probability`, by `sentence`."""
    path = directory.sentence_scores(name, evaluation)
    _must_exist(path, name)
    check_evaluated(directory, name, evaluation, path)
    columns = ["split", "sentence", "tokens", "log_probability"]
    scores = pd.read_parquet(path, columns=columns)
    return scores[scores["split"] == split].set_index("sentence").sort_index()


def token_scores(
    directory: ExperimentDirectory, name: str, evaluation: str
) -> npt.NDArray[np.float32]:
    """Natural log P of every test token in order: float32 (tokens,)."""
    path = directory.token_scores(name, evaluation)
    _must_exist(path, name)
    check_evaluated(directory, name, evaluation, path)
    scores: npt.NDArray[np.float32] = np.load(path)
    return scores


def check_evaluated(directory: ExperimentDirectory, name: str, evaluation: str, path: Path) -> None:
    """Raise UserError if a file of an evaluation is not the one that was written."""
    figures = directory.evaluation(name, evaluation)
    check(path, records.read(Evaluation, figures).files, figures)


def _must_exist(path: Path, name: str) -> None:
    if not path.is_file():
        raise UserError(f"{path}: missing; evaluate the run `{name}` first")


def _run_row(directory: ExperimentDirectory, run: Run) -> dict[str, Any]:
    files = directory.run(run.name)
    record, result = read(RunRecord, files.run), read(RunResult, files.result)
    del result["files"]
    if record["settings"] != run.settings.model_dump(mode="json"):
        raise UserError(f"{files.run}: trained with other settings than the configuration's")
    _same_identity(files.result, result, record)
    settings = run.settings
    return {
        "name": run.name,
        **{key: getattr(settings, key) for key in MODEL},
        "model": run.model,
        "searched": ", ".join(f"{key} {value}" for key, value in run.searched.items()),
        "seed": settings.seed,
        **result,
    }


def _with_costs(runs: pd.DataFrame, details: dict[tuple[str, str], dict[str, Any]]) -> pd.DataFrame:
    """The runs and what a word costs each in testing: in the evaluation that counts."""
    pairs = zip(runs["name"], runs["document_size"], strict=True)
    found = [details[name, final_evaluation(size)] for name, size in pairs]
    return runs.assign(multiply_adds_per_word=[one["multiply_adds_per_word"] for one in found])


def _same_identity(path: Path, found: dict[str, Any], record: dict[str, Any]) -> None:
    if found["identity"] != record["identity"]:
        raise UserError(f"{path}: belongs to an older training of `{record['name']}`")


def _epoch_rows(directory: ExperimentDirectory, run: Run) -> Iterator[dict[str, Any]]:
    for epoch in read_epochs(directory.run(run.name)):
        yield {"name": run.name, **epoch.model_dump(mode="json", exclude={"format"})}


def _details(
    experiment: Experiment, directory: ExperimentDirectory
) -> dict[tuple[str, str], dict[str, Any]]:
    details = {}
    for run in experiment.runs():
        record = read(RunRecord, directory.run(run.name).run)
        for evaluation in evaluations_of(run.settings.document_size, experiment.testing):
            path = directory.evaluation(run.name, evaluation)
            details[run.name, evaluation] = read(Evaluation, path)
            _same_identity(path, details[run.name, evaluation], record)
    for name in rivals_of_corpora(experiment):
        details[name, NONE] = read(Evaluation, directory.evaluation(name, NONE))
    return details


def _evaluations(details: dict[tuple[str, str], dict[str, Any]]) -> pd.DataFrame:
    rows = [
        {"name": name, "evaluation": evaluation, "split": split, **figures}
        for (name, evaluation), found in details.items()
        for split, figures in found["splits"].items()
    ]
    return pd.DataFrame(rows).set_index(["name", "evaluation", "split"]).sort_index()
