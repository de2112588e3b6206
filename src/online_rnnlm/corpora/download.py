"""Downloads of files that are verified before they are used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of

NOTE = ".sha256"
"""The end of the name of the file beside a download that has its checksum."""


class Download(ABC):
    """A file that can be downloaded and is verified by a checksum."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the file in the folder of downloads."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Its origin, for statistics, reports and messages."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """A text that is the same as long as the file has the same content."""

    @abstractmethod
    def write(self, out: Path) -> None:
        """Download the file to `out` and verify it; raises UserError if that fails."""

    @abstractmethod
    def verify(self, file: Path) -> None:
        """Raise UserError if a file that is there has another checksum."""

    def path(self, downloads: Path) -> Path:
        """The file's path in a folder of downloads."""
        return downloads / self.name


def fetch(download: Download, downloads: Path) -> Path:
    """Download a file unless it exists, verify it and return its path.

    An existing file with another checksum is not replaced, as it may be the user's own. Raises
    UserError for such a file, or if the download fails.
    """
    file = download.path(downloads)
    if file.exists():
        download.verify(file)
        return file
    with replacing(file) as temporary:
        download.write(temporary)
    return file


def refuse_missing(file: Path, name: str | None = None) -> None:
    """Raise UserError unless the file exists; `name` stands for it in the message."""
    if not file.is_file():
        what = (
            "is a folder: a file is needed there"
            if file.is_dir()
            else "no such file: fetch it first"
        )
        raise UserError(f"{name or file}: {what}")


def verify(file: Path, sha256: str, name: str | None = None) -> None:
    """Raise UserError if the file is missing or has another checksum.

    `name` is the file's name in the message; without it, the path is used.
    """
    refuse_missing(file, name)
    found = sha256_of(file)
    if found != sha256:
        raise UserError(
            f"{name or file}: wrong checksum: sha256 {found}, not the expected {sha256}; "
            "delete the file to have it downloaded again"
        )
