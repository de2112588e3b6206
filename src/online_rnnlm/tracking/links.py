"""A folder of links to results that can only be read, with an MLflow store of its own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import mkdtemp

from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.user_cache import user_cache


def is_writable(directory: ExperimentDirectory) -> bool:
    """True if MLflow's files in the experiment's folder can be written."""
    folder = directory.tracked.parent
    files = (directory.path, directory.store, directory.artifacts, folder, *folder.glob("*"))
    return all(os.access(file, os.W_OK) for file in files if file.exists())


def linked(directory: ExperimentDirectory) -> ExperimentDirectory:
    """Return a folder of the same name with links to all results, but without MLflow's files.

    It is in the user's cache, where the next call finds it with the entries made before. If the
    cache cannot be written, it is a temporary folder.
    """
    results = directory.path.resolve()
    place = hashlib.sha256(bytes(results)).hexdigest()[:16]
    try:
        return _with_links(results, user_cache() / "read-only" / place)
    except OSError:
        return _with_links(results, Path(mkdtemp(prefix="online-rnnlm-")))


def _with_links(results: Path, place: Path) -> ExperimentDirectory:
    made = ExperimentDirectory(place / results.name)
    made.path.mkdir(parents=True, exist_ok=True)
    own = {path.name for path in (made.store, made.artifacts, made.tracked.parent)}
    wanted = {path.name: path for path in results.iterdir() if path.name not in own}
    there = {path.name: path for path in made.path.iterdir() if path.is_symlink()}
    for name in there.keys() - wanted.keys():
        there[name].unlink()
    for name in wanted.keys() - there.keys():
        (made.path / name).symlink_to(wanted[name])
    return made
