"""A text as the audit has it, and the lines that a scorer is given of it.

A scorer is given lines: sentences, and an empty line after each document. Within the audit a text
is one row of tokens with an `END` after each line, so that it can be cut and shuffled anywhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from online_rnnlm.core.way import UnitOfText

Token = Hashable
"""A word, or its number."""
Lines = Sequence[Sequence[Token]]
"""The tokens of each line of a text."""
Text = tuple[Token, ...]
"""The tokens of lines, each line followed by `END`, which need not stand after the last one."""
END = "\n"
ENDS: dict[UnitOfText, Text] = {"sentence": (END,), "document": (END, END)}
"""The end of each unit of text at which a scorer can forget."""


def with_end(text: Text, ends: Text = (END,)) -> Text:
    """Return a text with these ends: more are added until it has them."""
    while text[-len(ends) :] != ends:
        text = (*text, END)
    return text


def lines_of(text: Text) -> list[list[Token]]:
    """Return the lines of a text; what stands after the last `END` is a line, too."""
    lines: list[list[Token]] = [[]]
    for token in with_end(text):
        if token == END:
            lines.append([])
        else:
            lines[-1].append(token)
    return lines[:-1]


def borders(text: Text, unit: UnitOfText) -> list[int]:
    """Return the places of a text, its end among them, before which a unit of text has ended."""
    size = len(ENDS[unit])
    return [n for n in range(size, len(text) + 1) if text[n - size : n] == ENDS[unit]]
