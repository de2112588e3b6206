"""Division of sentences into `train`, `valid` and `test`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.corpus import load_articles
from online_rnnlm.corpora.numbering import Numbered, write_numbered
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.sources import base, source_of
from online_rnnlm.corpora.tally import CUT_OFF, NOT_SAMPLED, Tally
from online_rnnlm.corpora.textfiles import read_lines
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
    settings: CorpusSettings,
    downloads: Path,
    sentences: Path,
    outs: Mapping[str, Path],
    processes: int = 1,
) -> None:
    """Write `train`, `valid` and `test`, one tokenised sentence per line, and the article numbers.

    The file `sentences` is shuffled and divided. A text that is ready needs no `sentences`: its own
    files are read, those at addresses in the folder `downloads`. The number of sentences that are
    in no split is written beside them. Raises UserError if a text cannot be read, or is too short.
    """
    source, tally = source_of(settings.source), Tally()
    files = source.text_files(downloads)
    if not source.ready:
        splits = divide(settings, _load(sentences, tally), tally)
    elif base.WHOLE in files:
        whole = files[base.WHOLE]
        text = _store(whole[0], tally.reading(source.sentences(whole)))
        splits = divide(settings, text, tally)
    else:
        splits = _ready(settings, source, files, processes, tally)
    for split in SPLITS:
        write_numbered(progress(splits[split], f"sentences of {split}"), outs[split])
    tally.write(CorpusDirectory(outs["train"].parent), "splits")


def _store(file: Path, sentences: Iterable[Numbered]) -> StoredText:
    texts: list[bytes] = []
    articles = array("i")
    for sentence, article in sentences:
        texts.append(sentence.encode())
        articles.append(article)
    return StoredText(file, texts, np.array(articles, dtype=np.int32))


def _load(file: Path, tally: Tally) -> StoredText:
    """Load the sentences that an earlier stage wrote, and the article numbers beside them."""
    text = _store(file, tally.reading((sentence, 0) for sentence in read_lines(file)))
    numbers = load_articles(CorpusDirectory.articles_beside(file), len(text.sentences))
    return replace(text, articles=numbers)


def divide(
    settings: CorpusSettings, text: StoredText, tally: Tally
) -> dict[str, Iterator[Numbered]]:
    """Shuffle a text with the seed; the first part is for testing, the next for validation.

    So both stay the same for any number of training sentences, which are taken from the rest.
    Raises UserError if the text is too short, or is to be divided by articles but has none.
    """
    if settings.divide_by == "article":
        parts, cut_off = _divide_articles(settings, text)
    else:
        parts, cut_off = _divide_sentences(settings, text), 0
    tally.drop(CUT_OFF, cut_off)
    used = cut_off + sum(len(part) for part in parts.values())
    tally.drop(NOT_SAMPLED, len(text.sentences) - used)
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


def _divide_articles(settings: CorpusSettings, text: StoredText) -> tuple[dict[str, Indices], int]:
    """Give every split whole articles until it has its sentences; its last one is cut.

    Returns the number of sentences that are cut off, too.
    """
    starts, lengths = _shuffled_articles(settings, text)
    numbers = {
        "test": settings.test_sentences,
        "valid": settings.valid_sentences,
        "train": settings.train_sentences,
    }
    parts: dict[str, Indices] = {}
    used = cut_off = 0
    for split, wanted in numbers.items():
        parts[split], taken = _first_articles(starts[used:], lengths[used:], wanted)
        cut_off += int(lengths[used : used + taken].sum()) - len(parts[split])
        used += taken
        if len(parts[split]) < (wanted or 1):
            raise UserError(
                f"{text.file}: too short for its splits: {len(text.sentences)} sentences of "
                f"{len(starts)} articles leave too few for `{split}` ({_wanted(settings)})"
            )
    return parts, cut_off


def _shuffled_articles(settings: CorpusSettings, text: StoredText) -> tuple[Indices, Indices]:
    """The first sentence and the number of sentences of every article, shuffled with the seed."""
    starts = np.flatnonzero(np.diff(text.articles, prepend=-1))
    lengths = np.diff(starts, append=len(text.articles))
    if len(starts) == 1 and source_of(settings.source).tokenised:
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
    settings: CorpusSettings,
    source: base.Source[Any],
    files: base.Files,
    processes: int,
    tally: Tally,
) -> dict[str, Iterator[Numbered]]:
    """Read the ready files of each split; sentences stay in their file and in their order.

    If the files are not tokenised, they are tokenised here, with a sentence splitter trained on
    `train` alone.
    """
    if source.tokenised:
        splits = {split: source.sentences(files[split]) for split in SPLITS}
    else:
        # NLTK takes a while to load, and a tokenised text needs none of it.
        from online_rnnlm.corpora.tokenisation import (  # noqa: PLC0415
            sentences_of,
            train_punkt,
        )

        punkt = train_punkt(settings, *files["train"])
        splits = {split: sentences_of(settings, files[split], punkt, processes) for split in SPLITS}
    splits = {split: tally.reading(splits[split]) for split in SPLITS}
    return {**splits, "train": _sample(settings, splits["train"], files["train"][0], tally)}


def _sample(
    settings: CorpusSettings, sentences: Iterator[Numbered], file: Path, tally: Tally
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
        starts, lengths = _shuffled_articles(settings, text)
        chosen, taken = _first_articles(starts, lengths, wanted)
        cut_off = int(lengths[:taken].sum()) - wanted
    else:
        chosen, cut_off = np.random.default_rng(settings.seed).permutation(number)[:wanted], 0
    tally.drop(CUT_OFF, cut_off)
    tally.drop(NOT_SAMPLED, number - wanted - cut_off)
    return text.pick(np.sort(chosen))
