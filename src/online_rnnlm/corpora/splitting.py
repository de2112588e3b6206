"""Division of sentences into `train`, `valid` and `test`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.articles import is_jsonl
from online_rnnlm.corpora.corpus import load_articles
from online_rnnlm.corpora.numbering import Numbered, write_numbered
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.sources.base import ReadyText
from online_rnnlm.corpora.textfiles import read_lines, refuse_none
from online_rnnlm.corpora.tokenisation import sentences_of, train_punkt
from online_rnnlm.corpora.words import words_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StoredText:
    """A file's sentences in memory, as UTF-8, and their article numbers, int32 (sentences,)."""

    file: Path
    sentences: list[bytes]
    articles: npt.NDArray[np.int32]

    def pick(self, indices: Indices) -> Iterator[Numbered]:
        """Yield the sentences with these indices."""
        for index, number in zip(indices, self.articles[indices], strict=True):
            yield self.sentences[index].decode(), number


def write_splits(
    settings: CorpusSettings, sentences: Path, outs: Mapping[str, Path], processes: int = 1
) -> None:
    """Write `train`, `valid` and `test`, one tokenised sentence per line, and the article numbers.

    The file `sentences` is shuffled and divided. A text that is already tokenised, or comes in
    three ready files, needs no `sentences`: its own files are read. Raises UserError if a text
    cannot be read, or is too short.
    """
    ready = source_of(settings.source).ready_text()
    if ready is None:
        splits = divide(settings, _load(sentences))
    elif ready.whole is not None:
        splits = divide(settings, _store(ready.whole, read_sentences(ready.whole)))
    else:
        splits = _ready(settings, ready, processes)
    for split in SPLITS:
        write_numbered(progress(splits[split], f"sentences of {split}"), outs[split])


def read_sentences(file: Path) -> Iterator[Numbered]:
    """Read a tokenised text's sentences, one space between tokens; empty lines divide articles.

    Each sentence comes with the number of its article, from 0. `<UNK>` is read as `<unk>`.
    Raises UserError if the text has no sentence, or contains `</s>`.
    """
    if is_jsonl(file):
        raise UserError(f"{file}: tokenised text must be plain, a sentence a line, not `.jsonl`")
    yield from refuse_none(_sentences(file), file)


def _sentences(file: Path) -> Iterator[Numbered]:
    article, starts = -1, True
    for number, line in enumerate(read_lines(file), 1):
        try:
            words = words_of(line)
        except UserError as error:
            raise UserError(f"{file}, line {number}: {error}") from None
        if words:
            article += starts
            yield " ".join(words), article
        starts = not words


def _store(file: Path, sentences: Iterable[Numbered]) -> StoredText:
    texts: list[bytes] = []
    articles = array("i")
    for sentence, article in sentences:
        texts.append(sentence.encode())
        articles.append(article)
    return StoredText(file, texts, np.array(articles, dtype=np.int32))


def _load(file: Path) -> StoredText:
    """Load the sentences that an earlier stage wrote, and the article numbers beside them."""
    text = _store(file, read_sentences(file))
    numbers = load_articles(CorpusDirectory.articles_beside(file), len(text.sentences))
    return replace(text, articles=numbers)


def divide(settings: CorpusSettings, text: StoredText) -> dict[str, Iterator[Numbered]]:
    """Shuffle a text with the seed; the first part is for testing, the next for validation.

    So both stay the same for any number of training sentences, which are taken from the rest.
    Raises UserError if the text is too short, or is to be divided by articles but has none.
    """
    by_article = settings.divide_by == "article"
    parts = (_divide_articles if by_article else _divide_sentences)(settings, text)
    return {split: text.pick(part) for split, part in parts.items()}


def _divide_sentences(settings: CorpusSettings, text: StoredText) -> dict[str, Indices]:
    number = len(text.sentences)
    held_out = settings.test_sentences + settings.valid_sentences
    wanted = settings.train_sentences
    needed = held_out + (wanted or 1)
    if number < needed:
        raise UserError(
            f"{text.file}: too short for its splits: {number} sentences, at least {needed} are "
            f"needed ({_wanted(settings)})"
        )
    order = np.random.default_rng(settings.seed).permutation(number)
    valid, train = order[settings.test_sentences : held_out], order[held_out:]
    return {"train": train[:wanted], "valid": valid, "test": order[: settings.test_sentences]}


def _wanted(settings: CorpusSettings) -> str:
    return (
        f"`test_sentences` {settings.test_sentences}, `valid_sentences` "
        f"{settings.valid_sentences}, `train_sentences` {settings.train_sentences or 'at least 1'}"
    )


def _divide_articles(settings: CorpusSettings, text: StoredText) -> dict[str, Indices]:
    """Give every split whole articles until it has its sentences; its last one is cut."""
    starts, lengths = _shuffled_articles(settings, text)
    numbers = {
        "test": settings.test_sentences,
        "valid": settings.valid_sentences,
        "train": settings.train_sentences,
    }
    parts: dict[str, Indices] = {}
    used = 0
    for split, wanted in numbers.items():
        parts[split], taken = _first_articles(starts[used:], lengths[used:], wanted)
        used += taken
        if len(parts[split]) < (wanted or 1):
            raise UserError(
                f"{text.file}: too short for its splits: {len(text.sentences)} sentences of "
                f"{len(starts)} articles leave too few for `{split}` ({_wanted(settings)})"
            )
    return parts


def _shuffled_articles(settings: CorpusSettings, text: StoredText) -> tuple[Indices, Indices]:
    """The first sentence and the number of sentences of every article, shuffled with the seed."""
    starts = np.flatnonzero(np.diff(text.articles, prepend=-1))
    lengths = np.diff(starts, append=len(text.articles))
    ready = source_of(settings.source).ready_text()
    if len(starts) == 1 and ready is not None and ready.tokenised:
        raise UserError(
            f"{text.file}: `divide_by: article` needs to know the articles of tokenised text: "
            "put an empty line between them"
        )
    order = np.random.default_rng(settings.seed).permutation(len(starts))
    return starts[order], lengths[order]


def _first_articles(starts: Indices, lengths: Indices, wanted: int | None) -> tuple[Indices, int]:
    """The wanted sentences' indices (or fewer if there are no more), and how many articles."""
    taken = len(starts) if wanted is None else int(lengths.cumsum().searchsorted(wanted)) + 1
    starts, lengths = starts[:taken], lengths[:taken]
    before = lengths.cumsum() - lengths
    indices = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return indices[:wanted], taken


def _ready(
    settings: CorpusSettings, ready: ReadyText, processes: int
) -> dict[str, Iterator[Numbered]]:
    """Read a ready file for each split; sentences stay in their file and in their order.

    If the files are not tokenised, they are tokenised here, with a sentence splitter trained on
    `train` alone.
    """
    files = ready.splits
    if ready.tokenised:
        splits = {split: read_sentences(file) for split, file in files.items()}
    else:
        punkt = train_punkt(files["train"])
        splits = {
            split: sentences_of(settings, file, punkt, processes) for split, file in files.items()
        }
    return {**splits, "train": _sample(settings, splits["train"], files["train"])}


def _sample(
    settings: CorpusSettings, sentences: Iterator[Numbered], file: Path
) -> Iterator[Numbered]:
    """Draw the wanted number of training sentences with the seed; they stay in their order."""
    wanted = settings.train_sentences
    if wanted is None:
        return sentences
    text = _store(file, sentences)
    number = len(text.sentences)
    if number < wanted:
        raise UserError(
            f"{file}: too short: {number} sentences, `train_sentences` asks for {wanted}"
        )
    if settings.divide_by == "article":
        chosen, _ = _first_articles(*_shuffled_articles(settings, text), wanted)
    else:
        chosen = np.random.default_rng(settings.seed).permutation(number)[:wanted]
    return text.pick(np.sort(chosen))
