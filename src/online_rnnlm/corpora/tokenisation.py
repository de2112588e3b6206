"""Tokenisation of articles: sentences by Punkt, trained on the corpus, words by NLTK."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.articles import read_articles
from online_rnnlm.corpora.bare_packages import bare
from online_rnnlm.corpora.corpus import UNKNOWN
from online_rnnlm.corpora.languages import TextRules, language_of
from online_rnnlm.corpora.numbering import Numbered, digest_of_sentence, write_numbered
from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.tally import DUPLICATE, TOO_LONG, TOO_SHORT, Tally
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import CorpusDirectory

with bare("nltk", "nltk.tokenize"):
    from nltk.tokenize.destructive import NLTKWordTokenizer
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTrainer

logger = logging.getLogger(__name__)

# About a million words: Punkt learns slowly, and learns abbreviations no better from ten million.
PUNKT_CHARACTERS = 6_000_000
BATCH_CHARACTERS = 200_000
PARAGRAPH_CHARACTERS = 100_000


def write_sentences(settings: CorpusSettings, articles: Path, out: Path, processes: int) -> None:
    """Write the articles' tokenised sentences in their order, without duplicates and fragments.

    Their article numbers and the number of those that were dropped are written beside them. The
    result does not depend on the number of processes. Raises UserError if no sentence remains.
    """
    punkt = train_punkt(settings, articles)
    tally = Tally()
    found = tally.reading(sentences_of(settings, [articles], punkt, processes))
    kept = unique(of_right_length(settings, found, tally), tally)
    write_numbered(_or_none(tally, settings, articles, progress(kept, "sentences")), out)
    tally.write(CorpusDirectory(out.parent), "sentences")


def train_punkt(settings: TextRules, *articles: Path) -> PunktParameters:
    """Learn abbreviations and sentence starters from the corpus's own articles, unsupervised.

    Of a corpus of more than PUNKT_CHARACTERS characters, only every n-th article is used. Languages
    whose sentences are not found by Punkt need none of it.
    """
    language = language_of(settings)
    if language.divide is not None:
        return PunktParameters()
    characters = sum(len(article.text) for article in read_articles(*articles))
    step = -(-characters // PUNKT_CHARACTERS) or 1
    texts = [article.text for i, article in enumerate(read_articles(*articles)) if i % step == 0]
    logger.info("training Punkt on %d of %s's articles", len(texts), articles[0].name)
    paragraphs = (part for text in texts for part in _paragraphs(settings, text))
    return PunktTrainer("\n".join(paragraphs), lang_vars=language.punkt).get_params()


def sentences_of(
    settings: CorpusSettings, articles: Sequence[Path], punkt: PunktParameters, processes: int
) -> Iterator[Numbered]:
    """Yield the tokenised sentences of files with articles, in their order.

    Each comes with the number of its article, in the order of `read_articles`. Raises UserError if
    a file has no text.
    """
    work = partial(_tokenise_batch, punkt, settings)
    texts = (article.text for article in read_articles(*articles))
    batches = ordered_map(work, _batches(texts), processes)
    for number, sentences in enumerate(chain.from_iterable(batches)):
        for sentence in sentences:
            yield sentence, number


def of_right_length(
    settings: CorpusSettings, sentences: Iterable[Numbered], tally: Tally
) -> Iterator[Numbered]:
    """Yield the sentences that are neither fragments nor too long."""
    for sentence, number in sentences:
        tokens = sentence.count(" ") + 1
        if tokens < settings.min_tokens:
            tally.drop(TOO_SHORT)
        elif tokens > settings.max_tokens:
            tally.drop(TOO_LONG)
        else:
            yield sentence, number


def unique(sentences: Iterable[Numbered], tally: Tally) -> Iterator[Numbered]:
    """Yield each sentence only the first time; 16 bytes of each are kept in memory."""
    seen: set[bytes] = set()
    for sentence, number in sentences:
        digest = digest_of_sentence(sentence)
        if digest in seen:
            tally.drop(DUPLICATE)
        else:
            seen.add(digest)
            yield sentence, number


def _or_none(
    tally: Tally, settings: CorpusSettings, articles: Path, sentences: Iterable[Numbered]
) -> Iterator[Numbered]:
    """Yield the sentences; raises UserError, with the reasons, if there was none."""
    yield from sentences
    if tally.kept:
        return
    lengths = f"{settings.min_tokens} to {settings.max_tokens}"
    spaces = "; is it a text without spaces between words? see `language`"
    hint = spaces if set(tally.dropped) == {TOO_SHORT} else ""
    raise UserError(f"{articles}: no sentence of {lengths} tokens in it: {tally}{hint}")


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Group the texts in their order into lists long enough to be worth sending to a process."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _tokenise_batch(
    punkt: PunktParameters, settings: CorpusSettings, texts: list[str]
) -> list[list[str]]:
    """Tokenise texts; return the sentences of each."""
    tokenise = Tokeniser(punkt, settings)
    return [list(tokenise(text)) for text in texts]


class Tokeniser:
    """A function that divides a text into sentences of tokens, by a corpus's settings."""

    def __init__(self, punkt: PunktParameters, settings: TextRules) -> None:
        self._settings = settings
        self._language = language_of(settings)
        splitter = PunktSentenceTokenizer(punkt, lang_vars=self._language.punkt)
        self._divide = self._language.divide or splitter.tokenize
        self._words = NLTKWordTokenizer()

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
            *whole, last = self._divide(part) or [""]
            begin = part.rindex(last) if whole else part.rfind(" ") + 1 or len(part)
            yield from whole or [part[:begin]]
            start += begin
        yield from self._divide(paragraph[start:])

    def tokens(self, sentence: str) -> list[str]:
        """Return a sentence's tokens; quotes are `"`, and an `<unk>` of the text is one token."""
        joined = " ".join(self._words.tokenize(self._language.words(sentence)))
        joined = self._lower(joined) if self._settings.lowercase else joined
        joined = joined.replace("< UNK >", "< unk >").replace("< unk >", UNKNOWN)
        return joined.replace("``", '"').replace("''", '"').split()

    def _lower(self, text: str) -> str:
        """Return the text in lower case; some capitals have lower-case letters to be composed."""
        lower = self._language.lower(text)
        return unicodedata.normalize("NFC", lower) if self._settings.nfc else lower

    def _pieces(self, tokens: list[str]) -> Iterator[list[str]]:
        """Yield the sentence, in pieces if it is too long and is to be cut."""
        most = self._settings.max_tokens
        if self._settings.too_long == "drop" or len(tokens) <= most:
            yield tokens
            return
        for start in range(0, len(tokens), most):
            yield tokens[start : start + most]


def _paragraphs(settings: TextRules, text: str) -> list[str]:
    """Return the paragraphs of a text, with composed letters if the settings say so."""
    return (unicodedata.normalize("NFC", text) if settings.nfc else text).splitlines()
