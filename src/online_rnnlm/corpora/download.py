"""Files of known content that are fetched from elsewhere, and checked by their sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of


class Download(ABC):
    """A file that can be fetched; its content is known by its checksum."""

    sha256: str

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the file where it is kept."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where it comes from, for statistics, reports and messages."""

    @abstractmethod
    def write(self, out: Path) -> None:
        """Get the file and write it to `out`; raises UserError if it cannot be had."""

    def path(self, downloads: Path) -> Path:
        """Where the file is kept in a folder of downloads."""
        return downloads / self.name


def fetch(download: Download, downloads: Path) -> Path:
    """Fetch a file unless it is there already; returns where it is, its checksum verified.

    A file that is there with another sum is an error rather than a reason to download again: it
    may be somebody's own, and it is not ours to delete. Raises UserError.
    """
    file = download.path(downloads)
    if file.exists():
        verify(file, download.sha256)
        return file
    with replacing(file) as temporary:
        download.write(temporary)
        verify(temporary, download.sha256, download.origin)
    return file


def verify(file: Path, sha256: str, name: str | None = None) -> None:
    """Raise UserError if the file is missing or its checksum is another.

    `name` is what the message calls the file, if not by its path.
    """
    if not file.is_file():
        raise UserError(f"{name or file}: no such file: fetch it first")
    found = sha256_of(file)
    if found != sha256:
        raise UserError(
            f"{name or file}: wrong checksum: sha256 {found}, not the expected {sha256}; "
            "delete the file to have it downloaded again"
        )
