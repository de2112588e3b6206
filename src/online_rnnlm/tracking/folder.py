"""The identity of a results folder in MLflow: a moved folder keeps it, a copy gets its own."""

from __future__ import annotations

import logging
from pathlib import Path
from uuid import uuid4

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import ResultsFolder

_log = logging.getLogger(__name__)


def identify(directory: ExperimentDirectory) -> str:
    """Return the id of a results folder, and note the folder's place.

    A folder that was moved keeps its id, and so its entries in a store that others use, too. A copy
    gets an id of its own, so that it does not replace the entries of the folder that it is of. A
    folder whose record is damaged gets a new id; its runs are found again by their identities.
    """
    here, known = directory.path.resolve(), _known(directory)
    if known is None or _is_copy(known, here):
        known = ResultsFolder(id=uuid4().hex, path=str(here))
        records.write(directory.folder, known)
    elif known.path != str(here):
        known = known.model_copy(update={"path": str(here)})
        records.write(directory.folder, known)
    return known.id


def has_moved(directory: ExperimentDirectory) -> bool:
    """Return True if the folder was moved or copied since its runs were entered into MLflow."""
    known = records.read_if_there(ResultsFolder, directory.folder)
    here = directory.path.resolve()
    return known is not None and known.path not in (None, str(here))


def _known(directory: ExperimentDirectory) -> ResultsFolder | None:
    """Read the record of the folder; None if there is none, or if it is damaged."""
    try:
        return records.read_if_there(ResultsFolder, directory.folder)
    except UserError as error:
        _log.warning("%s", error)
        return None


def _is_copy(known: ResultsFolder, here: Path) -> bool:
    """Return True if the folder whose id this is stands somewhere else."""
    if known.path is None or known.path == str(here):
        return False
    other = ExperimentDirectory(Path(known.path))
    try:
        found = records.read_if_there(ResultsFolder, other.folder)
        return found is not None and found.id == known.id and not here.samefile(other.path)
    except (UserError, OSError):  # What is there now cannot be read: it is not that folder.
        return False
