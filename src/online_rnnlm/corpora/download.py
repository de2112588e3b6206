"""Downloads of files whose checksums are known and verified."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of


class Download(ABC):
    """A file that can be downloaded and is verified by its checksum."""

    sha256: str

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the file in the folder of downloads."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Its origin, for statistics, reports and messages."""

    @abstractmethod
    def write(self, out: Path) -> None:
        """Download the file to `out`; raises UserError if that fails."""

    def path(self, downloads: Path) -> Path:
        """The file's path in a folder of downloads."""
        return downloads / self.name


def fetch(download: Download, downloads: Path) -> Path:
    """Download a file unless it exists, verify its checksum and return its path.

    An existing file with another checksum is not replaced, as it may be the user's own. Raises
    UserError for such a file, or if the download fails.
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
    """Raise UserError if the file is missing or has another checksum.

    `name` is the file's name in the message; without it, the path is used.
    """
    if not file.is_file():
        raise UserError(f"{name or file}: no such file: fetch it first")
    found = sha256_of(file)
    if found != sha256:
        raise UserError(
            f"{name or file}: wrong checksum: sha256 {found}, not the expected {sha256}; "
            "delete the file to have it downloaded again"
        )
