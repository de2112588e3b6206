"""What MLflow is told about a run: its files as tags, metrics and artifacts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from online_rnnlm.runs import ExperimentDirectory, read_json
from online_rnnlm.updates import NONE, final_evaluation, main_evaluations

Metric = tuple[str, float, int, int]  # key, value, time in ms, step


def run_files(directory: ExperimentDirectory, name: str) -> list[Path]:
    """All files that an entry is made of."""
    files = directory.run(name)
    if not files.run.is_file():
        return [files.run]
    evaluations = [
        path
        for evaluation in _evaluations(directory, name)
        for path in (
            directory.evaluation(name, evaluation),
            directory.sentence_scores(name, evaluation),
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
        "model": f"{settings['hidden_size']}/{size}",
        "corpus": settings["corpus"],
        "seed": str(settings["seed"]),
        "identity": record["identity"],
        "code_digest": record["code_digest"],
        "corpus_digest": record["corpus_digest"],
        "weights": str(model),
        **{f"version.{package}": str(v) for package, v in record["versions"].items()},
    }


def read_epochs(directory: ExperimentDirectory, name: str) -> list[dict[str, Any]]:
    """The lines of `metrics.jsonl`."""
    lines = directory.run(name).metrics.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def epoch_metrics(epochs: list[dict[str, Any]], start: int) -> Iterator[Metric]:
    """(key, value, time in ms, step): MLflow's interface groups by what stands before the `/`."""
    seconds = 0.0
    for epoch in epochs:
        seconds += epoch["seconds"]
        for key, value in epoch.items():
            if key != "epoch" and value is not None:
                yield f"epoch/{key}", float(value), round(start + 1000 * seconds), epoch["epoch"]


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
