"""A MediaWiki dump, from files or from an address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from online_rnnlm.config.sources import DumpSource
from online_rnnlm.corpora.records import CorpusSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import Article


class Source(base.FileSource[DumpSource]):
    """All articles of a dump, without redirects and pages of other kinds."""

    def describe(self) -> CorpusSource:
        """Describe the dump by the settings `title` and `licence`, or by its files."""
        return self._described(self.settings.title, self.settings.licence)

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles, parsed in so many processes."""
        from online_rnnlm.corpora.dump import read_dump

        for file in self.files(downloads):
            yield from read_dump(file, processes)
