"""The user's text files, compressed or not: their lines, tokenised sentences and articles.

Damaged text is always an error.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import stat
import textwrap
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import sha256_of

Item = TypeVar("Item")
UNKNOWN = "<unk>"
SENTENCE_END = "</s>"
Numbered = tuple[str, int]
"""A sentence, one space between its tokens, and the number of its article."""
_JSON_LINES = (".jsonl", ".ndjson", ".json")
"""The suffixes of files with a JSON object on each line."""
_PARQUET = ".parquet"
_ROWS = 1000
"""Number of rows of a Parquet file that are in memory at a time."""


def _open_zst(path: Path, mode: str) -> IO[bytes]:
    import pyarrow as pa  # noqa: PLC0415  # it takes time to load

    return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))


OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _open_zst,
}
"""The functions that open compressed files, by suffix."""
BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, lzma.LZMAError, zlib.error)
BYTE_ORDER_MARK = "\ufeff"
"""A mark that stands at the start of files, and where such files were put together."""
_NO_TEXT = re.compile("[\0\udc80-\udcff]")
"""A NUL byte, or a byte that is no UTF-8, which is read as half of a surrogate pair."""
_NO_STRING = re.compile("[\0\ud800-\udfff]")
"""A NUL byte, or half of a surrogate pair."""
_WHY_NO_TEXT = (
    "no UTF-8 text: it is another kind of file, or in another encoding such as UTF-16, or "
    f"compressed without a name that ends in {', '.join(OPENERS)}"
)


def inner_suffix(path: Path) -> str:
    """The suffix without that of a compression, in lower case: `.jsonl` of `articles.JSONL.xz`."""
    compressed = path.suffix.lower() in OPENERS
    return (path.with_suffix("") if compressed else path).suffix.lower()


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressed by its suffix; raises UserError if it cannot be read."""
    why = why_no_file(path)
    if why is not None:
        raise UserError(f"{path}: {why}")
    try:
        stream: IO[bytes] = OPENERS.get(path.suffix.lower(), open)(path, "rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    return stream


def why_no_file(path: Path) -> str | None:
    """Return why a path is no file that can be read again and again; None if it is one."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return str(error.strerror).lower()
    if stat.S_ISDIR(mode):
        return "is a directory, not a file"
    if not stat.S_ISREG(mode):
        return "is not a regular file: it cannot be read twice"
    try:
        path.open("rb").close()
    except OSError as error:
        return str(error.strerror).lower()
    return None


@contextmanager
def unchanged(files: Sequence[Path], sums: Mapping[str, str]) -> Iterator[None]:
    """Let the block read files only as they were when their sums were computed.

    Raises UserError before the block, or at its end, if one has another sum, or had none.
    """
    _refuse_changed(files, sums)
    yield
    _refuse_changed(files, sums)


def _refuse_changed(files: Iterable[Path], sums: Mapping[str, str]) -> None:
    for file in files:
        why = why_no_file(file)
        if why is None and sha256_of(file) != sums.get(str(file)):
            why = "has changed since this start"
        if why is not None:
            raise UserError(f"{file}: {why}: start the experiment again")


def read_lines(path: Path) -> Iterator[str]:
    """Stream the lines of a UTF-8 text file without their ends, which are LF, CR LF or CR.

    Byte order marks are left out. Raises UserError, naming the file and the line, if the file is
    damaged or no UTF-8 text.
    """
    with open_bytes(path) as file:
        yield from lines_in(file, path)


def lines_in(stream: IO[bytes], name: Path) -> Iterator[str]:
    """Stream the lines of an open UTF-8 text, such as standard input, as `read_lines` does."""
    number = 0
    try:
        for number, raw in enumerate(stream, 1):
            text = raw.decode("utf-8", "surrogateescape")
            if _NO_TEXT.search(text):
                raise UserError(f"{name}, line {number}: {_WHY_NO_TEXT}")
            # A CR that is not before the LF ends a line, too.
            ended = text.removesuffix("\n").removesuffix("\r")
            yield from ended.replace(BYTE_ORDER_MARK, "").split("\r")
    except BROKEN as error:
        where = f"after line {number}" if number else "at its start"
        raise UserError(f"{name}: damaged {where}: {error}") from None


def refuse_none(items: Iterable[Item], origin: object) -> Iterator[Item]:
    """Yield the items; raises UserError at the end if there was none, and names their origin."""
    found = False
    for item in items:
        found = True
        yield item
    if not found:
        raise UserError(f"{origin}: no text in it: the file is empty")


def read_tokenised(files: Sequence[Path]) -> Iterator[Numbered]:
    """Read the sentences of tokenised files, one a line; empty lines divide articles.

    Articles are numbered from 0; a file begins a new one. `<UNK>` is read as `<unk>`. Raises
    UserError if a file has no sentence, or contains `</s>`.
    """
    return number_articles(refuse_none(_sentences(file), file) for file in files)


def number_articles(files: Iterable[Iterable[tuple[str, bool]]]) -> Iterator[Numbered]:
    """Number the articles of the sentences of files, given whether a sentence begins an article."""
    article = -1
    for sentences in files:
        for sentence, begins in sentences:
            article += begins
            yield sentence, article


def _sentences(file: Path) -> Iterator[tuple[str, bool]]:
    begins = True
    for number, line in enumerate(read_lines(file), 1):
        words = words_at(line, file, number)
        if words:
            yield " ".join(words), begins
        begins = not words


def words_of(sentence: str) -> list[str]:
    """Divide a tokenised sentence at spaces and tabs; the word `<UNK>` is read as `<unk>`.

    All other characters belong to words, a no-break space included; only byte order marks are left
    out. Raises UserError, without the place in the text, if the sentence contains `</s>`.
    """
    without_marks = sentence.replace(BYTE_ORDER_MARK, "").replace("\t", " ")
    words = [word for word in without_marks.split(" ") if word]
    if "<UNK>" in words:
        words = [UNKNOWN if word == "<UNK>" else word for word in words]
    if SENTENCE_END in words:
        raise UserError(
            f"`{SENTENCE_END}` is reserved: every sentence's end stands for it already, "
            "take it out of the text"
        )
    return words


def words_at(sentence: str, file: Path, line: int) -> list[str]:
    """Divide a sentence of a file as `words_of` does; the UserError names the file and the line."""
    try:
        return words_of(sentence)
    except UserError as error:
        raise UserError(f"{file}, line {line}: {error}") from None


def check_text(text: Any, where: str, *, one_line: bool = True) -> None:
    """Raise UserError if it is no string, or has NUL, surrogates or, if `one_line`, a line end."""
    if not isinstance(text, str):
        shown = textwrap.shorten(repr(text), 80, placeholder=" …")
        raise UserError(f"{where}: text is needed, not {shown}")
    line = text.rstrip("\r\n")
    if _NO_STRING.search(line):
        raise UserError(f"{where}: a NUL byte, or half of a surrogate pair: this is no text")
    if one_line and ("\n" in line or "\r" in line):
        raise UserError(f"{where}: a line end within it: give every sentence a row of its own")


@dataclass(frozen=True)
class Article:
    """One article; `text` has one paragraph per line."""

    title: str
    text: str


def read_articles(*files: Path) -> Iterator[Article]:
    """Read the articles of files, one file after the other; those without text are left out.

    Raises UserError if a file is damaged, or has no text.
    """
    for file in files:
        articles = (article for article in read_all_articles(file) if article.text)
        yield from refuse_none(articles, file)


def read_all_articles(file: Path) -> Iterator[Article]:
    """Read the articles of a file, those without text, too.

    They are the JSON objects of a file with one on each line, the rows of a Parquet file, or the
    lines of a plain text file. Raises UserError if the file is damaged.
    """
    if inner_suffix(file) == _PARQUET:
        yield from _read_parquet(file)
        return
    for number, line in enumerate(read_lines(file), 1):
        if inner_suffix(file) in _JSON_LINES:
            yield _parse(line, f"{file}, line {number}")
        else:
            yield Article(title="", text=line.strip())


def has_articles(file: Path) -> bool:
    """True if a file's name, compressed or not, means that it has articles, not only lines."""
    return inner_suffix(file) in {_PARQUET, *_JSON_LINES}


def _parse(line: str, where: str) -> Article:
    """Read a line of a file with a JSON object on each; an empty line has no text."""
    if not line.strip():
        return Article(title="", text="")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise UserError(f"{where}: a JSON object with a string `text` is needed")
    return _article(row, where)


def _read_parquet(file: Path) -> Iterator[Article]:
    """Read the columns `text` and `title`; the title may be missing."""
    import pyarrow as pa  # noqa: PLC0415  # it takes time to load
    from pyarrow import parquet  # noqa: PLC0415

    number = 0
    try:
        with parquet.ParquetFile(file) as rows:
            for batch in rows.iter_batches(_ROWS, columns=["text", "title"]):
                for row in batch.to_pylist():
                    number += 1
                    yield _article(row, f"{file}, row {number}")
    except (pa.ArrowException, UnicodeDecodeError, *BROKEN) as error:
        what = str(error).splitlines()[0]
        raise UserError(f"{file}: damaged after row {number}: {what}") from None


def _article(row: dict[str, Any], where: str) -> Article:
    """Check an article's fields."""
    if not isinstance(row.get("text"), str):
        raise UserError(f"{where}: a string `text` is needed")
    text = row["text"]
    title = str(row.get("title") or "")
    for key, value in (("text", text), ("title", title)):
        check_text(value, f"{where}: `{key}`", one_line=False)
    return Article(title=title, text=text.replace(BYTE_ORDER_MARK, "").strip())
