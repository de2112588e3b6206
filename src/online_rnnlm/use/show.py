"""A text whose words are coloured by what learning gained or lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.runs import network_name
from online_rnnlm.core.way import NONE
from online_rnnlm.errors import UserError
from online_rnnlm.use.text import Sentence

if TYPE_CHECKING:
    from online_rnnlm.use.model import TrainedModel

FROZEN = "frozen"
LEARNING = "learning"
STATIC = "static"
_STRONGEST = 8.0
"""Bits of gain or loss that have the strongest colour."""
_GAINED = ((6, 77), (3, 120), (1, 194))
_LOST = ((6, 203), (3, 216), (1, 224))
"""Pairs of bits and a terminal's colour; a word has the first whose bits it reaches."""
_MOST = 5
"""Number of words that are listed as those that gained most."""
_GAIN = 2.0
"""A word that became at least so many times as likely gained."""
_TITLE = "A text, as a model that learns reads it"
_UNKNOWN = "In brackets: words that the vocabulary lacks. The model reads them all as <unk>."
_STYLE = """\
.online-rnnlm {font: 16px/1.9 system-ui, sans-serif; max-width: 46em; margin: 1em auto}
.online-rnnlm span {padding: .1em .2em; border-radius: .2em}
.online-rnnlm b {border-bottom: 2px solid}
.online-rnnlm table {border-collapse: collapse; font-size: 14px; line-height: 1.6}
.online-rnnlm th, .online-rnnlm td {padding: 0 1em 0 0; text-align: right}
.online-rnnlm :is(th, td):first-child {text-align: left}
.online-rnnlm tr:last-child td {border-top: 1px solid}
.online-rnnlm p {margin: .6em 0}"""


@dataclass(frozen=True, repr=False)
class ShownText:
    """A text and the surprise of each of its words, in bits, in several readings.

    `str` and `repr` of it are plain text, `coloured()` is for a terminal and `html()` is a page. A
    notebook shows it in colours.
    """

    sentences: list[list[str]]
    """The words of each sentence as the model reads them, one it lacks in brackets, `</s>` last."""
    readings: dict[str, NDArray[np.float64]]
    """By name, −log2 P of every word, (tokens,): frozen, learning, and of a static network."""
    titles: dict[str, str]
    """A title for each reading, with its network."""

    @cached_property
    def _tokens(self) -> list[str]:
        """The words of all sentences, in the readings' order."""
        return [word for sentence in self.sentences for word in sentence]

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """The ratio of each word's probability by learning to that by the static network, or, if
        there is none, to that with the vector frozen."""
        return self._gains_over(self._against)

    def _gains_over(self, reading: str) -> NDArray[np.float64]:
        """Return the ratio of each word's probability by learning to that in another reading."""
        bits = self.readings[reading]
        return np.asarray(2.0 ** (bits - self.readings.get(LEARNING, bits)))

    @property
    def _against(self) -> str:
        """The reading that learning is compared with: the static network's, if there is one."""
        return STATIC if STATIC in self.readings else FROZEN

    @property
    def _legend(self) -> str:
        """A line that says what the colours mean."""
        if LEARNING not in self.readings:
            return f"No vector learns: no colours. {self.titles[FROZEN]}"
        return (
            "Green: likelier by the network that learns; red: less likely; white: within a bit. "
            f"{self.titles[LEARNING]}, against {self.titles[self._against]}."
        )

    def __repr__(self) -> str:
        """Return the text without colours, with the gains of the words that gained most."""
        marks = [f"{word} ×{gain:.0f}" if gain else word for _, word, gain in self._words()]
        return "\n".join([*self._lines(marks), "", *self._table(), *self._notes()])

    def coloured(self) -> str:
        """Return the text with the colours of a terminal."""
        words = []
        for at, word, gain in self._words():
            codes = ["4"] if gain else []
            bits = np.log2(self.gains[at])
            for least, colour in _GAINED if bits > 0 else _LOST:
                if abs(bits) >= least:
                    codes.append(f"38;5;16;48;5;{colour}")
                    break
            words.append(f"\x1b[{';'.join(codes)}m{word}\x1b[0m" if codes else word)
        lines = [*self._lines(words), "", self._legend, *self._table(), *self._notes()]
        return "\n".join(lines)

    def html(self) -> str:
        """Return a page that needs no other file."""
        head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        viewport = '<meta name="viewport" content="width=device-width">'
        begin = f'<!doctype html><html lang="en">{head}{viewport}<title>{_TITLE}</title>'
        return f"{begin}\n<h1>{_TITLE}</h1>\n{self._repr_html_()}\n</html>\n"

    def _repr_html_(self) -> str:
        """Return the part of a page that a notebook shows; it needs no mouse to say the bits."""
        words = []
        for at, word, gain in self._words():
            bits = np.log2(self.gains[at])
            strength = 0.8 * min(abs(bits) / _STRONGEST, 1.0)
            colour = f"background: rgb({'0 150 70' if bits > 0 else '217 70 30'} / {strength:.2f})"
            text = f"<b>{escape(word)}</b>" if gain else escape(word)
            words.append(f'<span style="{colour}">{text}</span>')
        text = "<br>\n".join(self._lines(words))
        explained = escape(" ".join([self._legend, *self._notes()]))
        every = [["word", *self.readings]]
        for at, word in enumerate(self._tokens):
            every.append([word, *(f"{of[at]:.1f}" for of in self.readings.values())])
        return (
            f'<style>{_STYLE}</style><div class="online-rnnlm"><p>{text}</p>\n'
            f"<p><small>{explained}</small></p>\n<h2>Bits of surprise, −log2 P</h2>\n"
            f"{_html_table(list(self._cells()))}\n"
            f"<details><summary>Every word</summary>{_html_table(every)}</details></div>"
        )

    def _words(self) -> Iterator[tuple[int, str, float]]:
        """Yield each word's place, the word, and its gain if it is among the largest, or else 0."""
        gained = set(self._most().tolist())
        for at, word in enumerate(self._tokens):
            yield at, word, float(self.gains[at]) if at in gained else 0.0

    def _notes(self) -> list[str]:
        """Return what brackets are, if there are any."""
        has = any(token[0] == "[" and len(token) > 2 for token in self._tokens)
        return [_UNKNOWN] if has else []

    def _most(self) -> NDArray[np.intp]:
        """The places of the words that gained most, in the text's order."""
        best = np.argsort(-self.gains, kind="stable")[:_MOST]
        return np.sort(best[self.gains[best] >= _GAIN])

    def _lines(self, words: list[str]) -> list[str]:
        """Return a line for each sentence, without the mark of its end."""
        ends = np.cumsum([len(sentence) for sentence in self.sentences])
        return [
            " ".join(words[end - len(sentence) : end - 1])
            for end, sentence in zip(ends, self.sentences, strict=True)
        ]

    def _table(self) -> list[str]:
        rows = list(self._cells())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return [
            "  ".join(
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]

    def _cells(self) -> Iterator[list[str]]:
        """Yield a heading, a row for each word that gained most, and the mean over all words."""
        learns = LEARNING in self.readings
        others = [name for name in self.readings if learns and name != LEARNING]
        yield ["bits", *self.readings, *(f"× {name}" for name in others)]
        for at in self._most().tolist():
            bits = [f"{of[at]:.1f}" for of in self.readings.values()]
            gains = [f"{self._gains_over(name)[at]:.1f}" for name in others]
            yield [self._tokens[at], *bits, *gains]
        means = [f"{of.mean():.2f}" for of in self.readings.values()]
        yield [f"mean of {len(self._tokens)}", *means, *("" for _ in others)]


def _html_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of HTML; the first row is its heading."""
    lines = [
        f"<tr>{''.join(f'<{kind}>{escape(cell)}' for cell in row)}"
        for row, kind in zip(rows, ["th", *["td"] * len(rows)], strict=False)
    ]
    return "\n".join(["<table>", *lines, "</table>"])


def show(
    model: TrainedModel, sentences: Sequence[Sentence], static: TrainedModel | None = None
) -> ShownText:
    """Read a text with the vector frozen and, if there is one, learning; and by a static model.

    Raises UserError if there is no text, or if the vocabulary of `static` is another one.
    """
    sentences = [sentence for sentence in sentences if sentence.words]
    if not sentences:
        raise UserError("no text in it")
    if static is not None and static.words != model.words:
        raise UserError(
            "the static model has another vocabulary: its words' probabilities do not compare"
        )
    readers = {FROZEN: model}
    if model.description.settings.document_size:
        readers[LEARNING] = model
    if static is not None:
        readers[STATIC] = static
    readings = {}
    titles = {}
    words: list[list[str]] = []
    for name, reader in readers.items():
        way = reader.way(updates=None if name == LEARNING else NONE)
        parts = list(reader.score_parts(sentences, way))
        words = [tokens for part in parts for tokens in part.marked_tokens]
        readings[name] = -np.concatenate([part.log_probabilities for part in parts]) / np.log(2)
        titles[name] = f"{name}: {network_name(reader.description.settings)}"
    return ShownText(words, readings, titles)
