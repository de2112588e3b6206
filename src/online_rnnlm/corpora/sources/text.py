"""The user's own text: one text to be split, or three ready splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from online_rnnlm.config.sources import TextSource
from online_rnnlm.corpora.articles import Article, has_articles, read_all_articles
from online_rnnlm.corpora.remote import RemoteFile
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import refuse_none
from online_rnnlm.corpora.users_files import named
from online_rnnlm.storage.paths import SPLITS


class Source(base.Source[TextSource]):
    """Text files, compressed or not: plain, or with articles."""

    def downloads(self) -> Sequence[RemoteFile]:
        """The file at an address, if there is one."""
        return [RemoteFile.of(self.settings.url)] if self.settings.url else []

    def user_files(self) -> list[tuple[str, Path]]:
        """The setting `file`, or `train`, `valid` and `test`."""
        return named(self.settings, (base.WHOLE, *SPLITS))

    @property
    def ready(self) -> bool:
        """True if the text is tokenised or in three files."""
        return self.tokenised or self.settings.train is not None

    @property
    def tokenised(self) -> bool:
        """True if the settings say so."""
        return self.settings.tokenised

    def text_files(self, downloads: Path) -> base.Files:
        """The files of the whole text, or of each split."""
        settings = self.settings
        if settings.train is None:
            return {base.WHOLE: self.files(downloads)}
        return base.files_of_splits(settings)

    def counts_articles(self) -> bool:
        """True only for a whole text in files with articles."""
        names = [file for _, file in self.user_files()] or [Path(d.name) for d in self.downloads()]
        return super().counts_articles() and all(map(has_articles, names))

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles of the whole text, in one process; an empty file is an error."""
        for file in self.files(downloads):
            yield from refuse_none(read_all_articles(file), file)

    def describe(self) -> base.Description:
        """The files' names and paths, or the address; the licence is not known."""
        return base.Description(self.names(), None, self.places())
