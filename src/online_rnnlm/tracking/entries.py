"""What MLflow is told of an experiment: its files as tags, parameters, metrics and artifacts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from online_rnnlm.errors import UserError
from online_rnnlm.runs import ExperimentDirectory, read_json
from online_rnnlm.updates import DOCUMENT_VECTOR, NONE, final_evaluation, main_evaluations

SUMMARY = "summary"
DESCRIPTION = """\
Runs of `{experiment}` on `{corpus}`; the files in `results/` are the truth, and this is a view.

* **Which model is best?** The view that `make ui` opens: sorted by `test_perplexity`, the vector
  learning where there is one.
* **What does learning during testing bring?** Compare `test_perplexity` with
  `test_perplexity_vector_still`: the same weights, nothing learning.
* **How fast do they learn?** Select runs; *Chart*, `epoch/valid_perplexity`.
* **Only some of them?** Filter by tags: `tags.kind = "online"`, `tags.model = "100/20"`;
  the runs of the search for learning rates have `tags.kind = "search"`.
* **The whole comparison?** The run `summary` has the report, tables, figures and claims.
"""

_MAIN = (NONE, DOCUMENT_VECTOR)
BEST_FIRST = {
    "searchFilter": "tags.kind != 'search' and tags.kind != 'summary'",
    "orderByKey": "metrics.`test_perplexity`",
    "orderByAsc": True,
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "datasetsFilter": [],
    "modelVersionFilter": "All Runs",
    "selectedColumns": [
        "metrics.`test_perplexity`",
        "metrics.`test_perplexity_vector_still`",
        "metrics.`valid_perplexity`",
        "metrics.`parameters`",
        "metrics.`multiply_adds_per_word`",
        "tags.`model`",
        "tags.`seed`",
    ],
}
"""What the run table shows at first: a view of MLflow's interface that is to be shared."""
Metric = tuple[str, float, int, int]  # key, value, time in ms, step


@dataclass(frozen=True)
class Entry:
    """What an MLflow run is to say; `digest` and `ended` (ms) are those of one that is complete."""

    run: str
    """The name of the run's directory, or `summary`."""
    label: str
    """What people call it."""
    identity: str
    began: int
    """ms since 1970, as all times here."""
    tags: dict[str, str]
    parameters: dict[str, str]
    epochs: list[list[Metric]]
    """Epoch by epoch."""
    final: list[Metric]
    files: dict[str, list[Path]]
    """Artifacts by folder; empty while the run is not complete."""
    digest: str | None
    ended: int | None
    has_model: bool = False
    """Whether its weights are to be had as a model: those of the search are not."""


def run_names(directory: ExperimentDirectory) -> list[str]:
    """The runs that have begun."""
    return sorted(path.parent.name for path in directory.path.glob("runs/*/run.json"))


def run_entry(directory: ExperimentDirectory, name: str) -> Entry:
    """A run as it is now; it is complete when it is finished and evaluated.

    Raises UserError for a file that is not what training writes.
    """
    record = _read(directory.run(name).run)
    if "began" not in record:
        raise UserError(f"{directory.run(name).run}: written by an older version: train it again")
    settings = record["settings"]
    result = _result(directory, name, record["identity"])
    began = _milliseconds(record["began"])
    files = run_files(directory, name)
    complete = (
        result is not None
        and all(path.is_file() for path in files)
        and all(
            _read(directory.evaluation(name, evaluation))["identity"] == record["identity"]
            for evaluation in _evaluations(directory, name)
        )
    )
    main, others = files[:4], files[4:]
    ended = _milliseconds(result["ended"]) if result else None
    return Entry(
        run=name,
        label=label(record),
        identity=record["identity"],
        began=began,
        tags=tags(directory, name, record) | {"updates": _updates(directory, name, complete)},
        parameters={key: _text(value) for key, value in settings.items()},
        epochs=list(epoch_metrics(read_epochs(directory, name), began)),
        final=[
            (key, value, ended or began, 0)
            for key, value in (final_metrics(directory, name) if complete else {}).items()
        ],
        files={"": main, "evaluations": others} if complete else {},
        digest=digest(directory, files) if complete else None,
        ended=ended if complete else None,
        has_model=complete and not record["searched"],
    )


def summary_entry(directory: ExperimentDirectory, identity: str) -> Entry | None:
    """Tables, figures, claims and report as one run; None if there is no report."""
    if not directory.report.is_file():
        return None
    files = report_files(directory)
    found = digest(directory, [path for paths in files.values() for path in paths])
    written = round(1000 * directory.report.stat().st_mtime)
    return Entry(
        run=SUMMARY,
        label=SUMMARY,
        identity=identity,
        began=written,
        tags={"kind": SUMMARY},
        parameters={},
        epochs=[],
        final=[],
        files=files,
        digest=found,
        ended=written,
    )


def label(record: dict[str, Any]) -> str:
    """Such as `M100 D20 · seed 1`; what a search tries stands between."""
    settings = record["settings"]
    sizes = f"M{settings['hidden_size']} D{settings['document_size']}{_layer(settings)}"
    tried = [f"{key.replace('_', ' ')} {value:g}" for key, value in record["searched"].items()]
    return " · ".join([sizes, *tried, f"seed {settings['seed']}"])


def _layer(settings: dict[str, Any]) -> str:
    """The layer that the vector feeds, where it is not the paper's choice."""
    layer = settings["document_layer"]
    return "" if layer == "output" else f" {layer}"


def dataset(directory: ExperimentDirectory, corpus: str) -> dict[str, str]:
    """The corpus as MLflow's dataset has it."""
    statistics = _read(directory.corpus(corpus).statistics)
    return {
        "name": corpus,
        "digest": statistics["digest"][:36],  # MLflow takes no more
        "source_type": "local",
        "source": json.dumps({"uri": f"corpora/{corpus}", **statistics["source"]}),
        "profile": json.dumps(statistics["splits"]),
    }


def _result(directory: ExperimentDirectory, name: str, identity: str) -> dict[str, Any] | None:
    """What a finished run has; that of an older training under the same name is none."""
    path = directory.run(name).result
    result: dict[str, Any] = _read(path) if path.is_file() else {}
    return result if result.get("identity") == identity else None


def _updates(directory: ExperimentDirectory, name: str, complete: bool) -> str:
    return ", ".join(_evaluations(directory, name)) if complete else ""


def _milliseconds(time: str) -> int:
    return round(1000 * datetime.fromisoformat(time).timestamp())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    return found


def run_files(directory: ExperimentDirectory, name: str) -> list[Path]:
    """All files that a complete entry is made of: four of the run, then its evaluations'."""
    files = directory.run(name)
    evaluations = [
        path
        for evaluation in _evaluations(directory, name)
        for path in (
            directory.evaluation(name, evaluation),
            # Of the others, the sentences' scores are in the results folder only: they are large.
            *([directory.sentence_scores(name, evaluation)] if evaluation in _MAIN else []),
        )
    ]
    return [files.run, files.metrics, files.result, files.log, *evaluations]


def _evaluations(directory: ExperimentDirectory, name: str) -> list[str]:
    """A run's evaluations: those that have to be there, and what else belongs to it."""
    record = read_json(directory.run(name).run)
    if record["searched"]:
        return []
    main = main_evaluations(record["settings"]["document_size"])
    found = sorted(directory.evaluation(name, NONE).parent.glob("*.json"))
    others = [
        path.stem
        for path in found
        if path.stem not in main and read_json(path)["identity"] == record["identity"]
    ]
    return [*main, *others]


def tags(directory: ExperimentDirectory, name: str, record: dict[str, Any]) -> dict[str, str]:
    """A run's tags: what it is and what it was made with. `record` is its `run.json`."""
    settings = record["settings"]
    size = settings["document_size"]
    model = directory.run(name).model.relative_to(directory.path)
    kind = "online" if size else "static"
    return {
        "kind": "search" if record["searched"] else kind,
        "model": f"{settings['hidden_size']}/{size}{_layer(settings)}",
        "hidden_size": str(settings["hidden_size"]),
        "document_size": str(size),
        "document_layer": settings["document_layer"] if size else "none",
        "corpus": settings["corpus"],
        "seed": str(settings["seed"]),
        "identity": record["identity"],
        "code_digest": record["code_digest"],
        "corpus_digest": record["corpus_digest"],
        "weights": str(model),
        "host": record["host"],
        **({"slurm_job": ", ".join(jobs)} if (jobs := record["slurm_jobs"]) else {}),
        **{f"version.{package}": str(v) for package, v in record["versions"].items()},
    }


def read_epochs(directory: ExperimentDirectory, name: str) -> list[dict[str, Any]]:
    """The lines of `metrics.jsonl`, if it is there."""
    path = directory.run(name).metrics
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def epoch_metrics(epochs: list[dict[str, Any]], start: int) -> Iterator[list[Metric]]:
    """Every epoch's metrics: MLflow's interface groups by what stands before the `/`."""
    seconds = 0.0
    for epoch in epochs:
        seconds += epoch["seconds"]
        time = round(start + 1000 * seconds)
        yield [
            (f"epoch/{key}", float(value), time, epoch["epoch"])
            for key, value in epoch.items()
            if key not in ("epoch", "kept") and value is not None
        ]


def final_metrics(directory: ExperimentDirectory, name: str) -> dict[str, float]:
    """A run's figures: of its size and speed, and the perplexity of every split and evaluation.

    The evaluation that counts has no ending; the one without learning ends in `_vector_still`,
    others in their names.
    """
    result = read_json(directory.run(name).result)
    size = read_json(directory.run(name).run)["settings"]["document_size"]
    numbers = ("parameters", "words_per_second", "epochs", "best_epoch")
    metrics = {key: float(result[key]) for key in numbers}
    for evaluation in _evaluations(directory, name):
        # MLflow allows no `+` in a name.
        other = "vector_still" if evaluation == NONE else evaluation.replace("+", "_and_")
        ending = "" if evaluation == final_evaluation(size) else f"_{other}"
        found = read_json(directory.evaluation(name, evaluation))
        metrics[f"multiply_adds_per_word{ending}"] = float(found["multiply_adds_per_word"])
        for split, figures in found["splits"].items():
            metrics[f"{split}_perplexity{ending}"] = float(figures["perplexity"])
    return metrics


def report_files(directory: ExperimentDirectory) -> dict[str, list[Path]]:
    """Tables, figures, report and claims, by the folder they belong into."""
    top = [path for path in (directory.report, directory.claims) if path.is_file()]
    return {
        "tables": _files(directory.table("x", "csv").parent),
        "figures": _files(directory.figure("x", "svg").parent),
        "": top,
    }


def _files(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def digest(directory: ExperimentDirectory, paths: Iterable[Path]) -> str:
    """sha256 over names and contents."""
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(directory.path)} {len(content)}\n".encode() + content)
    return digest.hexdigest()
