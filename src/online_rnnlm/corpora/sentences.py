"""The third stage of a corpus: its articles as tokenised sentences, each only once."""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import numpy as np

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.corpora.records import Counts, SentenceSplitter
from online_rnnlm.corpora.textfiles import Numbered, read_articles
from online_rnnlm.corpora.tokenisation import tokenise_texts, train_splitter
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import CorpusDirectory

logger = logging.getLogger(__name__)

BATCH_CHARACTERS = 200_000
TOO_SHORT = "too short"
TOO_LONG = "too long"
DUPLICATE = "duplicate"


def write_sentences(settings: CorpusSettings, directory: CorpusDirectory, processes: int) -> None:
    """Write the articles' tokenised sentences in their order, without duplicates and fragments.

    The sentence splitter, the article numbers of the sentences, int32 (sentences,), and the number
    of those that were dropped are written beside them. Raises UserError if no sentence remains.
    """
    articles = directory.articles
    splitter = train_splitter(settings, articles)
    dropped: Counter[str] = Counter()
    found = sentences_of(settings, [articles], splitter, processes)
    kept = unique(of_right_length(settings, found, dropped), dropped)
    numbers = array("i")
    # The text is put in place last, so wherever there is a text, there are its numbers.
    with replacing(directory.sentences) as lines, replacing(directory.sentence_articles) as beside:
        with lines.open("w", encoding="utf-8") as file:
            for sentence, number in kept:
                file.write(sentence + "\n")
                numbers.append(number)
        counts = Counts(read=len(numbers) + dropped.total(), dropped=dict(dropped))
        if not numbers:
            lengths = f"{settings.min_tokens} to {settings.max_tokens}"
            raise UserError(
                f"{articles}: no sentence of {lengths} tokens in it: {counts}; a text without "
                "spaces between words must be tokenised first: see `tokenised`"
            )
        with beside.open("wb") as out:
            np.save(out, np.array(numbers, dtype=np.int32))
    records.write(directory.sentence_splitter, splitter)
    records.write(directory.counts("sentences"), counts)
    logger.info("sentences: %s", counts)


def sentences_of(
    settings: CorpusSettings, articles: Sequence[Path], splitter: SentenceSplitter, processes: int
) -> Iterator[Numbered]:
    """Yield the tokenised sentences of files with articles, in their order.

    Each comes with the number of its article, in the order of `read_articles`. Raises UserError if
    a file has no text.
    """
    work = partial(tokenise_texts, splitter, settings)
    texts = (article.text for article in read_articles(*articles))
    batches = ordered_map(work, _batches(texts), processes)
    for number, sentences in enumerate(chain.from_iterable(batches)):
        for sentence in sentences:
            yield sentence, number


def of_right_length(
    settings: CorpusSettings, sentences: Iterable[Numbered], dropped: Counter[str]
) -> Iterator[Numbered]:
    """Yield the sentences that are neither fragments nor too long."""
    for sentence, number in sentences:
        tokens = sentence.count(" ") + 1
        if tokens < settings.min_tokens:
            dropped[TOO_SHORT] += 1
        elif tokens > settings.max_tokens:
            dropped[TOO_LONG] += 1
        else:
            yield sentence, number


def unique(sentences: Iterable[Numbered], dropped: Counter[str]) -> Iterator[Numbered]:
    """Yield each sentence only the first time; 16 bytes of each are kept in memory."""
    seen: set[bytes] = set()
    for sentence, number in sentences:
        digest = blake2b(sentence.encode(), digest_size=16).digest()
        if digest in seen:
            dropped[DUPLICATE] += 1
        else:
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
            batch = []
            characters = 0
    if batch:
        yield batch
