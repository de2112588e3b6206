"""Results of another version of this program: refused before anything is made anew."""

from __future__ import annotations

from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import RunRecord, Statistics


def refuse_other_versions(directory: ExperimentDirectory) -> None:
    """Raise UserError if a corpus or a run is of another version: its results would be lost."""
    for statistics in sorted(directory.path.glob("corpora/*/statistics.json")):
        records.check_version(Statistics, statistics)
    for run in sorted(directory.path.glob("runs/*/run.json")):
        records.check_version(RunRecord, run)
