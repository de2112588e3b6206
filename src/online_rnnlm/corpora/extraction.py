"""Extraction of a source's articles into `articles.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.download import verify
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.textfiles import read_lines, refuse_none
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import CorpusDirectory


def write_articles(settings: CorpusSettings, downloads: Path, out: Path, processes: int) -> None:
    """Write the source's articles, one JSON object per line.

    Raises UserError if the source is missing, is damaged or has no article.
    """
    source = source_of(settings.source)
    for download in source.downloads():
        verify(download.path(downloads), download.sha256)
    articles = refuse_none(source.articles(downloads, processes), source.describe().origin)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        for article in progress(articles, "articles"):
            row = {"title": article.title, "text": article.text}
            if article.topic:
                row["topic"] = article.topic
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def count_articles(settings: CorpusSettings, directory: CorpusDirectory) -> int | None:
    """Number of articles; None for text that is not divided into articles."""
    if not source_of(settings.source).counts_articles():
        return None
    return sum(1 for _ in read_lines(directory.articles))
