"""Reading of tokenised text: one sentence per line, empty lines between articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from online_rnnlm.corpora.articles import why_not_plain
from online_rnnlm.corpora.numbering import Numbered
from online_rnnlm.corpora.textfiles import read_lines, refuse_none
from online_rnnlm.corpora.words import words_at
from online_rnnlm.errors import UserError


def read_sentences(files: Sequence[Path]) -> Iterator[Numbered]:
    """Read a tokenised text's sentences, one space between tokens; empty lines divide articles.

    Each sentence comes with the number of its article, from 0; a file begins a new article. `<UNK>`
    is read as `<unk>`. Raises UserError if a file has no sentence, or contains `</s>`.
    """
    article = -1
    for file in files:
        why = why_not_plain(file)
        if why is not None:
            raise UserError(f"{file}: {why}")
        for sentence, begins in refuse_none(_sentences(file), file):
            article += begins
            yield sentence, article


def _sentences(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield the sentences, each with True if it begins an article."""
    begins = True
    for number, line in enumerate(read_lines(file), 1):
        words = words_at(line, file, number)
        if words:
            yield " ".join(words), begins
        begins = not words
