"""A MediaWiki dump, from files or from an address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from online_rnnlm.config.sources import DumpSource
from online_rnnlm.corpora.articles import Article
from online_rnnlm.corpora.remote import RemoteFile
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.users_files import named


class Source(base.Source[DumpSource]):
    """All articles of a dump, without redirects and pages of other kinds."""

    def downloads(self) -> Sequence[RemoteFile]:
        """The file at an address, if there is one."""
        return [RemoteFile.of(self.settings.url)] if self.settings.url else []

    def user_files(self) -> list[tuple[str, Path]]:
        """The setting `file`."""
        return named(self.settings, [base.WHOLE])

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles, parsed in so many processes."""
        from online_rnnlm.corpora.dump import read_dump

        for file in self.files(downloads):
            for title, text in read_dump(file, processes):
                yield Article(title=title, text=text)

    def describe(self) -> base.Description:
        """The settings' title and licence, and the files or the address."""
        title = self.settings.title or f"MediaWiki dump, {self.names()}"
        return base.Description(title, self.settings.licence, self.places())
