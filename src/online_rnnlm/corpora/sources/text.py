"""The user's own text: one text to be split, or three ready splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from online_rnnlm.config.sources import TextSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import Article, has_articles, read_all_articles, refuse_none


class Source(base.FileSource[TextSource]):
    """Text files, compressed or not: plain, or with articles."""

    def own_files(self) -> Mapping[str, Sequence[Path]]:
        """The files of the whole text, or of its splits."""
        given = self.settings
        splits = {"train": given.train or [], "valid": given.valid or [], "test": given.test or []}
        return {**super().own_files(), **splits}

    @property
    def tokenised(self) -> bool:
        """True if the settings say so."""
        return self.settings.tokenised

    @property
    def skips_sentences(self) -> bool:
        """True if the text is tokenised, or its splits are ready."""
        return self.tokenised or self.settings.train is not None

    def counts_articles(self) -> bool:
        """True only for a whole text in files with articles."""
        return super().counts_articles() and all(map(has_articles, self.files(Path())))

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles of the whole text, in one process; an empty file is an error."""
        for file in self.files(downloads):
            yield from refuse_none(read_all_articles(file), file)
