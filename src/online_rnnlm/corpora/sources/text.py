"""The user's own text: one text to be split, or three ready splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from online_rnnlm.config.sources import TextSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import Article, has_articles, read_all_articles, refuse_none


class Source(base.Source[TextSource]):
    """Text files, compressed or not: plain, or with articles."""

    def counts_articles(self) -> bool:
        """True only for a whole text in files with articles."""
        return super().counts_articles() and all(map(has_articles, self.files(Path())))

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles of the whole text, in one process; an empty file is an error."""
        for file in self.files(downloads):
            yield from refuse_none(read_all_articles(file), file)
