"""WikiText-2 and WikiText-103: whole articles of Wikipedia, tokenised, in three splits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path

from online_rnnlm.config.sources import WikitextSource
from online_rnnlm.corpora.downloads import Download, on_hugging_face
from online_rnnlm.corpora.records import CorpusSource
from online_rnnlm.corpora.sources import base
from online_rnnlm.corpora.textfiles import (
    Numbered,
    has_articles,
    number_articles,
    read_all_articles,
    read_lines,
    refuse_none,
    words_at,
)
from online_rnnlm.errors import UserError

_DATA_SET = "Salesforce/wikitext"
_REVISION = "b08601e04326c79dfdd32d625aee71d232d685c3"
_FILES = {
    "wikitext-2": {"train": 1, "valid": 1, "test": 1},
    "wikitext-103": {"train": 2, "valid": 1, "test": 1},
}
"""Number of files of each split, by version."""
_TITLE = re.compile(r" *= [^=].* = *")
"""The heading of an article; those of sections have more signs."""


class Source(base.Source[WikitextSource]):
    """The files at their pinned addresses, or the user's own; headings divide articles."""

    tokenised = True

    def downloads(self) -> Sequence[Download]:
        """The Parquet files of all splits, unless the user has files."""
        return [file for files in self._shards().values() for file in files]

    def own_files(self) -> Mapping[str, Sequence[Path]]:
        """The user's own files of the splits."""
        given = self.settings
        return {"train": given.train or [], "valid": given.valid or [], "test": given.test or []}

    def text_files(self, downloads: Path) -> base.Files:
        """The files of each split."""
        shards = self._shards()
        if not shards:
            return super().text_files(downloads)
        return {s: [downloads / file.name for file in files] for s, files in shards.items()}

    def sentences(self, files: Sequence[Path]) -> Iterator[Numbered]:
        """Read the sentences of files, each with the number of its article, from 0.

        Every line is a sentence. Raises UserError if a file has no sentence, or is damaged.
        """
        return number_articles(refuse_none(_sentences(file), file) for file in files)

    def why_not(self, file: Path) -> str | None:
        """None: files with articles are read, too."""
        return None

    def describe(self) -> CorpusSource:
        """Describe the data set; the origin of the user's own files is their paths."""
        title = f"WikiText-{self.settings.version.rpartition('-')[2]}"
        licence = "CC BY-SA 3.0, GFDL"
        if self.settings.train:
            return self._described(title, licence)
        origin = f"https://huggingface.co/datasets/{_DATA_SET}, revision {_REVISION}"
        return self._described(title, licence, origin)

    def _shards(self) -> dict[str, list[Download]]:
        """Return the downloads of each split; none if the user has files."""
        version = self.settings.version
        found = {}
        for split, number in () if self.settings.train else _FILES[version].items():
            name = "validation" if split == "valid" else split
            files = [f"{name}-{index:05}-of-{number:05}.parquet" for index in range(number)]
            found[split] = [
                on_hugging_face(_DATA_SET, _REVISION, f"{version}-v1/{f}", f"{version}-v1-{f}")
                for f in files
            ]
        return found


def _sentences(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a file, each with True if it begins an article.

    An article begins with the empty line before its title. Raises UserError if all lines are empty.
    """
    lines = pairwise(chain(_lines(file), [""]))
    has_words = True
    for number, (line, following) in enumerate(lines, 1):
        words = words_at(line, file, number)
        has_words = bool(words) or (has_words and number > 1)
        begins = not words and _TITLE.fullmatch(following) is not None
        yield " ".join(words), begins or number == 1
    if not has_words:
        raise UserError(f"{file}: no text in it: all of its lines are empty")


def _lines(file: Path) -> Iterator[str]:
    """Read the lines of a text file, or those of all texts of a file with articles."""
    if has_articles(file):
        return (line for row in read_all_articles(file) for line in row.text.split("\n"))
    return read_lines(file)
