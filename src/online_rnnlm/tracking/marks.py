"""The marks of entries in a database's file, by which an older file put in its place is noticed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

_MARKS = (
    "SELECT run_uuid, key, value FROM tags JOIN runs USING (run_uuid) "
    "WHERE lifecycle_stage = 'active' AND key IN ('digest', 'kind') ORDER BY run_uuid, key"
)


def marks_in(file: Path, runs: Collection[str]) -> str | None:
    """Return the sha256 of what a database says of these MLflow runs: their kinds and digests.

    Runs that are not there, or were deleted, have no part in it. Returns None if the file is no
    database of MLflow. It is read without MLflow, which takes seconds to import.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            found = [row for row in database.execute(_MARKS) if row[0] in runs]
    except sqlite3.DatabaseError:
        return None
    return hashlib.sha256(repr(found).encode()).hexdigest()
