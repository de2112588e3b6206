"""Every kind of source becomes articles: a title and paragraphs of plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from online_rnnlm.config.corpora import CorpusSettings, PackagedSource, Source, TextSource
from online_rnnlm.corpora.download import verify
from online_rnnlm.corpora.dump import read_dump
from online_rnnlm.corpora.packaged import PACKAGED
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.textfiles import inner_suffix, read_lines
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory
from online_rnnlm.storage.records import CorpusSource

Item = TypeVar("Item")

STAGES = ("fetch", "articles", "sentences", "splits", "vocabulary", "encode")
DISAMBIGUATION = "may refer to"
DISAMBIGUATION_WITHIN = 200


@dataclass(frozen=True)
class Article:
    """One article; `text` has a paragraph a line, `topic` is what it is about, if that is known."""

    title: str
    text: str
    topic: str | None = None


def stages(source: Source) -> tuple[str, ...]:
    """The stages that a source goes through, in order.

    A text of the user's needs no `fetch`; if it is tokenised, or divided already, `splits` reads
    the user's files themselves.
    """
    if isinstance(source, PackagedSource):
        return STAGES
    if source.tokenised or source.file is None:
        return STAGES[3:]
    return STAGES[1:]


def user_files(source: Source) -> list[Path]:
    """The user's files that the first of the stages reads."""
    if isinstance(source, PackagedSource):
        return []
    return [file for file in (source.file, source.train, source.valid, source.test) if file]


def ready_files(source: Source) -> dict[str, Path] | None:
    """The user's ready file of every split, if the source is such files."""
    if isinstance(source, PackagedSource) or source.file is not None:
        return None
    return dict(zip(SPLITS, user_files(source), strict=True))


def describe(source: Source) -> CorpusSource:
    """What the source is, for statistics and reports."""
    if isinstance(source, PackagedSource):
        packaged = PACKAGED[source.kind]
        return CorpusSource(
            kind=source.kind,
            title=packaged.title,
            licence=packaged.licence,
            origin=packaged.origin,
        )
    files = user_files(source)
    names = ", ".join(file.name for file in files)
    origin = ", ".join(str(file) for file in files)
    return CorpusSource(kind=source.kind, title=names, licence=None, origin=origin)


def count_articles(source: Source, directory: CorpusDirectory) -> int | None:
    """Number of articles, or None for text that is not divided into articles."""
    if "articles" not in stages(source):
        return None
    if isinstance(source, TextSource) and source.file is not None and not is_jsonl(source.file):
        return None
    return sum(1 for _ in read_lines(directory.articles))


def write_articles(settings: CorpusSettings, downloads: Path, out: Path, processes: int) -> None:
    """Write the source's articles, one JSON object a line.

    Raises UserError for a source that is missing, damaged or without an article.
    """
    source = settings.source
    if isinstance(source, PackagedSource):
        packaged = PACKAGED[source.kind]
        file = packaged.path(downloads)
        verify(file, packaged.sha256)
        vital = source.kind == "wikipedia-vital"
        articles = read_summaries(file) if vital else _dump_articles(file, processes)
    elif source.file is not None:
        file = source.file
        articles = read_articles(file)
    else:
        raise UserError("three ready files have no articles: `splits` reads them as they are")
    _write(articles, file, out)


def _write(articles: Iterable[Article], source: Path, out: Path) -> None:
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        for article in progress(refuse_none(articles, source), "articles"):
            row = {"title": article.title, "text": article.text}
            if article.topic:
                row["topic"] = article.topic
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def refuse_none(items: Iterable[Item], file: Path) -> Iterator[Item]:
    """The items as they come; raises UserError at the end if there was none."""
    found = False
    for item in items:
        found = True
        yield item
    if not found:
        raise UserError(f"{file}: no text in it: the file is empty")


def read_articles(file: Path) -> Iterator[Article]:
    """The articles of a `.jsonl` file, or of plain text, where every line is one of its own."""
    lines = enumerate(read_lines(file), 1)
    if is_jsonl(file):
        articles = (_parse(file, number, line) for number, line in lines if line.strip())
    else:
        articles = (Article(title="", text=line.strip()) for _, line in lines)
    yield from refuse_none((article for article in articles if article.text), file)


def is_jsonl(file: Path) -> bool:
    """Whether a file's name, compressed or not, says that it has a JSON object a line."""
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


def read_summaries(file: Path) -> Iterator[Article]:
    """The lead sections of `wikipedia-vital`; pages that only list meanings are left out."""
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    for title, row in rows.items():
        text = row["extract"].strip()
        if text and DISAMBIGUATION not in text[:DISAMBIGUATION_WITHIN]:
            yield Article(title=title, text=text, topic=row["topic"])


def _dump_articles(file: Path, processes: int) -> Iterator[Article]:
    return (Article(title=title, text=text) for title, text in read_dump(file, processes))
