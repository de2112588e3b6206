"""The entry of an experiment's summary in MLflow: its report, tables, figures and claims."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking.entries import SUMMARY, Entry
from online_rnnlm.tracking.reading import BeingMade, digest_of, stamp_of


def summary_identity(owner: str) -> str:
    """Return the identity of the summary of a results folder, given the folder's id."""
    return f"{SUMMARY} of {owner}"


def summary_entry(directory: ExperimentDirectory, asked: Asked, owner: str) -> Entry | None:
    """Return the report and what it shows as one entry; None if there is no report.

    Tables and figures of earlier configurations, which may still be in the folder, are left out.
    Raises BeingMade if one of the files is just being made anew.
    """
    if not directory.report.is_file():
        return None
    files = summary_files(directory, asked)
    digest = digest_of(directory, files)
    stamp = stamp_of([directory.report])
    if not stamp:
        raise BeingMade(directory.report)
    written = round(stamp[0][1] / 1e6)
    return Entry(
        run=SUMMARY,
        label=SUMMARY,
        identity=summary_identity(owner),
        began=written,
        tags={"kind": SUMMARY},
        parameters={},
        epochs=[],
        final=[],
        files=files,
        digest=digest,
        ended=written,
    )


def summary_files(directory: ExperimentDirectory, asked: Asked) -> dict[str, list[Path]]:
    """Return the files of the summary that exist, by their folder among the artifacts."""
    files = {
        "tables": asked.tables(),
        "figures": asked.figures(),
        "": [directory.report, directory.claims],
    }
    return {folder: [path for path in paths if path.is_file()] for folder, paths in files.items()}
