"""Transfers of files by HTTP, which go on where a broken connection left them."""

from __future__ import annotations

import email.utils
import logging
import re
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import requests
import urllib3
from tqdm import tqdm

logger = logging.getLogger(__name__)
Done = TypeVar("Done")

ATTEMPTS = 6
"""Number of attempts in a row that bring nothing new, after which an address is given up."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""Bounds of the waiting times between attempts (s); each is twice the one before."""
_TIMEOUT = (20.0, 60.0)
"""Longest times for a connection, and between two pieces of an answer (s)."""
_PIECE = 1 << 16
_LONGEST_TEXT = 1 << 24
"""Number of bytes of a text that `read_text` reads at most."""
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may have what is asked for later."""
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class TransferError(Exception):
    """An address that cannot be downloaded, with the reason in one line."""


class _Again(Exception):
    """An attempt that failed for a reason that may pass."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait
        """The time that the server asks to wait (s); None if it does not say."""


def transfer(address: str, partial: Path) -> None:
    """Download a file to `partial`, which may hold its beginning; it is then continued.

    Raises TransferError if the server does not have the file, or if ATTEMPTS in a row fail; what
    has been downloaded stays.
    """
    with _session() as session:
        _until_done(address, lambda: _attempt(session, address, partial), lambda: _size(partial))


def read_text(address: str) -> str:
    """Return a short text at an address; raises TransferError as `transfer` does."""
    with _session() as session:
        return _until_done(address, lambda: _read_text(session, address), lambda: 0)


def _until_done(address: str, attempt: Callable[[], Done], size: Callable[[], int]) -> Done:
    """Repeat an attempt, with growing pauses, until it succeeds; return its result.

    Raises TransferError if ATTEMPTS in a row fail that do not make `size` grow.
    """
    most, failed, wait = size(), 0, FIRST_WAIT
    while True:
        try:
            return attempt()
        except _Again as error:
            if size() > most:
                most, failed, wait = size(), 0, FIRST_WAIT
            failed += 1
            if failed >= ATTEMPTS:
                raise TransferError(f"{error}; given up after {failed} attempts") from None
            pause = min(max(wait, error.wait or 0), LONGEST_WAIT)
            logger.warning("%s: %s; again in %g s", address, error, pause)
            time.sleep(pause)
            wait *= 2


def _session() -> requests.Session:
    session = requests.Session()
    try:
        ours = version("online-rnnlm")
    except PackageNotFoundError:  # run from a checkout
        ours = "0"
    session.headers["User-Agent"] = (
        f"online-rnnlm/{ours} (reproduction of https://aclanthology.org/D15-1026) "
        f"python-requests/{version('requests')}"
    )
    # Compressed answers would have other sums and other lengths.
    session.headers["Accept-Encoding"] = "identity"
    return session


def _attempt(session: requests.Session, address: str, partial: Path) -> None:
    """Download what is missing; raises _Again or TransferError if it does not all arrive."""
    have = _size(partial)
    headers = {"Range": f"bytes={have}-"} if have else {}
    with _answer(session, address, headers) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            if have and _total(answer) == have:
                return  # It was complete.
            partial.unlink(missing_ok=True)
            raise _Again("the server has less than what was downloaded before: it begins anew")
        continues = answer.status_code == requests.codes.partial_content
        if continues and _start(answer) != have:
            partial.unlink(missing_ok=True)
            raise _Again("the server sends another part than was asked for")
        with partial.open("ab" if continues else "wb") as file:
            for piece in _pieces(answer, address, have if continues else 0):
                file.write(piece)


def _answer(session: requests.Session, address: str, headers: dict[str, str]) -> requests.Response:
    """Return the server's answer, redirects followed; raises _Again or TransferError."""
    try:
        answer = session.get(address, headers=headers, stream=True, timeout=_TIMEOUT)
    except (requests.exceptions.SSLError, requests.TooManyRedirects, ValueError) as error:
        raise TransferError(_reason(error)) from None
    except _BROKEN as error:
        raise _Again(_reason(error)) from None
    if answer.ok or answer.status_code == requests.codes.requested_range_not_satisfiable:
        return answer
    answer.close()
    said = f"the server answers {answer.status_code} {answer.reason}"
    if answer.status_code in _BUSY:
        raise _Again(said, _retry_after(answer))
    raise TransferError(said)


def _pieces(answer: requests.Response, address: str, have: int) -> Iterator[bytes]:
    """Yield the pieces of an answer and show the progress; raises _Again if it breaks off."""
    length = answer.headers.get("Content-Length", "")
    # More digits are no length of a file, and Python refuses to read thousands of them.
    total = have + int(length) if re.fullmatch("[0-9]{1,18}", length) else None
    name = address.rpartition("/")[2]
    bar = tqdm(
        total=total, initial=have, desc=name, unit="B", unit_scale=True, disable=None, leave=False
    )
    with bar:
        try:
            for piece in answer.raw.stream(_PIECE, decode_content=False):
                bar.update(len(piece))
                yield piece
        except _BROKEN as error:
            raise _Again(f"the connection broke off: {_reason(error)}") from None


def _read_text(session: requests.Session, address: str) -> str:
    content = bytearray()
    with _answer(session, address, {}) as answer:
        for piece in _pieces(answer, address, 0):
            content += piece
            if len(content) > _LONGEST_TEXT:
                raise TransferError("too long for a list of checksums")
    return content.decode("utf-8", errors="replace")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _start(answer: requests.Response) -> int | None:
    """Return the place at which a part of a file starts."""
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _total(answer: requests.Response) -> int | None:
    """Return the file's size, which the server says when it cannot send the part asked for."""
    found = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _retry_after(answer: requests.Response) -> float | None:
    """Return the time to wait that the server asks for (s): a number, or a date."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None


def _reason(error: BaseException) -> str:
    """Return the innermost reason of an error of the network, in one line."""
    text = str(error)
    for known, said in (
        ("Name or service not known", "no such host; is there a network?"),
        ("Failed to resolve", "no such host; is there a network?"),
        ("name resolution", "no such host; is there a network?"),
        ("Connection refused", "the connection is refused"),
        ("Network is unreachable", "there is no network"),
        ("timed out", "no answer in time"),
        ("Remote end closed connection", "the server ends the connection"),
        ("Connection reset", "the server ends the connection"),
    ):
        if known in text:
            return said
    return " ".join(text.split())[:200] or type(error).__name__
