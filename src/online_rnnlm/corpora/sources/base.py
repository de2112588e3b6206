"""The base class of all kinds of sources, and the descriptions that they give of themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from online_rnnlm.config.base import Settings
from online_rnnlm.corpora.articles import Article
from online_rnnlm.corpora.download import Download

STAGES = ("fetch", "articles", "sentences", "splits", "vocabulary", "encode")
"""All stages of the preparation of a text, in order."""

AnySettings = TypeVar("AnySettings", bound=Settings)


@dataclass(frozen=True)
class Description:
    """A description of a source, for statistics and reports."""

    title: str
    licence: str | None
    """None if it is not known."""
    origin: str
    """The origin of the text."""


@dataclass(frozen=True)
class ReadyText:
    """Text that the stage `splits` reads itself, as its sentences or its splits are known."""

    tokenised: bool
    """True if it has one tokenised sentence per line, False if `read_articles` is to read it."""
    whole: Path | None = None
    """One file to be divided; it must be tokenised."""
    splits: Mapping[str, Path] = field(default_factory=dict)
    """The file of every split, if there is no `whole`; it is not divided."""


class Source(ABC, Generic[AnySettings]):
    """The source of a corpus's text.

    A kind of source must define `articles` and `describe`. One that needs files must also define
    `downloads` or `user_files`.
    """

    def __init__(self, settings: AnySettings) -> None:
        self.settings = settings

    @abstractmethod
    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """Read the articles in order; the result does not depend on the number of processes.

        `downloads` is the folder of the source's verified downloads. Raises UserError if a file is
        missing or damaged.
        """

    @abstractmethod
    def describe(self) -> Description:
        """Describe the source."""

    def downloads(self) -> Sequence[Download]:
        """The files to be downloaded before anything is read."""
        return ()

    def user_files(self) -> dict[str, Path]:
        """The user's own files that are read, by the keys of the settings that name them."""
        return {}

    def ready_text(self) -> ReadyText | None:
        """The text if it skips the stages `articles` and `sentences`; None if it needs both."""
        return None

    def counts_articles(self) -> bool:
        """True if the number of articles is known, and not only that of paragraphs."""
        return self.ready_text() is None

    def stages(self) -> tuple[str, ...]:
        """The stages that the text goes through, in order."""
        first = "articles" if self.ready_text() is None else "splits"
        fetch = STAGES[:1] if self.downloads() else ()
        return (*fetch, *STAGES[STAGES.index(first) :])

    def files(self, downloads: Path) -> list[Path]:
        """All files that are read by the first stage after `fetch`."""
        fetched = [download.path(downloads) for download in self.downloads()]
        return [*fetched, *self.user_files().values()]
