"""The rules of languages: the ends of sentences, the words, and lower case.

Where sentences end in marks that are followed by a space, Punkt finds them. Where words are not
separated by spaces, each character of the script is a token: no dictionary decides what a word is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from online_rnnlm.corpora.bare_packages import bare

with bare("nltk", "nltk.tokenize"):
    from nltk.tokenize.punkt import PunktLanguageVars

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_SOUTH_EAST_ASIAN = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""The blocks of Thai, Lao, Burmese and Khmer."""


def _characters(*categories: str) -> str:
    """Return the characters of the South East Asian scripts that are of some categories."""
    codes = (code for first, last in _SOUTH_EAST_ASIAN for code in range(first, last + 1))
    return "".join(chr(code) for code in codes if unicodedata.category(chr(code)) in categories)


_SIGNS = _characters("Mn", "Mc") + "\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Vowels, tones, voicing marks and variants of a letter: they belong to its token."""
_FULL_WIDTH = "、。！？｡，：；“”‘’（）《》〈〉「」『』【】…"
_WITHOUT_SPACES = re.compile(f"([{_HAN}{_KANA}{_FULL_WIDTH}{_characters('Lo', 'Lm')}][{_SIGNS}]*)")
_ARABIC_MARKS, _HINDI_MARKS = re.compile("([؟۔،؛])"), re.compile("([।॥])")
_FULL_STOPS = re.compile(
    "(?<=[。!?！？｡…])(?![。!?！？｡…”’」』】）)])(?=.)|(?<=[”’」』】）)])(?<=[。！？｡…].)(?=.)"
)
"""The places after full-width marks, and after the quotes and brackets that close behind them."""


class TextRules(Protocol):
    """The settings that decide how a text becomes sentences and words, as `CorpusSettings` has."""

    @property
    def language(self) -> str:
        """Name of the language's rules."""

    @property
    def nfc(self) -> bool:
        """True if letters and accents are composed."""

    @property
    def lowercase(self) -> bool:
        """True if every token is lower-cased."""

    @property
    def max_tokens(self) -> int:
        """Number of tokens of the longest sentence."""

    @property
    def too_long(self) -> str:
        """`drop` or `cut`: what happens to longer sentences."""


@dataclass(frozen=True)
class Language:
    """The rules of a language, or of several that are written alike."""

    marks: tuple[str, ...] = (".", "?", "!")
    """The marks that end a sentence, for Punkt."""
    divide: Callable[[str], list[str]] | None = None
    """A function that divides a paragraph into sentences in place of Punkt."""
    alone: re.Pattern[str] | None = None
    """The characters that are tokens by themselves, beside those that NLTK knows."""
    capitals: dict[int, int] | None = None
    """Capitals whose small letters differ from Unicode's rule."""

    @property
    def punkt(self) -> PunktLanguageVars:
        """Punkt's description of the language."""
        members = {"sent_end_chars": self.marks, "__slots__": ()}
        described: PunktLanguageVars = type("Marks", (PunktLanguageVars,), members)()
        return described

    def words(self, sentence: str) -> str:
        """Return a sentence with spaces around the characters that are tokens by themselves."""
        return sentence if self.alone is None else self.alone.sub(r" \1 ", sentence)

    def lower(self, text: str) -> str:
        """Return a text in lower case."""
        return (text.translate(self.capitals) if self.capitals else text).lower()


def _at_full_stops(paragraph: str) -> list[str]:
    return [sentence for part in _FULL_STOPS.split(paragraph) if (sentence := part.strip())]


def _at_spaces(paragraph: str) -> list[str]:
    """Divide at spaces, which in Thai stand between sentences and parts of sentences."""
    return paragraph.split()


_LANGUAGES: dict[str, Language] = {
    "any": Language(),
    "turkish": Language(capitals=str.maketrans("Iİ", "ıi")),
    "arabic": Language(marks=(".", "?", "!", "؟", "۔"), alone=_ARABIC_MARKS),
    "hindi": Language(marks=(".", "?", "!", "।", "॥"), alone=_HINDI_MARKS),
    "chinese": Language(divide=_at_full_stops, alone=_WITHOUT_SPACES),
    "japanese": Language(divide=_at_full_stops, alone=_WITHOUT_SPACES),
    "thai": Language(divide=_at_spaces, alone=_WITHOUT_SPACES),
}


def language_of(settings: TextRules) -> Language:
    """Return the rules of a corpus's language."""
    return _LANGUAGES[settings.language]
