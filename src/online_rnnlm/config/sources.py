"""The settings of the sources of a corpus's text, one class for each kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from online_rnnlm.config.base import (
    NOT_BOOLEAN,
    FilePaths,
    PositiveInt,
    Settings,
)
from online_rnnlm.config.mistakes import FILE_NAME, SHA256

_LONGEST = 200
"""Number of letters that the name of a downloaded file has at most."""
_HOST = r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?"
_FILE = re.compile(rf"https?://{_HOST}(/[\w.~%+,;=@:()!*'-]*)*/[\w.~%+,=@()!*'-]+")


def _refuse_no_address(address: str) -> str:
    """Return the address of a file; raises ValueError for any other, without repeating it.

    An address is shown in messages and logs and written into records, so one that could hold a
    password is refused: before the host, in the options behind `?`, or behind `#`.
    """
    if _FILE.fullmatch(address) is None:
        raise ValueError(
            "not an address of a file; allowed: http://HOST/FILE, https://HOST/FILE, without user, "
            "password and options behind `?`"
        )
    return address


_Address = Annotated[str, AfterValidator(_refuse_no_address)]


class Url(Settings):
    """A file at an address, which is downloaded and verified."""

    address: _Address
    """Address of the file (`http://…` or `https://…`)."""
    sha256: Annotated[str, Field(pattern=SHA256)] | None = None
    """The file's sha256."""
    checksums: _Address | None = None
    """In place of `sha256`: the address of a file that lists the sums of files (SHA-512, SHA-256,
    SHA-1 or MD5) by name, or of the file's Git LFS pointer."""
    name: Annotated[str, Field(pattern=FILE_NAME, max_length=_LONGEST)] | None = None
    """Name under which it is kept in `downloads`; `null` is the last part of the address."""

    @field_validator("sha256", mode="before")
    @classmethod
    def _in_lower_case(cls, digits: Any) -> Any:
        return digits.lower() if isinstance(digits, str) else digits

    @model_validator(mode="after")
    def _go_together(self) -> Url:
        if len(self.kept_as) > _LONGEST or not re.fullmatch(FILE_NAME, self.kept_as):
            raise ValueError("`name` is required: the end of the address is no name of a file")
        if (self.sha256 is None) == (self.checksums is None):
            raise ValueError("give either `sha256` or `checksums`")
        return self

    @property
    def kept_as(self) -> str:
        """Name of the file in the folder of downloads."""
        return self.name or self.address.rpartition("/")[2]


class WikipediaVitalSource(Settings):
    """Lead sections of Wikipedia's Vital Articles, taken from a Python package."""

    kind: Literal["wikipedia-vital"]
    """Lead sections of Wikipedia's Vital Articles: one JSON file from the package index."""


class WikipediaExcerptSource(Settings):
    """An excerpt of a true Wikipedia dump, taken from a Python package."""

    kind: Literal["wikipedia-excerpt"]
    """206 pages of a true MediaWiki dump, from the package index."""


class _FileOrUrl(Settings):
    """A source that is one text: the user's own files, or a file at an address."""

    file: FilePaths | None = None
    """Your own file, or several: plain text (one paragraph per line; one sentence per line if
    `tokenised`), or articles: a JSON object per line (`.jsonl`, `.ndjson`, `.json`) or a row of a
    `.parquet` file, with `text` and, if known, `title`. Files compressed as `.gz`,
    `.bz2`, `.xz` or `.zst` are read, too. In a name, `*` stands for any letters; such files are
    read in the order of their names."""
    url: Url | None = None
    """A file of these kinds at an address."""


class WikipediaSource(_FileOrUrl):
    """Articles of the English Wikipedia: the project's own sample, a download, or a file."""

    kind: Literal["wikipedia"]
    """Articles of the English Wikipedia: 12 million words of May 2014 that come with the project,
    in `resources/`, unless `shard`, `file` or `url` gives another text."""
    shard: Annotated[int, Field(ge=0, le=40), NOT_BOOLEAN] | None = None
    """Number, from 0, of one of the 41 parts of the English Wikipedia of 1 November 2023, cleaned,
    which is downloaded from the data set `wikimedia/wikipedia` at Hugging Face; `null` takes the
    text that comes with the project."""
    words: PositiveInt = 13_000_000
    """Number of words, separated by spaces, after which no further article is read."""

    @model_validator(mode="after")
    def _go_together(self) -> WikipediaSource:
        if sum(given is not None for given in (self.file, self.url, self.shard)) > 1:
            raise ValueError("give `file`, `url`, `shard`, or none of them")
        return self


class DumpSource(Settings):
    """Articles of a MediaWiki dump."""

    kind: Literal["dump"]
    """The articles of a MediaWiki dump."""
    file: FilePaths | None = None
    """The dump's files: XML, compressed as `.bz2`, `.gz`, `.xz` or `.zst`, or not."""
    url: Url | None = None
    """A file of a dump at an address."""
    title: Annotated[str, Field(min_length=1)] | None = None
    """Title in reports; `null` is the names of the files."""
    licence: Annotated[str, Field(min_length=1)] | None = None
    """Licence in reports; `null` if it is not known."""

    @model_validator(mode="after")
    def _go_together(self) -> DumpSource:
        if (self.file is None) == (self.url is None):
            raise ValueError("give either `file` or `url`")
        return self


class WikitextSource(Settings):
    """WikiText-2 or WikiText-103: whole articles, tokenised, in three ready splits."""

    kind: Literal["wikitext"]
    """WikiText, from the data set `Salesforce/wikitext` at Hugging Face, or your three files
    `wiki.*.tokens` of it: with `<unk>` for rare words, as published perplexities have them. Every
    line is a sentence, a heading and an empty line, too."""
    version: Literal["wikitext-2", "wikitext-103"] = "wikitext-2"
    """The smaller or the larger text."""
    train: FilePaths | None = None
    """Your file for `train`."""
    valid: FilePaths | None = None
    """Your file for `valid`."""
    test: FilePaths | None = None
    """Your file for `test`."""

    @model_validator(mode="after")
    def _go_together(self) -> WikitextSource:
        files = (self.train, self.valid, self.test)
        if any(files) and not all(files):
            raise ValueError("give all of `train`, `valid` and `test`, or none of them")
        return self


class TextSource(_FileOrUrl):
    """The user's own text: one text to be shuffled and split, or three ready splits.

    Ready files keep their order. A sentence that occurs in two of them stays in both.
    """

    kind: Literal["text"]
    """Your own files."""
    train: FilePaths | None = None
    """Ready file for `train`, of the same kinds as `file`."""
    valid: FilePaths | None = None
    """Ready file for `valid`, of the same kinds as `file`."""
    test: FilePaths | None = None
    """Ready file for `test`, of the same kinds as `file`."""
    tokenised: bool = False
    """The text already has one sentence per line, its tokens separated by spaces. It is not
    tokenised or lower-cased again, and only empty lines are dropped."""

    @model_validator(mode="after")
    def _go_together(self) -> TextSource:
        ready = (self.train, self.valid, self.test)
        is_one_text = (self.file is None) != (self.url is None) and not any(ready)
        are_three = self.file is None and self.url is None and all(ready)
        if not is_one_text and not are_three:
            raise ValueError("give either `file` or `url`, or all of `train`, `valid` and `test`")
        return self


SourceSettings = Annotated[
    WikipediaVitalSource
    | WikipediaExcerptSource
    | WikipediaSource
    | DumpSource
    | WikitextSource
    | TextSource,
    Field(discriminator="kind"),
]
"""One class for each kind of source; `corpora/sources/` has a module for each."""
