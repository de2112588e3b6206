"""A text whose words are coloured by what learning gained or lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.runs import network_name
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.use.scoring import TextScorer, marked
from online_rnnlm.use.surprisal import FROZEN, LEARNING, STATIC, bits_of_tokens
from online_rnnlm.use.text import Sentence

_STRONGEST = 8.0
"""Bits of gain or loss that have the strongest colour."""
_GAINED = ((6, 77), (3, 120), (1, 194))
_LOST = ((6, 203), (3, 216), (1, 224))
"""Pairs of bits and a terminal's colour; a word has the first whose bits it reaches."""
_MOST = 5
"""Number of words that are listed as those that gained most."""
_GAIN = 2.0
"""A word counts as gained if it became at least this many times as likely."""
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


class ShownWord(NamedTuple):
    """A word, or the end of a sentence, and what learning gained on it."""

    text: str
    """One that the vocabulary lacks is in brackets."""
    gain: float
    """The ratio of its probability by learning to that in the reading that is compared."""
    is_most: bool
    """True if it is among the words that gained most."""


@dataclass(frozen=True, repr=False)
class ShownText:
    """A text and the surprise of each of its words, in bits, in several readings.

    `str` and `repr` of it are plain text, `coloured()` is for a terminal and `html()` is a page. A
    notebook shows it in colours.
    """

    sentences: list[list[str]]
    """The words of each sentence as the model reads them, one it lacks in brackets, `</s>` last."""
    unknown: bool
    """True if the vocabulary lacks a word of the text."""
    readings: dict[str, NDArray[np.float64]]
    """By name, −log2 P of every word, (tokens,): frozen, learning, and of a static network."""
    titles: dict[str, str]
    """A title for each reading, with its network."""

    @property
    def compared(self) -> str:
        """The reading that learning is compared with: the static network's, if there is one."""
        return STATIC if STATIC in self.readings else FROZEN

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """The ratio of each word's probability by learning to that by the static network, or, if
        there is none, to that with the vector frozen."""
        return self.gains_over(self.compared)

    def gains_over(self, reading: str) -> NDArray[np.float64]:
        """Return the ratio of each word's probability by learning to that in another reading."""
        bits = self.readings[reading]
        return np.asarray(2.0 ** (bits - self.readings.get(LEARNING, bits)))

    @cached_property
    def words(self) -> list[ShownWord]:
        """The words of all sentences, in the readings' order."""
        most = np.argsort(-self.gains, kind="stable")[:_MOST]
        is_most = np.isin(np.arange(len(self.gains)), most) & (self.gains >= _GAIN)
        texts = [word for sentence in self.sentences for word in sentence]
        return [*map(ShownWord, texts, self.gains.tolist(), is_most.tolist())]

    def __repr__(self) -> str:
        """Return the text without colours, with the gains of the words that gained most."""
        words = [
            f"{word.text} ×{word.gain:.0f}" if word.is_most else word.text for word in self.words
        ]
        return "\n".join([*self._lines(words), "", *_aligned(self._table()), *self._notes()])

    def coloured(self) -> str:
        """Return the text with the colours of a terminal."""
        words = []
        for word in self.words:
            codes = ["4"] if word.is_most else []
            bits = np.log2(word.gain)
            for least, colour in _GAINED if bits > 0 else _LOST:
                if abs(bits) >= least:
                    codes.append(f"38;5;16;48;5;{colour}")
                    break
            words.append(f"\x1b[{';'.join(codes)}m{word.text}\x1b[0m" if codes else word.text)
        table = _aligned(self._table())
        return "\n".join([*self._lines(words), "", self._legend(), *table, *self._notes()])

    def html(self) -> str:
        """Return a page that needs no other file."""
        head = '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        viewport = '<meta name="viewport" content="width=device-width">'
        begin = f'<!doctype html><html lang="en">{head}{viewport}<title>{_TITLE}</title>'
        middle = '<main style="max-width: 46rem; margin: auto; font-family: system-ui, sans-serif">'
        heading = f"<h1>{_TITLE}</h1>"
        return f"{begin}\n{middle}\n{heading}\n{self._repr_html_()}\n</main>\n</html>\n"

    def _repr_html_(self) -> str:
        """Return the part of a page that a notebook shows; it needs no mouse to say the bits."""
        words = []
        for word in self.words:
            bits = np.log2(word.gain)
            strength = 0.8 * min(abs(bits) / _STRONGEST, 1.0) if abs(bits) >= 1 else 0.0
            colour = f"background: rgb({'0 150 70' if bits > 0 else '217 70 30'} / {strength:.2f})"
            text = f"<u>{escape(word.text)}</u>" if word.is_most else escape(word.text)
            words.append(f'<span style="{colour}">{text}</span>')
        lines = "<br>\n".join(self._lines(words))
        explained = escape(" ".join([self._legend(), *self._notes()]))
        every = [["word", *self.readings]]
        for word, *bits in zip(self.words, *self.readings.values(), strict=True):
            every.append([word.text, *(f"{of_word:.1f}" for of_word in bits)])
        return (
            f'<style>{_STYLE}</style><div class="online-rnnlm"><p>{lines}</p>\n'
            f"<p><small>{explained}</small></p>\n<h2>Bits of surprise, −log2 P</h2>\n"
            f"{_html_table(self._table())}\n"
            f"<details><summary>Every word</summary>{_html_table(every)}</details></div>"
        )

    def _lines(self, words: Iterable[str]) -> list[str]:
        """Return a line for each sentence, without its end, of all words as they are shown."""
        in_order = iter(words)
        by_sentence = [[next(in_order) for _ in sentence] for sentence in self.sentences]
        return [" ".join(sentence[:-1]) for sentence in by_sentence]

    def _legend(self) -> str:
        """Return a line that says what the colours mean."""
        if LEARNING not in self.readings:
            return f"No vector learns: no colours. {self.titles[FROZEN]}"
        return (
            "Green: likelier by the network that learns; red: less likely; darker: by more; white: "
            "within a bit. Underlined: the words of the table. "
            f"{self.titles[LEARNING]}, against {self.titles[self.compared]}."
        )

    def _notes(self) -> list[str]:
        """Return a note that explains the brackets around unknown words; none without them."""
        return [_UNKNOWN] if self.unknown else []

    def _table(self) -> list[list[str]]:
        """Return a heading, a row for each word that gained most, and the mean over all words."""
        learns = LEARNING in self.readings
        others = [name for name in self.readings if learns and name != LEARNING]
        rows = [["bits", *self.readings, *(f"× {name}" for name in others)]]
        for place, word in enumerate(self.words):
            if word.is_most:
                bits = [f"{of[place]:.1f}" for of in self.readings.values()]
                gains = [f"{self.gains_over(name)[place]:.1f}" for name in others]
                rows.append([word.text, *bits, *gains])
        means = [f"{of.mean():.2f}" for of in self.readings.values()]
        return [*rows, [f"mean of {len(self.words)}", *means, *("" for _ in others)]]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: its first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        numbers = map(str.rjust, others, widths[1:])
        lines.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
    return lines


def _html_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of HTML; the first row is its heading."""
    lines = []
    for number, row in enumerate(rows):
        kind = "td" if number else "th"
        lines.append(f"<tr>{''.join(f'<{kind}>{escape(cell)}' for cell in row)}")
    return "\n".join(["<table>", *lines, "</table>"])


def show(
    scorer: TextScorer, sentences: Sequence[Sentence], static: TextScorer | None = None
) -> ShownText:
    """Read a text with the vector frozen and, if there is one, learning; and by a static model.

    Raises UserError if there is no text, or if the vocabulary of `static` is another one.
    """
    sentences = [sentence for sentence in sentences if sentence.words]
    readings = bits_of_tokens(scorer, sentences, static)
    networks = dict.fromkeys(readings, scorer.network)
    if static is not None:
        networks[STATIC] = static.network
    titles = {
        name: f"{name}: {network_name(network.trained_with)}" for name, network in networks.items()
    }
    unknown = [
        np.equal(scorer.network.ids(sentence.words), scorer.network.corpus.unk_id)
        for sentence in sentences
    ]
    words = [
        [*marked(sentence.words, flags), SENTENCE_END]
        for sentence, flags in zip(sentences, unknown, strict=True)
    ]
    return ShownText(words, any(map(np.any, unknown)), readings, titles)
