"""The user's own text: one file to be split, or three ready files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from online_rnnlm.config.corpora import TextSource
from online_rnnlm.corpora.articles import Article, is_jsonl, read_articles
from online_rnnlm.corpora.sources import base
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SPLITS


class Source(base.Source[TextSource]):
    """Text files, compressed or not, plain or with one JSON object per line."""

    def user_files(self) -> dict[str, Path]:
        """The setting `file`, or `train`, `valid` and `test`."""
        files = {key: getattr(self.settings, key) for key in ("file", *SPLITS)}
        return {key: file for key, file in files.items() if file}

    def ready_text(self) -> base.ReadyText | None:
        """The text, if it is tokenised or in three files; else None."""
        settings = self.settings
        if settings.file is None:
            return base.ReadyText(settings.tokenised, splits=self.user_files())
        return base.ReadyText(tokenised=True, whole=settings.file) if settings.tokenised else None

    def counts_articles(self) -> bool:
        """True only for a single file with one article per line."""
        file = self.settings.file
        return super().counts_articles() and file is not None and is_jsonl(file)

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles of `file`, in one process."""
        if self.settings.file is None:
            raise UserError("three ready files have no articles: `splits` reads them as they are")
        return read_articles(self.settings.file)

    def describe(self) -> base.Description:
        """The files' names and paths; their licence is not known."""
        files = self.user_files().values()
        names = ", ".join(file.name for file in files)
        return base.Description(names, None, ", ".join(map(str, files)))
