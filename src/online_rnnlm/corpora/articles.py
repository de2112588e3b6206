"""Articles, each a title and paragraphs of plain text, and the files that contain them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from online_rnnlm.config.yaml_files import each_key_once
from online_rnnlm.corpora.textfiles import (
    BROKEN,
    BYTE_ORDER_MARK,
    inner_suffix,
    read_lines,
    refuse_none,
    why_no_file,
)
from online_rnnlm.errors import UserError

JSON_LINES = (".jsonl", ".ndjson", ".json")
"""The suffixes of files with a JSON object on each line."""
PARQUET = ".parquet"
_ROWS = 1000
"""Number of rows of a Parquet file that are in memory at a time."""


@dataclass(frozen=True)
class Article:
    """One article; `text` has one paragraph per line, and `topic` is None if it is not known."""

    title: str
    text: str
    topic: str | None = None


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
    if inner_suffix(file) == PARQUET:
        yield from _read_parquet(file)
        return
    parse = _parse if inner_suffix(file) in JSON_LINES else _plain
    for number, line in enumerate(read_lines(file), 1):
        yield parse(f"{file}, line {number}", line)


def why_not_plain(file: Path) -> str | None:
    """Return why a file cannot have tokenised text, given its name; None if it can."""
    if not has_articles(file):
        return None
    return f"tokenised text must be plain, a sentence a line, not `{inner_suffix(file)}`"


def has_articles(file: Path) -> bool:
    """True if a file's name, compressed or not, means that it has articles, not only lines."""
    return inner_suffix(file) in {PARQUET, *JSON_LINES}


def _plain(where: str, line: str) -> Article:
    return Article(title="", text=line.strip())


def _parse(where: str, line: str) -> Article:
    if not line.strip():
        return Article(title="", text="")
    try:
        row = json.loads(line, object_pairs_hook=each_key_once)
    except ValueError as error:
        raise UserError(f"{where}: not JSON: {error}") from None
    except RecursionError:
        raise UserError(f"{where}: not JSON: nested too deeply") from None
    if not isinstance(row, dict):
        raise UserError(f"{where}: a JSON object with a string `text` is needed")
    return _article(row, where)


def _read_parquet(file: Path) -> Iterator[Article]:
    """Read the columns `text`, `title` and `topic`; the last two may be missing."""
    import pyarrow as pa  # noqa: PLC0415  # it takes time to load
    from pyarrow import parquet  # noqa: PLC0415

    why = why_no_file(file)
    if why is None and file.suffix.lower() != PARQUET:
        why = "a Parquet file is compressed in itself: unpack it"
    if why is not None:
        raise UserError(f"{file}: {why}")
    number = 0
    try:
        with parquet.ParquetFile(file) as rows:
            names = rows.schema_arrow.names
            if "text" not in names:
                raise UserError(f"{file}: a column `text` is needed; there are {', '.join(names)}")
            columns = [name for name in ("text", "title", "topic") if name in names]
            for name in columns:
                if names.count(name) > 1:
                    raise UserError(f"{file}: has {names.count(name)} columns `{name}`")
            for batch in rows.iter_batches(batch_size=_ROWS, columns=columns):
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
    title, topic = row.get("title") or "", row.get("topic") or ""
    if not isinstance(topic, str):
        raise UserError(f"{where}: `topic` must be a string where there is one")
    for key, value in (("text", row["text"]), ("title", str(title)), ("topic", topic)):
        _refuse_what_is_no_text(value, f"{where}: `{key}`")
    text = row["text"].replace(BYTE_ORDER_MARK, "").strip()
    return Article(title=str(title), text=text, topic=topic.strip() or None)


def _refuse_what_is_no_text(value: str, where: str) -> None:
    if "\0" in value:
        raise UserError(f"{where}: a NUL character: this is no text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            place = error.start + 1
            raise UserError(f"{where}, character {place}: half of a surrogate pair") from None
