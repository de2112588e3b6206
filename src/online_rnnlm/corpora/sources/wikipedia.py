"""Cleaned articles of Wikipedia from a data set of the Wikimedia Foundation, or from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from online_rnnlm.config.sources import WikipediaSource
from online_rnnlm.corpora.articles import Article, read_all_articles
from online_rnnlm.corpora.remote import RemoteFile, on_hugging_face
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import refuse_none
from online_rnnlm.corpora.users_files import named

_DATA_SET, _REVISION = "wikimedia/wikipedia", "b04c8d1ceb2f5cd4588862100d08de323dccfbaa"
_SHARDS = 41


class Source(base.Source[WikipediaSource]):
    """A Parquet file at a pinned address; no more articles of it are read than needed."""

    def downloads(self) -> Sequence[RemoteFile]:
        """The pinned file, or the one of the settings; none if the user has a file."""
        settings = self.settings
        if settings.file is not None:
            return []
        if settings.url is not None:
            return [RemoteFile.of(settings.url)]
        name = f"train-{settings.shard:05}-of-{_SHARDS:05}.parquet"
        path = f"20231101.en/{name}"
        return [on_hugging_face(_DATA_SET, _REVISION, path, f"wikipedia-20231101-en-{name}")]

    def user_files(self) -> list[tuple[str, Path]]:
        """The setting `file`."""
        return named(self.settings, [base.WHOLE])

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read articles, in one process, until they have the number of words of the settings."""
        words = 0
        for file in self.files(downloads):
            for article in refuse_none(read_all_articles(file), file):
                if words >= self.settings.words:
                    return
                words += article.text.count(" ") + article.text.count("\n") + bool(article.text)
                yield article

    def describe(self) -> base.Description:
        """The data set with its licence; another text has an unknown one."""
        if self.settings.file is not None or self.settings.url is not None:
            return base.Description(f"Wikipedia, {self.names()}", None, self.places())
        title = f"English Wikipedia of 1 November 2023, part {self.settings.shard} of {_SHARDS}"
        return base.Description(title, "CC BY-SA 3.0, GFDL", self.places())
