"""What every kind of source says of itself, and what it may leave as it is here."""

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
"""All stages that a text may go through, in order."""

AnySettings = TypeVar("AnySettings", bound=Settings)


@dataclass(frozen=True)
class Description:
    """What a source is, for statistics and reports."""

    title: str
    licence: str | None
    """None if it is not known."""
    origin: str
    """Where the text comes from."""


@dataclass(frozen=True)
class ReadyText:
    """Text that `splits` reads itself: its sentences or its splits are known."""

    tokenised: bool
    """Whether it is a tokenised sentence a line; otherwise files as `read_articles` reads them."""
    whole: Path | None = None
    """One file to be divided; it must be tokenised."""
    splits: Mapping[str, Path] = field(default_factory=dict)
    """Without `whole`: the file of every split, taken as it is."""


class Source(ABC, Generic[AnySettings]):
    """Where the text of a corpus comes from.

    A kind of source must say how to read its `articles` and `describe` itself. One that needs
    files says which: `downloads` or `user_files`.
    """

    def __init__(self, settings: AnySettings) -> None:
        self.settings = settings

    @abstractmethod
    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """The articles in order, read with so many processes; the result does not depend on them.

        `downloads` is the folder that has the source's downloads, verified. Raises UserError for a
        file that is missing or damaged.
        """

    @abstractmethod
    def describe(self) -> Description:
        """What the source is."""

    def downloads(self) -> Sequence[Download]:
        """The files to be fetched before anything is read."""
        return ()

    def user_files(self) -> dict[str, Path]:
        """The user's own files that are read, by the key of the settings that names each."""
        return {}

    def ready_text(self) -> ReadyText | None:
        """The text if it needs neither `articles` nor `sentences`; None if it needs both."""
        return None

    def counts_articles(self) -> bool:
        """Whether the number of articles is known, and not only that of paragraphs."""
        return self.ready_text() is None

    def stages(self) -> tuple[str, ...]:
        """The stages that the text goes through, in order."""
        first = "articles" if self.ready_text() is None else "splits"
        fetch = STAGES[:1] if self.downloads() else ()
        return (*fetch, *STAGES[STAGES.index(first) :])

    def files(self, downloads: Path) -> list[Path]:
        """All files that the first stage after `fetch` reads."""
        fetched = [download.path(downloads) for download in self.downloads()]
        return [*fetched, *self.user_files().values()]
