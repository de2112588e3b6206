"""Files at addresses: downloaded from the first mirror that has the right one, and verified."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from online_rnnlm.config.sources import Url
from online_rnnlm.corpora.download import NOTE, Download, refuse_missing, verify
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import sha256_of

logger = logging.getLogger(__name__)

_ALGORITHMS = {128: "sha512", 64: "sha256", 40: "sha1", 32: "md5"}
"""Algorithms by the length of their sums as hexadecimal digits."""
_SHA256 = 64
_SUM = r"([0-9a-fA-F]{128}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})"
_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}
_POINTER = re.compile(r"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)


class Checksum(NamedTuple):
    """A sum of a file's content."""

    algorithm: str
    digits: str

    def of(self, file: Path) -> Checksum:
        """Return the sum of a file by the same algorithm."""
        with file.open("rb") as stream:
            return Checksum(self.algorithm, hashlib.file_digest(stream, self.algorithm).hexdigest())

    def __str__(self) -> str:
        """Return the algorithm and the digits."""
        return f"{self.algorithm} {self.digits}"


@dataclass(frozen=True)
class RemoteFile(Download):
    """A file at one of several addresses, with its sum or the address of a list of sums."""

    addresses: tuple[str, ...]
    kept_as: str
    sha256: str | None = None
    checksums: str | None = None

    @classmethod
    def of(cls, url: Url) -> RemoteFile:
        """Return the file that settings describe."""
        return cls(tuple(url.address), url.kept_as, url.sha256, url.checksums)

    @property
    def name(self) -> str:
        """Name of the file in the folder of downloads."""
        return self.kept_as

    @property
    def origin(self) -> str:
        """The first address."""
        return self.addresses[0]

    @property
    def identity(self) -> str:
        """The sum, or the address of the list of sums."""
        return self.sha256 or f"{self.checksums} {self.origin}"

    def write(self, out: Path) -> None:
        """Download the file to `out` from the first address that has the right one.

        What an interrupted download leaves is continued. A wrong file is kept beside `out`, with
        `.wrong` behind its name. Raises UserError, with the reason for each address.
        """
        expected = self._expected()
        partial = out.with_name(f".{self.name}.part")
        problems = []
        for address in self.addresses:
            problem = self._from(address, partial, expected)
            if problem is None:
                partial.replace(out)
                if self.sha256 is None:
                    self._note(out.with_name(self.name), sha256_of(out))
                return
            problems.append(f"{address}: {problem}")
        raise UserError(f"{self.name}: could not be downloaded: {'; '.join(problems)}")

    def verify(self, file: Path) -> None:
        """Raise UserError if a file that is there has another checksum.

        A file that was put there by hand is compared with the list of sums.
        """
        if self.sha256 is not None:
            verify(file, self.sha256)
            return
        refuse_missing(file)
        noted = self._noted(file)
        if noted is not None:
            verify(file, noted)
            return
        expected = self._expected()
        found = expected.of(file)
        if found != expected:
            raise UserError(
                _wrong(str(file), found, expected) + ": delete it to have it downloaded"
            )
        self._note(file, sha256_of(file))

    def _from(self, address: str, partial: Path, expected: Checksum) -> str | None:
        """Download from one address; return the problem, or None if the file is right."""
        continued = partial.exists()
        problem, found = _transferred(address, partial, expected)
        if continued and problem is None and found != expected:
            logger.warning("%s: what was continued is wrong: it is downloaded anew", address)
            partial.unlink()
            problem, found = _transferred(address, partial, expected)
        if found == expected:
            return None
        if found is None or problem is not None:
            return problem
        wrong = partial.with_name(f"{self.name}.wrong")
        partial.replace(wrong)
        return _wrong("a wrong file", found, expected) + f": it is kept as {wrong}"

    def _expected(self) -> Checksum:
        """Return the right sum; raises UserError if the list of sums cannot be had."""
        if self.sha256 is not None:
            return Checksum("sha256", self.sha256)
        from online_rnnlm.corpora.transfer import TransferError, read_text  # noqa: PLC0415

        assert self.checksums is not None
        try:
            text = read_text(self.checksums)
        except TransferError as error:
            raise UserError(f"{self.checksums}: could not be downloaded: {error}") from None
        wanted = unquote(PurePosixPath(self.origin).name)
        found = find_sum(text, wanted)
        if found is None:
            raise UserError(f"{self.checksums}: has not one checksum of {wanted}")
        return found

    def _note(self, file: Path, sha256: str) -> None:
        """Note the sha256 of a verified file beside it, and where the file is from."""
        text = f"# {self.identity}\n{sha256}  {file.name}\n"
        _note_of(file).write_text(text, encoding="utf-8")

    def _noted(self, file: Path) -> str | None:
        """Return the sha256 that was noted; None if there is no note, or one of another address."""
        try:
            whose, line = _note_of(file).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return None
        sha256, _, name = line.partition("  ")
        ours = (whose, name) == (f"# {self.identity}", file.name)
        return sha256 if ours and len(sha256) == _SHA256 else None


def _transferred(
    address: str, partial: Path, expected: Checksum
) -> tuple[str | None, Checksum | None]:
    """Download what is missing; return the problem, if any, and the sum of what is there then.

    The sum may be right in spite of a problem: a server that says a wrong length breaks off after
    the last byte.
    """
    from online_rnnlm.corpora.transfer import TransferError, transfer  # noqa: PLC0415

    problem = None
    try:
        transfer(address, partial)
    except TransferError as error:
        problem = str(error)
    return problem, expected.of(partial) if partial.exists() else None


def on_hugging_face(data_set: str, revision: str, path: str, name: str) -> RemoteFile:
    """Return a large file of a data set at a fixed revision; its Git LFS pointer has its sha256."""
    place = f"https://huggingface.co/datasets/{data_set}"
    address = f"{place}/resolve/{revision}/{path}"
    return RemoteFile((address,), name, checksums=f"{place}/raw/{revision}/{path}")


def find_sum(text: str, name: str) -> Checksum | None:
    """Return the sum of a file in a list of sums; None if there is none, or if there are several.

    The list is what `sha256sum` or the like writes, in its usual form or with `--tag`, a single
    sum, or a Git LFS pointer.
    """
    pointer = _POINTER.search(text)
    if pointer:
        return Checksum("sha256", pointer[1])
    listed = list(_listed(text))
    for wanted in ({name}, {path for path, _ in listed if PurePosixPath(path).name == name}):
        sums = {digits.lower() for path, digits in listed if path in wanted}
        if sums:
            return _checksum(sums.pop()) if len(sums) == 1 else None
    single = re.fullmatch(_SUM, text.strip())
    return _checksum(single[1]) if single else None


def _listed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the paths in a list of sums, each with its sum."""
    for line in map(str.strip, text.split("\n")):
        usual = re.fullmatch(rf"\\?{_SUM} [ *](?:\./)?(.+)", line)
        tagged = re.fullmatch(rf"\\?[\w-]+ \((?:\./)?(.+)\) = {_SUM}", line)
        found = (usual[2], usual[1]) if usual else tagged and (tagged[1], tagged[2])
        if found:
            path, digits = found
            yield _unescaped(path) if line.startswith("\\") else path, digits


def _unescaped(path: str) -> str:
    """Return a path as it is; it is escaped in a line of a list that begins with a backslash."""
    return re.sub(r"\\[\\nr]", lambda found: _ESCAPED[found[0]], path)


def _checksum(digits: str) -> Checksum:
    return Checksum(_ALGORITHMS[len(digits)], digits.lower())


def _note_of(file: Path) -> Path:
    return file.with_name(f"{file.name}{NOTE}")


def _wrong(what: str, found: Checksum, expected: Checksum) -> str:
    return f"{what}: {found}, not the expected {expected.digits}"
