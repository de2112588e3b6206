"""Reading of WikiText: paragraphs of tokenised sentences between headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from online_rnnlm.corpora.articles import has_articles, read_all_articles
from online_rnnlm.corpora.numbering import Numbered
from online_rnnlm.corpora.textfiles import read_lines, refuse_none
from online_rnnlm.corpora.words import words_at

_TITLE = re.compile(r" *= [^=].* = *")
"""The heading of an article; those of sections have more signs."""
_HEADING = re.compile(r" *=( =)* .* =( =)* *")
_MARK = re.compile(r" @([-,.])@ ")
_ENDS, _CLOSING = frozenset(".?!"), frozenset({'"', "'", ")", "''"})


def read_wikitext(files: Sequence[Path], *, plain_marks: bool) -> Iterator[Numbered]:
    """Read the sentences of files, each with the number of its article, from 0.

    A line is a paragraph, and `.`, `?` or `!` ends a sentence in it. Headings are left out; that of
    an article begins a new one, as does the beginning of a file. `plain_marks` writes `@-@` as `-`,
    without spaces. Raises UserError if a file has no sentence, or is damaged.
    """
    article = -1
    for file in files:
        for sentence, begins in refuse_none(_sentences(file, plain_marks), file):
            article += begins
            yield sentence, article


def _sentences(file: Path, plain_marks: bool) -> Iterator[tuple[str, bool]]:
    """Yield the sentences of a file, each with True if it begins an article."""
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
