"""The words of a tokenised sentence, as the pipeline and a served model read them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN
from online_rnnlm.corpora.textfiles import BYTE_ORDER_MARK
from online_rnnlm.errors import UserError, WrongInputError

_UNKNOWN_IN_CAPITALS = UNKNOWN.upper()


def words_of(sentence: str) -> list[str]:
    """Divide a tokenised sentence at spaces and tabs; the word `<UNK>` is read as `<unk>`.

    All other characters belong to words, a no-break space included; only byte order marks are left
    out. Raises UserError, without the place in the text, if the sentence contains `</s>`.
    """
    without_marks = sentence.replace(BYTE_ORDER_MARK, "").replace("\t", " ")
    words = [word for word in without_marks.split(" ") if word]
    if _UNKNOWN_IN_CAPITALS in words:
        words = [UNKNOWN if word == _UNKNOWN_IN_CAPITALS else word for word in words]
    if SENTENCE_END in words:
        raise UserError(
            f"`{SENTENCE_END}` is reserved: every sentence's end stands for it already, "
            "take it out of the text"
        )
    return words


def words_at(sentence: str, file: Path, line: int) -> list[str]:
    """Divide a sentence of a file as `words_of` does; the UserError names the file and the line."""
    try:
        return words_of(sentence)
    except UserError as error:
        raise UserError(f"{file}, line {line}: {error}") from None


def check_text(text: Any, where: str, *, one_line: bool = True) -> None:
    """Raise WrongInputError unless a value is text, without what the pipeline refuses in a text."""
    if not isinstance(text, str):
        shown = textwrap.shorten(repr(text), 80, placeholder=" …")
        raise WrongInputError(f"{where}: text is needed, not {shown}")
    if "\0" in text:
        raise WrongInputError(f"{where}: a NUL byte: this is no text")
    line = text.rstrip("\r\n")
    if one_line and ("\n" in line or "\r" in line):
        raise WrongInputError(
            f"{where}: a line end within it: give every sentence a row of its own"
        )
    try:
        line.encode()
    except UnicodeEncodeError as error:
        place = error.start + 1
        raise WrongInputError(
            f"{where}, character {place}: half of a surrogate pair: this is no text"
        ) from None
