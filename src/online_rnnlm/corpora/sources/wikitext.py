"""WikiText-2 and WikiText-103: whole articles of Wikipedia, tokenised, in three splits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path

from online_rnnlm.config.sources import WikitextSource
from online_rnnlm.corpora.downloads import Download, on_hugging_face
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
from online_rnnlm.storage.records import CorpusSource

_DATA_SET, _REVISION = "Salesforce/wikitext", "b08601e04326c79dfdd32d625aee71d232d685c3"
_FILES = {
    "wikitext-2": {"train": 1, "valid": 1, "test": 1},
    "wikitext-103": {"train": 2, "valid": 1, "test": 1},
}
"""Number of files of each split, by version."""
_TITLE = re.compile(r" *= [^=].* = *")
"""The heading of an article; those of sections have more signs."""
_HEADING = re.compile(r" *=( =)* .* =( =)* *")
_MARK = re.compile(r" @([-,.])@ ")
_ENDS, _CLOSING = frozenset(".?!"), frozenset({'"', "'", ")", "''"})


class Source(base.Source[WikitextSource]):
    """The files at their pinned addresses, or the user's own; headings divide articles."""

    tokenised = True

    def downloads(self) -> Sequence[Download]:
        """The Parquet files of all splits, unless the user has files."""
        return [file for files in self._shards().values() for file in files]

    def text_files(self, downloads: Path) -> base.Files:
        """The files of each split."""
        shards = self._shards()
        if not shards:
            return super().text_files(downloads)
        return {s: [downloads / file.name for file in files] for s, files in shards.items()}

    def sentences(self, files: Sequence[Path]) -> Iterator[Numbered]:
        """Read the sentences of files, each with the number of its article, from 0.

        In the raw form a line is a paragraph, and `.`, `?` or `!` ends a sentence in it; headings
        are left out, and that of an article begins a new one, as does the beginning of a file. In
        the published form every line is a sentence. Raises UserError if a file has no sentence, or
        is damaged.
        """
        if self.settings.form == "published":
            return number_articles(refuse_none(_published(file), file) for file in files)
        plain = self.settings.plain_marks
        return number_articles(refuse_none(_sentences(file, plain), file) for file in files)

    def why_not(self, file: Path) -> str | None:
        """None: files with articles are read, too."""
        return None

    def describe(self) -> CorpusSource:
        """Describe the data set; the origin of the user's own files is their paths."""
        known = {"licence": "CC BY-SA 3.0, GFDL"}
        if not self.settings.train:
            known["origin"] = f"https://huggingface.co/datasets/{_DATA_SET}, revision {_REVISION}"
        version = self.settings.version.rpartition("-")[2]
        return self._described(title=f"WikiText-{version}, {self.settings.form}", **known)

    def _shards(self) -> dict[str, list[Download]]:
        """Return the downloads of each split; none if the user has files."""
        version, found = self.settings.version, {}
        form, mark = {"raw": ("-raw-v1", ""), "published": ("-v1", "-v1")}[self.settings.form]
        for split, number in () if self.settings.train else _FILES[version].items():
            name = "validation" if split == "valid" else split
            files = [f"{name}-{index:05}-of-{number:05}.parquet" for index in range(number)]
            found[split] = [
                on_hugging_face(
                    _DATA_SET, _REVISION, f"{version}{form}/{f}", f"{version}{mark}-{f}"
                )
                for f in files
            ]
        return found


def _published(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a file, each with True if it begins an article.

    An article begins with the empty line before its title.
    """
    lines = pairwise(chain(_lines(file), [""]))
    for number, (line, following) in enumerate(lines, 1):
        words = words_at(line, file, number)
        begins = not words and _TITLE.fullmatch(following) is not None
        yield " ".join(words), begins or number == 1


def _sentences(file: Path, plain_marks: bool) -> Iterator[tuple[str, bool]]:
    """Yield the sentences of a file, each with True if it begins an article.

    `plain_marks` writes `@-@` as `-`, without spaces.
    """
    begins = True
    for number, line in enumerate(_lines(file), 1):
        if _HEADING.fullmatch(line):
            begins = begins or _TITLE.fullmatch(line) is not None
            continue
        paragraph = _MARK.sub(r"\1", line) if plain_marks else line
        for sentence in _divided(words_at(paragraph, file, number)):
            yield sentence, begins
            begins = False


def _divided(words: Sequence[str]) -> Iterator[str]:
    """Yield the sentences of a paragraph, with the quotes and brackets that close after an end."""
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


def _lines(file: Path) -> Iterator[str]:
    """Read the lines of a text file, or those of all texts of a file with articles."""
    if has_articles(file):
        return (line for row in read_all_articles(file) for line in row.text.split("\n"))
    return read_lines(file)
