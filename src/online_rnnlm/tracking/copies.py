"""Checks of the copies of files in a store's folder of artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from online_rnnlm.storage.files import sha256_of
from online_rnnlm.tracking.reading import BeingMade, Stamp, stamp_of


class Copies:
    """Checks of copies by their checksums; a file is read again only if it has changed."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[Stamp, str]] = {}

    def equal(self, place: Path, files: Mapping[str, Sequence[Path]]) -> bool:
        """Return True if a folder has an equal copy of each of these files, given by subfolder.

        Raises BeingMade if one of the files is not there any more.
        """
        for folder, paths in files.items():
            for path in paths:
                ours = self._digest(path)
                if ours is None:
                    raise BeingMade(path)
                if ours != self._digest(place / folder / path.name):
                    return False
        return True

    def have(self, place: Path, digests: Mapping[str, str]) -> bool:
        """Return True if the files in a folder have these sha256, given by their relative paths."""
        return all(self._digest(place / name) == digest for name, digest in digests.items())

    def _digest(self, file: Path) -> str | None:
        """Return a file's sha256; None if there is no such file."""
        stamp = stamp_of([file])
        if not stamp:
            return None
        known = self._read.get(file)
        if known is None or known[0] != stamp:
            try:
                known = self._read[file] = stamp, sha256_of(file)
            except FileNotFoundError:  # It has just been deleted.
                return None
        return known[1]


def digests_in(folder: Path) -> dict[str, str]:
    """Return the sha256 of all files in a folder, by their relative paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def folder_of(uri: str) -> Path | None:
    """Return the folder that an address of artifacts means; None if it is not on this machine."""
    parts = urlsplit(uri)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None
