"""The base class of all kinds of sources, and the descriptions that they give of themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from online_rnnlm.config.base import Settings
from online_rnnlm.corpora.articles import Article, why_not_plain
from online_rnnlm.corpora.download import Download
from online_rnnlm.corpora.users_files import expanded, named
from online_rnnlm.storage.paths import SPLITS

if TYPE_CHECKING:
    from online_rnnlm.corpora.numbering import Numbered

STAGES = ("fetch", "articles", "sentences", "splits", "vocabulary", "encode")
"""All stages of the preparation of a text, in order."""
COUNTING_STAGES = ("articles", "sentences", "splits")
"""The stages that count what they read and drop."""
WHOLE = "file"
"""The key of the files of a text that is to be divided."""

AnySettings = TypeVar("AnySettings", bound=Settings)
Files = dict[str, list[Path]]
"""The files of each split, or those of the whole text under `WHOLE`."""


@dataclass(frozen=True)
class Description:
    """A description of a source, for statistics and reports."""

    title: str
    licence: str | None
    """None if it is not known."""
    origin: str
    """The origin of the text."""


class Source(ABC, Generic[AnySettings]):
    """The source of a corpus's text.

    A kind of source must define `describe`, and `articles` or, if its sentences are known, `ready`
    and `sentences`. One that needs files must also define `downloads` or `user_files`.
    """

    def __init__(self, settings: AnySettings) -> None:
        self.settings = settings

    @abstractmethod
    def describe(self) -> Description:
        """Describe the source."""

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles in order; the result does not depend on the number of processes.

        Those without text are among them. `downloads` is the folder of the source's verified
        downloads. Raises UserError if a file is missing or damaged.
        """
        raise NotImplementedError

    def downloads(self) -> Sequence[Download]:
        """The files to be downloaded before anything is read."""
        return ()

    def user_files(self) -> list[tuple[str, Path]]:
        """The user's own files that are read, each with the key of the setting that names it."""
        return []

    @property
    def ready(self) -> bool:
        """True if the text skips the stages `articles` and `sentences`.

        Its splits are then known, or at least its sentences.
        """
        return False

    @property
    def tokenised(self) -> bool:
        """True if the sentences of a text that is `ready` are known: `sentences` reads them."""
        return self.ready

    def text_files(self, downloads: Path) -> Files:
        """The files of a text that is `ready`."""
        return {}

    def sentences(self, files: Sequence[Path]) -> Iterator[Numbered]:
        """Read the sentences of tokenised files, each with the number of its article, from 0.

        Raises UserError if a file has no sentence, or is damaged.
        """
        from online_rnnlm.corpora.tokenised import read_sentences

        return read_sentences(files)

    def why_not(self, file: Path) -> str | None:
        """Say why this source does not read a file of that name; None if it does."""
        return why_not_plain(file) if self.tokenised else None

    def counts_articles(self) -> bool:
        """True if the number of articles is known, and not only that of paragraphs."""
        return not self.ready

    def stages(self) -> tuple[str, ...]:
        """The stages that the text goes through, in order."""
        first = "splits" if self.ready else "articles"
        fetch = STAGES[:1] if self.downloads() else ()
        return (*fetch, *STAGES[STAGES.index(first) :])

    def files(self, downloads: Path) -> list[Path]:
        """All files that are read by the first stage after `fetch`."""
        fetched = [download.path(downloads) for download in self.downloads()]
        return [*fetched, *(file for _, file in self.user_files())]

    def names(self) -> str:
        """The names of all these files, for a description."""
        return ", ".join(
            [*(one.name for one in self.downloads()), *(file.name for _, file in self.user_files())]
        )

    def places(self) -> str:
        """The addresses or paths of all these files, for a description."""
        return ", ".join(
            [
                *(one.origin for one in self.downloads()),
                *(str(file) for _, file in self.user_files()),
            ]
        )


class ReadySplits(Source[AnySettings]):
    """A source whose settings `train`, `valid` and `test` name tokenised files of the user's."""

    def user_files(self) -> list[tuple[str, Path]]:
        """The settings `train`, `valid` and `test`."""
        return named(self.settings, SPLITS)

    @property
    def ready(self) -> bool:
        """True: the splits are known."""
        return True

    def text_files(self, downloads: Path) -> Files:
        """The files of each split."""
        return files_of_splits(self.settings)


def files_of_splits(settings: Settings) -> Files:
    """Return the files of the settings `train`, `valid` and `test`."""
    return {split: expanded(getattr(settings, split)) for split in SPLITS}
