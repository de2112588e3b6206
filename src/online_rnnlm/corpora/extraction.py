"""Extraction of a source's articles into `articles.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.articles import Article
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.tally import EMPTY, Tally
from online_rnnlm.corpora.textfiles import refuse_none
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import CorpusDirectory

NO_ARTICLE = "no article, or only empty ones; redirects and other pages of a dump are none"


def write_articles(settings: CorpusSettings, downloads: Path, out: Path, processes: int) -> None:
    """Write the source's articles, one JSON object per line; those without text are counted.

    Raises UserError if the source is missing, is damaged or has no article.
    """
    source, tally = source_of(settings.source), Tally()
    for download in source.downloads():
        download.verify(download.path(downloads))
    found = tally.reading(source.articles(downloads, processes))
    articles = refuse_none(_with_text(found, tally), source.describe().origin, NO_ARTICLE)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        for article in progress(articles, "articles"):
            row = {"title": article.title, "text": article.text}
            if article.topic:
                row["topic"] = article.topic
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    tally.write(CorpusDirectory(out.parent), "articles")


def _with_text(articles: Iterable[Article], tally: Tally) -> Iterator[Article]:
    for article in articles:
        if article.text:
            yield article
        else:
            tally.drop(EMPTY)
