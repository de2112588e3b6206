"""Tokenisation of articles: sentences by Punkt, trained on the corpus, words by NLTK."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.nltk_parts import destructive, punkt
from online_rnnlm.corpora.records import SentenceSplitter, TextPreparation
from online_rnnlm.corpora.textfiles import UNKNOWN, read_articles

logger = logging.getLogger(__name__)

# About a million words: Punkt learns slowly, and learns abbreviations no better from ten million.
PUNKT_CHARACTERS = 6_000_000
PARAGRAPH_CHARACTERS = 100_000


TextRules = CorpusSettings | TextPreparation
"""A class with the settings that decide how a text becomes sentences and words."""


@dataclass(frozen=True)
class Language:
    """The rules of a language, or of several that are written alike."""

    marks: tuple[str, ...] = (".", "?", "!")
    """The marks that end a sentence, for Punkt."""
    alone: re.Pattern[str] = re.compile("(?!)")  # nothing
    """The marks that are tokens by themselves, beside those that NLTK knows."""
    capitals: dict[int, int] = field(default_factory=dict)
    """Capitals whose small letters differ from Unicode's rule."""


class _Marks(punkt.PunktLanguageVars):  # type: ignore[misc]  # NLTK has no types
    """Punkt's description of a language, by the marks that end a sentence."""

    def __init__(self, marks: tuple[str, ...]) -> None:
        super().__init__()
        self.sent_end_chars = marks


LANGUAGES = {
    "any": Language(),
    "turkish": Language(capitals=str.maketrans("Iİ", "ıi")),
    "arabic": Language(marks=(".", "?", "!", "؟", "۔"), alone=re.compile("[؟۔،؛]")),
    "hindi": Language(marks=(".", "?", "!", "।", "॥"), alone=re.compile("[।॥]")),
}


def train_splitter(settings: TextRules, *articles: Path) -> SentenceSplitter:
    """Learn abbreviations and sentence starters from the corpus's own articles, unsupervised.

    Of a corpus of more than PUNKT_CHARACTERS characters, only every n-th article is used.
    """
    characters = sum(len(article.text) for article in read_articles(*articles))
    step = -(-characters // PUNKT_CHARACTERS) or 1
    texts = [article.text for i, article in enumerate(read_articles(*articles)) if i % step == 0]
    logger.info("training Punkt on %d of %s's articles", len(texts), articles[0].name)
    paragraphs = (part for text in texts for part in _paragraphs(settings, text))
    marks = _Marks(LANGUAGES[settings.language].marks)
    trainer = punkt.PunktTrainer("\n".join(paragraphs), lang_vars=marks)
    return of_punkt(trainer.get_params())


def of_punkt(learnt: punkt.PunktParameters) -> SentenceSplitter:
    """Return what Punkt has learnt; equal parameters give an equal record."""
    return SentenceSplitter(
        abbreviations=tuple(sorted(learnt.abbrev_types)),
        collocations=tuple(sorted((str(first), str(last)) for first, last in learnt.collocations)),
        starters=tuple(sorted(learnt.sent_starters)),
        contexts=dict(sorted(learnt.ortho_context.items())),
    )


def to_punkt(splitter: SentenceSplitter) -> punkt.PunktParameters:
    """Return the parameters of Punkt that a record holds."""
    learnt = punkt.PunktParameters()
    learnt.abbrev_types.update(splitter.abbreviations)
    learnt.collocations.update(splitter.collocations)
    learnt.sent_starters.update(splitter.starters)
    learnt.ortho_context.update(splitter.contexts)
    return learnt


class Tokeniser:
    """A function that divides a text into sentences of tokens, by a corpus's settings."""

    def __init__(self, learnt: punkt.PunktParameters, settings: TextRules) -> None:
        self._settings = settings
        self._language = LANGUAGES[settings.language]
        marks = _Marks(self._language.marks)
        self._punkt = punkt.PunktSentenceTokenizer(learnt, lang_vars=marks)
        self._words = destructive.NLTKWordTokenizer()

    def __call__(self, text: str) -> Iterator[str]:
        """Yield the sentences, one space between tokens."""
        for paragraph in _paragraphs(self._settings, text):
            for sentence in self._sentences(paragraph):
                tokens = self.tokens(sentence)
                if tokens:
                    yield from map(" ".join, self._pieces(tokens))

    def _sentences(self, paragraph: str) -> Iterator[str]:
        """Divide a paragraph; a very long one part after part, since one pass would take too long.

        The end of a part may lie within its last sentence, so the next part begins with that one.
        """
        start = 0
        while len(paragraph) - start > PARAGRAPH_CHARACTERS:
            part = paragraph[start : start + PARAGRAPH_CHARACTERS]
            *whole, last = self._punkt.tokenize(part) or [""]
            begin = part.rindex(last) if whole else part.rfind(" ") + 1 or len(part)
            yield from whole or [part[:begin]]
            start += begin
        yield from self._punkt.tokenize(paragraph[start:])

    def tokens(self, sentence: str) -> list[str]:
        """Return a sentence's tokens; quotes are `"`, and an `<unk>` of the text is one token."""
        spaced = self._language.alone.sub(r" \g<0> ", sentence)
        joined = " ".join(self._words.tokenize(spaced))
        if self._settings.lowercase:  # some capitals have lower-case letters to be composed
            lower = joined.translate(self._language.capitals).lower()
            joined = unicodedata.normalize("NFC", lower) if self._settings.nfc else lower
        joined = joined.replace("< UNK >", "< unk >").replace("< unk >", UNKNOWN)
        return joined.replace("``", '"').replace("''", '"').split()

    def _pieces(self, tokens: list[str]) -> Iterator[list[str]]:
        """Yield the sentence, in pieces if it is too long and is to be cut."""
        most = self._settings.max_tokens if self._settings.too_long == "cut" else len(tokens)
        for start in range(0, len(tokens), most):
            yield tokens[start : start + most]


def _paragraphs(settings: TextRules, text: str) -> list[str]:
    """Return the paragraphs of a text, with composed letters if the settings say so."""
    return (unicodedata.normalize("NFC", text) if settings.nfc else text).splitlines()


def tokenise_texts(
    splitter: SentenceSplitter, settings: CorpusSettings, texts: list[str]
) -> list[list[str]]:
    """Tokenise texts; return the sentences of each."""
    tokenise = Tokeniser(to_punkt(splitter), settings)
    return [list(tokenise(text)) for text in texts]
