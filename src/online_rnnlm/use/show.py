"""A text whose words are coloured by what learning gained or lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

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
    def gains(self) -> NDArray[np.float64]:
        """The ratio of each word's probability by learning to that by the static network, or, if
        there is none, to that with the vector frozen."""
        return self._gains_over(self._against)

    @property
    def _against(self) -> str:
        """The reading that learning is compared with: the static network's, if there is one."""
        return STATIC if STATIC in self.readings else FROZEN

    def _gains_over(self, reading: str) -> NDArray[np.float64]:
        """Return the ratio of each word's probability by learning to that in another reading."""
        bits = self.readings[reading]
        return np.asarray(2.0 ** (bits - self.readings.get(LEARNING, bits)))

    @cached_property
    def _most(self) -> list[int]:
        """The places of the words that gained most, in the text's order."""
        best = np.argsort(-self.gains, kind="stable")[:_MOST]
        return sorted(best[self.gains[best] >= _GAIN].tolist())

    def __repr__(self) -> str:
        """Return the text without colours, with the gains of the words that gained most."""

        def mark(word: str, gain: float, *, is_most: bool) -> str:
            return f"{word} ×{gain:.0f}" if is_most else word

        return "\n".join([*self._lines(mark), "", *_aligned(self._table), *self._notes])

    def coloured(self) -> str:
        """Return the text with the colours of a terminal."""

        def mark(word: str, gain: float, *, is_most: bool) -> str:
            codes = ["4"] if is_most else []
            bits = np.log2(gain)
            for least, colour in _GAINED if bits > 0 else _LOST:
                if abs(bits) >= least:
                    codes.append(f"38;5;16;48;5;{colour}")
                    break
            return f"\x1b[{';'.join(codes)}m{word}\x1b[0m" if codes else word

        lines = [*self._lines(mark), "", self._legend, *_aligned(self._table), *self._notes]
        return "\n".join(lines)

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

        def mark(word: str, gain: float, *, is_most: bool) -> str:
            bits = np.log2(gain)
            strength = 0.8 * min(abs(bits) / _STRONGEST, 1.0) if abs(bits) >= 1 else 0.0
            colour = f"background: rgb({'0 150 70' if bits > 0 else '217 70 30'} / {strength:.2f})"
            text = f"<b>{escape(word)}</b>" if is_most else escape(word)
            return f'<span style="{colour}">{text}</span>'

        text = "<br>\n".join(self._lines(mark))
        explained = escape(" ".join([self._legend, *self._notes]))
        every = [["word", *self.readings]]
        for word, *bits in zip(self._words, *self.readings.values(), strict=True):
            every.append([word, *(f"{of_word:.1f}" for of_word in bits)])
        return (
            f'<style>{_STYLE}</style><div class="online-rnnlm"><p>{text}</p>\n'
            f"<p><small>{explained}</small></p>\n<h2>Bits of surprise, −log2 P</h2>\n"
            f"{_html_table(self._table)}\n"
            f"<details><summary>Every word</summary>{_html_table(every)}</details></div>"
        )

    @property
    def _words(self) -> list[str]:
        """The words of all sentences, in the readings' order."""
        return [word for sentence in self.sentences for word in sentence]

    def _lines(self, mark: Callable[..., str]) -> list[str]:
        """Return a line for each sentence, without its end.

        `mark` returns a word as it is shown, by its gain and by whether it is among the largest.
        """
        lines = []
        place = 0
        for sentence in self.sentences:
            places = enumerate(sentence[:-1], place)
            shown = [mark(word, self.gains[at], is_most=at in self._most) for at, word in places]
            lines.append(" ".join(shown))
            place += len(sentence)
        return lines

    @property
    def _legend(self) -> str:
        """A line that says what the colours mean."""
        if LEARNING not in self.readings:
            return f"No vector learns: no colours. {self.titles[FROZEN]}"
        return (
            "Green: likelier by the network that learns; red: less likely; white: within a bit. "
            f"{self.titles[LEARNING]}, against {self.titles[self._against]}."
        )

    @property
    def _notes(self) -> list[str]:
        """A note that explains the brackets around unknown words; none if there are none."""
        has = any(word[0] == "[" and len(word) > 2 for word in self._words)
        return [_UNKNOWN] if has else []

    @property
    def _table(self) -> list[list[str]]:
        """A heading, a row for each word that gained most, and the mean over all words."""
        learns = LEARNING in self.readings
        others = [name for name in self.readings if learns and name != LEARNING]
        words = self._words
        rows = [["bits", *self.readings, *(f"× {name}" for name in others)]]
        for at in self._most:
            bits = [f"{of[at]:.1f}" for of in self.readings.values()]
            gains = [f"{self._gains_over(name)[at]:.1f}" for name in others]
            rows.append([words[at], *bits, *gains])
        means = [f"{of.mean():.2f}" for of in self.readings.values()]
        return [*rows, [f"mean of {len(words)}", *means, *("" for _ in others)]]


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
    words = []
    for sentence in sentences:
        unknown = np.equal(scorer.network.ids(sentence.words), scorer.network.corpus.unk_id)
        words.append([*marked(sentence.words, unknown), SENTENCE_END])
    return ShownText(words, readings, titles)
