"""Tokenisation of articles: Punkt, trained on the corpus, then NLTK's word tokeniser."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from nltk.tokenize import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer, PunktTrainer

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.articles import read_articles
from online_rnnlm.corpora.corpus import UNKNOWN
from online_rnnlm.corpora.numbering import Numbered, write_numbered
from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.corpora.progress import progress
from online_rnnlm.errors import UserError

logger = logging.getLogger(__name__)

# About a million words: Punkt learns slowly, and learns abbreviations no better from ten million.
PUNKT_CHARACTERS = 6_000_000
BATCH_CHARACTERS = 200_000


def write_sentences(settings: CorpusSettings, articles: Path, out: Path, processes: int) -> None:
    """Write the articles' tokenised sentences in their order, without duplicates and fragments.

    Their article numbers are written beside them. The result does not depend on the number of
    processes. Raises UserError if no sentence remains.
    """
    punkt = train_punkt(articles)
    sentences = unique(sentences_of(settings, articles, punkt, processes))
    write_numbered(progress(sentences, "sentences"), out)


def train_punkt(articles: Path) -> PunktParameters:
    """Learn abbreviations and sentence starters from the corpus's own articles, unsupervised.

    Of a corpus of more than PUNKT_CHARACTERS characters, only every n-th article is used.
    """
    characters = sum(len(article.text) for article in read_articles(articles))
    step = -(-characters // PUNKT_CHARACTERS) or 1
    texts = [article.text for i, article in enumerate(read_articles(articles)) if i % step == 0]
    logger.info("training Punkt on %d of %s's articles", len(texts), articles.name)
    return PunktTrainer("\n".join(texts)).get_params()


def sentences_of(
    settings: CorpusSettings, articles: Path, punkt: PunktParameters, processes: int
) -> Iterator[Numbered]:
    """Yield the articles' tokenised sentences in their order, without fragments and overlong ones.

    Each comes with the number of its article, in the order of `read_articles`. Raises UserError if
    there is no sentence.
    """
    work = partial(_tokenise_batch, punkt, settings)
    texts = (article.text for article in read_articles(articles))
    batches = ordered_map(work, _batches(texts), processes)
    found = False
    for number, sentences in enumerate(chain.from_iterable(batches)):
        for sentence in sentences:
            yield sentence, number
        found = found or bool(sentences)
    if not found:
        lengths = f"{settings.min_tokens} to {settings.max_tokens}"
        raise UserError(f"{articles}: no sentence of {lengths} tokens in it")


def unique(sentences: Iterable[Numbered]) -> Iterator[Numbered]:
    """Yield each sentence only the first time; 16 bytes of each are kept in memory."""
    seen: set[bytes] = set()
    for sentence, number in sentences:
        digest = blake2b(sentence.encode(), digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            yield sentence, number


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
    splitter = PunktSentenceTokenizer(punkt)
    words = NLTKWordTokenizer()
    return [list(_tokenise_text(splitter, words, settings, text)) for text in texts]


def _tokenise_text(
    splitter: PunktSentenceTokenizer, words: NLTKWordTokenizer, settings: CorpusSettings, text: str
) -> Iterator[str]:
    for paragraph in text.splitlines():
        for sentence in splitter.tokenize(paragraph):
            tokens = tokenise(words, sentence, settings.lowercase)
            if settings.min_tokens <= len(tokens) <= settings.max_tokens:
                yield " ".join(tokens)


def tokenise(words: NLTKWordTokenizer, sentence: str, lowercase: bool) -> list[str]:
    """One sentence's tokens; quotes are `"`, and an `<unk>` of the text stays one token."""
    joined = " ".join(words.tokenize(sentence))
    joined = (joined.lower() if lowercase else joined).replace("< UNK >", "< unk >")
    joined = joined.replace("< unk >", UNKNOWN).replace("``", '"').replace("''", '"')
    return joined.split()
