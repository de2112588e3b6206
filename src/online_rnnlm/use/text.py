"""Text that a model is given: lines become sentences of words, prepared as in training."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from online_rnnlm.corpora import textfiles
from online_rnnlm.corpora.records import SentenceSplitter, TextPreparation
from online_rnnlm.errors import UserError, naming

if TYPE_CHECKING:  # It loads NLTK, which tokenised text does not need.
    from online_rnnlm.corpora.tokenisation import Tokeniser

Layout = Literal["lines", "running", "tokenised"]
"""The layout of a text: a raw sentence a line, raw paragraphs, or a tokenised sentence a line."""
_STANDARD_INPUT = "standard input"
_LONGEST_LINE = 100_000
"""Characters of the longest raw sentence; regular expressions take too long for more."""
_MOST_WORDS = 10_000
"""Words of the longest sentence; the memory that scoring takes grows with it."""


def layout_of(*, tokenised: bool = False, running: bool = False) -> Layout:
    """Return the layout of a text of which this is known."""
    return "tokenised" if tokenised else "running" if running else "lines"


class GivenText(NamedTuple):
    """A text that is given to a command, whose lines can be read once."""

    name: str
    """Its name in messages."""
    lines: Iterable[str]


def text_at(name: str) -> GivenText:
    """Return the text of a file, of a pipe or, if the name is `-`, of standard input."""
    return GivenText(_STANDARD_INPUT if name == "-" else name, _lines_at(name))


def _lines_at(name: str) -> Iterator[str]:
    path = Path(name)
    if textfiles.has_articles(path):
        raise UserError(f"{path}: a file of articles: plain text is needed here, line by line")
    if name == "-":
        if sys.stdin.buffer.isatty():
            print("Reading text from the terminal; Ctrl-D ends it.", file=sys.stderr)
        yield from textfiles.lines_in(sys.stdin.buffer, Path(_STANDARD_INPUT))
    elif path.is_fifo() or path.is_char_device():
        with path.open("rb") as stream:
            yield from textfiles.lines_in(stream, path)
    else:
        yield from textfiles.read_lines(path)


class Sentence(NamedTuple):
    """A sentence that a model is given."""

    words: list[str]
    """Empty for an empty text: no tokens, not even an end."""
    document: int
    """Number of its document, from 0."""


class Preparation:
    """The preparation of a model's training text, for other text."""

    def __init__(self, rules: TextPreparation, splitter: SentenceSplitter) -> None:
        self.rules = rules
        self._splitter = splitter

    @cached_property
    def _tokeniser(self) -> Tokeniser:
        from online_rnnlm.corpora.tokenisation import Tokeniser, to_punkt  # noqa: PLC0415

        return Tokeniser(to_punkt(self._splitter), self.rules)

    def sentences(self, line: str, layout: Layout) -> list[list[str]]:
        """Return the sentences of a line: none if it is empty, several only in running text.

        Byte order marks are left out, as they are in files. A model that was trained on tokenised
        text reads any line as such. Raises UserError, without the place in the text, for a sentence
        that is too long, and for tokenised text with `</s>`.
        """
        line = line.replace(textfiles.BYTE_ORDER_MARK, "")
        if layout == "tokenised" or self.rules.tokenised:
            sentences = [textfiles.words_of(line)]
        elif layout == "running":
            sentences = [sentence.split(" ") for sentence in self._tokeniser(line)]
        else:
            if len(line) > _LONGEST_LINE:
                raise UserError(
                    f"a sentence of {len(line)} characters; at most {_LONGEST_LINE} are read; has "
                    "it several sentences?"
                )
            composed = unicodedata.normalize("NFC", line) if self.rules.nfc else line
            sentences = [self._tokeniser.tokens(composed)]
        for words in sentences:
            if len(words) > _MOST_WORDS:
                raise UserError(f"a sentence of {len(words)} words; at most {_MOST_WORDS} are read")
        return [words for words in sentences if words]

    def words(self, line: str, layout: Layout) -> list[str]:
        """Return the words of a line, of all of its sentences; raises UserError as above."""
        return [word for sentence in self.sentences(line, layout) for word in sentence]


class Piece(NamedTuple):
    """A line of a text, or a text of a list, before it is divided into sentences."""

    where: str
    """Its place, as messages have it."""
    text: str
    begins: bool
    """True if a document begins with it."""


def read_text(
    texts: Sequence[GivenText], preparation: Preparation, layout: Layout
) -> Iterator[Sentence]:
    """Read the sentences of texts, one text after the other.

    An empty line ends a document, and so does a text; it is a sentence without words. Raises
    UserError, which names the text and the line, for what cannot be read, and if there is no word
    at all.
    """
    has_words = False
    for sentence in _numbered(numbered_lines(texts), preparation, layout):
        has_words = has_words or bool(sentence.words)
        yield sentence
    if not has_words:
        raise lacking(texts, "text")


def sentences_of(
    texts: Iterable[Any],
    preparation: Preparation,
    layout: Layout,
    *,
    separate: bool = False,
    named: str = "text",
) -> Iterator[Sentence]:
    """Prepare strings as `read_text` prepares lines; each is a sentence, or a running text.

    An empty string ends a document, and is a sentence without words. With `separate`, each string
    is a document, whose number is its place. Raises UserError, which names the string by `named`
    and its place from 0.
    """

    def pieces() -> Iterator[Piece]:
        for place, text in enumerate(texts):
            where = f"{named} {place}"
            textfiles.check_text(text, where, one_line=layout != "running")
            yield Piece(where, text.rstrip("\r\n"), begins=False)

    return _numbered(pieces(), preparation, layout, separate=separate)


def _numbered(
    pieces: Iterable[Piece], preparation: Preparation, layout: Layout, *, separate: bool = False
) -> Iterator[Sentence]:
    """Divide pieces of a text into sentences, each with the number of its document."""
    number = -1
    may_continue = False  # True if the next piece can belong to the last one's document
    for place, piece in enumerate(pieces):
        with naming(piece.where):
            sentences = preparation.sentences(piece.text, layout)
        if separate:
            number = place
        elif sentences and (piece.begins or not may_continue):
            number += 1
        may_continue = bool(sentences)
        yield from (Sentence(words, max(number, 0)) for words in sentences or [[]])


def numbered_lines(texts: Sequence[GivenText]) -> Iterator[Piece]:
    """Read the lines of texts, one after the other, with their places."""
    for text in texts:
        for number, line in enumerate(text.lines, 1):
            yield Piece(f"{text.name}, line {number}", line, begins=number == 1)


def lacking(texts: Sequence[GivenText], what: str) -> UserError:
    """Return the error that texts have nothing of some kind."""
    return UserError(f"{', '.join(text.name for text in texts)}: no {what} in it")
