"""Reading a store's entries of an invented experiment, and the entries that are expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking import current
from online_rnnlm.tracking.stores import store_for
from online_rnnlm.tracking.summary import summary_entry

BOOKKEEPING = {"digest", "directory", "run", "identity"}


def name_of(directory: ExperimentDirectory) -> str:
    return f"{directory.path.name}/invented"


def view(directory: ExperimentDirectory, uri: str | None) -> dict[str, dict[str, Any]]:
    """Return a store's entries of an experiment, by the names of the runs' directories."""
    found: dict[str, dict[str, Any]] = {}
    with store_for(directory, uri).client() as client:
        experiment = client.get_experiment_by_name(name_of(directory)).experiment_id
        for run in client.search_runs([experiment]):
            data, name = run.data, run.data.tags["run"]
            assert name not in found, "entered twice"
            found[name] = {
                "label": run.info.run_name,
                "status": run.info.status,
                "times": (run.info.start_time, run.info.end_time),
                "parameters": data.params,
                "tags": told({k: v for k, v in data.tags.items() if not k.startswith("mlflow.")}),
                "metrics": sorted(
                    (metric.key, metric.value, metric.timestamp, metric.step)
                    for key in data.metrics
                    for metric in client.get_metric_history(run.info.run_id, key)
                ),
                "files": contents(client, run.info.run_id),
                "datasets": [(d.dataset.name, d.dataset.digest) for d in run.inputs.dataset_inputs],
            }
    return found


def told(tags: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in BOOKKEEPING}


def contents(client: Any, run_id: str, folder: str | None = None) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for item in client.list_artifacts(run_id, folder):
        if item.is_dir:
            found |= contents(client, run_id, item.path)
        else:
            found[item.path] = Path(client.download_artifacts(run_id, item.path)).read_bytes()
    return found


def said_by_files(directory: ExperimentDirectory) -> dict[str, dict[str, Any]]:
    """Return the entries that a store must have, from the experiment's files."""
    asked = Asked(directory)
    runs = current.Reader(directory).entries(asked)
    summary = summary_entry(directory, asked, "")
    return {
        entry.run: {
            "label": entry.label,
            "status": entry.status,
            "times": (entry.began, entry.ended),
            "parameters": entry.parameters,
            "tags": told(entry.tags),
            "metrics": sorted([*(m for epoch in entry.epochs for m in epoch), *entry.final]),
            "files": {
                f"{folder}/{path.name}".removeprefix("/"): path.read_bytes()
                for folder, paths in entry.files.items()
                for path in paths
            },
            "datasets": [("invented", entry.record.corpus_digest[:36])] if entry.record else [],
        }
        for entry in [*runs, *([summary] if summary else [])]
    }


def assert_right(directory: ExperimentDirectory, uri: str | None = None) -> None:
    assert view(directory, uri) == said_by_files(directory)
