"""Refusal of results that another version of this program has made."""

from __future__ import annotations

from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import RunRecord, Statistics


def refuse_other_versions(directory: ExperimentDirectory) -> None:
    """Raise UserError if another version made a corpus or run, as its results would be lost."""
    for statistics in sorted(directory.path.glob("corpora/*/statistics.json")):
        records.check_version(Statistics, statistics)
    for run in sorted(directory.path.glob("runs/*/run.json")):
        records.check_version(RunRecord, run)
