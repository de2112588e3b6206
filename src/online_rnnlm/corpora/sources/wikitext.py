"""WikiText-2 and WikiText-103, raw: whole articles of Wikipedia, tokenised, in three splits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from online_rnnlm.config.sources import WikitextSource
from online_rnnlm.corpora.articles import has_articles, read_all_articles
from online_rnnlm.corpora.remote import RemoteFile, on_hugging_face
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import read_lines, refuse_none
from online_rnnlm.corpora.users_files import expanded, named
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SPLITS

if TYPE_CHECKING:
    from online_rnnlm.corpora.numbering import Numbered

_DATA_SET, _REVISION = "Salesforce/wikitext", "b08601e04326c79dfdd32d625aee71d232d685c3"
_FILES = {
    "wikitext-2": {"train": 1, "validation": 1, "test": 1},
    "wikitext-103": {"train": 2, "validation": 1, "test": 1},
}
"""Number of files of each split, by version."""
_TITLE = re.compile(r" *= [^=].* = *")
"""The heading of an article; those of sections have more signs."""
_HEADING = re.compile(r" *=( =)* .* =( =)* *")
_MARK = re.compile(r" @([-,.])@ ")
_ENDS, _CLOSING = frozenset(".?!"), frozenset({'"', "'", ")", "''"})


class Source(base.Source[WikitextSource]):
    """The files at their pinned addresses, or the user's own; headings divide articles."""

    def downloads(self) -> Sequence[RemoteFile]:
        """The Parquet files of all splits, unless the user has files."""
        return [file for files in self._remote().values() for file in files]

    def user_files(self) -> list[tuple[str, Path]]:
        """The settings `train`, `valid` and `test`."""
        return named(self.settings, SPLITS)

    @property
    def ready(self) -> bool:
        """True: the splits are known."""
        return True

    def text_files(self, downloads: Path) -> base.Files:
        """The files of each split."""
        remote = self._remote()
        if remote:
            return {split: [file.path(downloads) for file in remote[split]] for split in SPLITS}
        return {split: expanded(getattr(self.settings, split)) for split in SPLITS}

    def sentences(self, files: Sequence[Path]) -> Iterator[Numbered]:
        """Read the sentences: a line is a paragraph, and `.`, `?` or `!` ends a sentence in it.

        Headings are left out; that of an article begins a new one.
        """
        article = -1
        for file in files:
            for sentence, begins in refuse_none(self._sentences(file), file):
                article += begins
                yield sentence, max(article, 0)

    def _sentences(self, file: Path) -> Iterator[tuple[str, bool]]:
        """Yield the sentences of a file, each with True if it begins an article."""
        begins = False
        for number, line in enumerate(_lines(file), 1):
            if _HEADING.fullmatch(line):
                begins = begins or _TITLE.fullmatch(line) is not None
                continue
            for sentence in self._divided(line, f"{file}, line {number}"):
                yield sentence, begins
                begins = False

    def _divided(self, line: str, where: str) -> Iterator[str]:
        if self.settings.plain_marks:
            line = _MARK.sub(r"\1", line)
        from online_rnnlm.corpora.words import words_of  # it loads numpy

        try:
            words = words_of(line)
        except UserError as error:
            raise UserError(f"{where}: {error}") from None
        start = 0
        for place, word in enumerate(words):
            following = words[place + 1] if place + 1 < len(words) else None
            if (word in _ENDS and following not in _CLOSING) or (
                word in _CLOSING and place and words[place - 1] in _ENDS
            ):
                yield " ".join(words[start : place + 1])
                start = place + 1
        if start < len(words):
            yield " ".join(words[start:])

    def _remote(self) -> dict[str, list[RemoteFile]]:
        """Return the downloads of each split; none if the user has files."""
        if self.settings.train is not None:
            return {}
        version = self.settings.version
        names = {"train": "train", "valid": "validation", "test": "test"}
        return {split: _shards(version, name) for split, name in names.items()}

    def describe(self) -> base.Description:
        """Its name and licence, and the data set or the files' paths."""
        title = f"WikiText-{self.settings.version.rpartition('-')[2]}, raw"
        files = ", ".join(str(file) for _, file in self.user_files())
        origin = files or f"https://huggingface.co/datasets/{_DATA_SET}, revision {_REVISION}"
        return base.Description(title, "CC BY-SA 3.0, GFDL", origin)


def _shards(version: str, name: str) -> list[RemoteFile]:
    number = _FILES[version][name]
    files = [f"{name}-{index:05}-of-{number:05}.parquet" for index in range(number)]
    return [
        on_hugging_face(_DATA_SET, _REVISION, f"{version}-raw-v1/{file}", f"{version}-{file}")
        for file in files
    ]


def _lines(file: Path) -> Iterator[str]:
    """Read the lines of a text file, or those of all texts of a file with articles."""
    if has_articles(file):
        return (line for row in read_all_articles(file) for line in row.text.split("\n"))
    return read_lines(file)
