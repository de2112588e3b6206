"""Articles, each a title and paragraphs of plain text, and the files that contain them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from online_rnnlm.corpora.textfiles import inner_suffix, read_lines, refuse_none
from online_rnnlm.errors import UserError


@dataclass(frozen=True)
class Article:
    """One article; `text` has one paragraph per line, and `topic` is None if it is not known."""

    title: str
    text: str
    topic: str | None = None


def read_articles(file: Path) -> Iterator[Article]:
    """Read the articles of a `.jsonl` file, or of a plain text file with one article per line."""
    lines = enumerate(read_lines(file), 1)
    if is_jsonl(file):
        articles = (_parse(file, number, line) for number, line in lines if line.strip())
    else:
        articles = (Article(title="", text=line.strip()) for _, line in lines)
    yield from refuse_none((article for article in articles if article.text), file)


def is_jsonl(file: Path) -> bool:
    """True if a file's name, compressed or not, means one JSON object per line."""
    return inner_suffix(file) == ".jsonl"


def _parse(file: Path, number: int, line: str) -> Article:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(f"{file}, line {number}: not JSON: {error}") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise UserError(f"{file}, line {number}: a JSON object with a string `text` is needed")
    title, topic = row.get("title") or "", row.get("topic") or ""
    if not isinstance(topic, str):
        raise UserError(f"{file}, line {number}: `topic` must be a string where there is one")
    return Article(title=str(title), text=row["text"].strip(), topic=topic.strip() or None)
