"""The marks of entries in a database's file, by which an older file put in its place is noticed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

_MARKS = (
    "SELECT run_uuid, 'status', status FROM runs WHERE lifecycle_stage = 'active'",
    "SELECT run_uuid, key, value FROM tags JOIN runs USING (run_uuid) "
    "WHERE lifecycle_stage = 'active' AND key IN ('digest', 'kind')",
    "SELECT source_run_id, 'model', status FROM logged_models WHERE lifecycle_stage = 'active'",
    "SELECT run_id, 'alias', alias FROM model_versions "
    "JOIN registered_model_aliases USING (name, version)",
)
"""Queries for an MLflow run, a kind of mark and the mark."""


def marks_in(file: Path, runs: Collection[str]) -> str | None:
    """Return the sha256 of a database's marks of these MLflow runs.

    They are the status, kind and digest of each, its logged models, and the aliases of its
    registered model. Runs that were deleted have none. Returns None if the file is no database of
    MLflow. It is read without MLflow, which takes seconds to import.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = [row for query in _MARKS for row in database.execute(query)]
    except sqlite3.DatabaseError:
        return None
    found = sorted(tuple(map(str, row)) for row in rows if row[0] in runs)
    return hashlib.sha256(repr(found).encode()).hexdigest()
