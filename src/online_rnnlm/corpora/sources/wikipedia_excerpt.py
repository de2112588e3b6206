"""An excerpt of a real MediaWiki dump of Wikipedia, packaged unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from online_rnnlm.config.sources import WikipediaExcerptSource
from online_rnnlm.corpora.downloads import packaged
from online_rnnlm.corpora.sources.base import PackagedSource
from online_rnnlm.corpora.textfiles import Article


class Source(PackagedSource[WikipediaExcerptSource]):
    """An excerpt of 206 pages, 99 of them redirects."""

    download = packaged(
        requirement="gensim==4.4.0",
        member="gensim/test/test_data/"
        "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
        sha256="a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d",
    )
    title = "English Wikipedia, an excerpt of a MediaWiki dump"
    licence = "CC BY-SA 3.0"

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the pages that are not redirects, parsed in so many processes."""
        from online_rnnlm.corpora.dump import read_dump

        return read_dump(downloads / self.download.name, processes)
