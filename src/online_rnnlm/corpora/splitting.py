"""Division of sentences into `train`, `valid` and `test`."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.core.arrays import Integers
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import SENTENCE_END_ID
from online_rnnlm.corpora.records import Counts, SentenceSplitter
from online_rnnlm.corpora.sources import base, source_of
from online_rnnlm.corpora.textfiles import SENTENCE_END, Numbered, read_lines
from online_rnnlm.errors import UserError, counted
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory

CUT_OFF = "cut off with an article"
EARLIER_TEST = "earlier test set"
NOT_SAMPLED = "not sampled"
Numbers = dict[str, int]
"""All words of a corpus, numbered in the order in which they were read; `</s>` is the first."""


class ReadSplits(NamedTuple):
    """The splits of a corpus, and texts of another kind, as they were read."""

    texts: dict[str, Split]
    """The sentences of each, as `numbers` of words."""
    numbers: Numbers
    dropped: Counter[str]
    """Numbers of sentences that are in no split, by reason."""


def read_text(sentences: Iterable[Numbered], numbers: Numbers) -> Split:
    """Read sentences as numbers of words; a word not in `numbers` gets the next number."""
    stream = array("i", [numbers.setdefault(SENTENCE_END, SENTENCE_END_ID)])
    offsets = array("q", [0])
    articles = array("i")
    for sentence, article in sentences:
        words = sentence.split(" ") if sentence else ()
        stream.extend([numbers.setdefault(word, len(numbers)) for word in words])
        stream.append(SENTENCE_END_ID)
        offsets.append(len(stream) - 1)
        articles.append(article)
    return Split(
        np.frombuffer(stream, np.int32),
        np.frombuffer(offsets, np.int64),
        np.frombuffer(articles, np.int32),
    )


def _picked(text: Split, indices: Integers) -> Split:
    """Return the sentences with these indices, in that order."""
    lengths = np.diff(text.offsets)[indices]
    words = text.stream[1:][_ranges(text.offsets[indices], lengths)]
    stream = np.concatenate([text.stream[:1], words])
    return Split(stream, np.append(0, lengths.cumsum()), text.articles[indices])


def _ranges(starts: Integers, lengths: Integers) -> Integers:
    """Return the indices of ranges, one range after another."""
    before = lengths.cumsum() - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())


def read_splits(
    settings: CorpusSettings,
    directory: CorpusDirectory,
    downloads: Path,
    processes: int,
    other_texts: Mapping[str, Path],
    splitter: SentenceSplitter,
) -> ReadSplits:
    """Read the sentences of all splits.

    The sentences are those of the stage `sentences`; a ready text is read from its own files (the
    downloaded ones lie in `downloads`). All but ready splits are shuffled and divided. Each of
    `other_texts` is a further split, taken whole and in order. Raises UserError if a text cannot be
    read, or is too short.
    """
    numbers: Numbers = {}
    source = source_of(settings.source)
    files = source.text_files(downloads) if source.skips_sentences else {}
    read = source.sentences if source.tokenised else _tokeniser(settings, splitter, processes)
    if not source.skips_sentences:
        articles = np.load(directory.sentence_articles).tolist()
        sentences = zip(read_lines(directory.sentences), articles, strict=True)
        try:
            splits, dropped = divide(settings, read_text(sentences, numbers))
        except UserError as error:
            counts = records.read(Counts, directory.counts("sentences"))
            raise UserError(f"{error}; sentences of the text: {counts}") from None
    elif base.WHOLE in files:
        splits, dropped = divide(settings, read_text(read(files[base.WHOLE]), numbers))
    else:
        splits = {s: read_text(read(files[s]), numbers) for s in SPLITS}
        dropped = Counter()
        if settings.train_sentences is not None:  # those that are drawn stay in their order
            train = splits["train"]
            drawn, dropped = _draw(settings, train, {"train": settings.train_sentences})
            splits["train"] = _picked(train, np.sort(drawn["train"]))
    others = {name: read_text(read([file]), numbers) for name, file in other_texts.items()}
    return ReadSplits(splits | others, numbers, dropped)


def _tokeniser(
    settings: CorpusSettings, splitter: SentenceSplitter, processes: int
) -> Callable[[Sequence[Path]], Iterator[Numbered]]:
    """Return a function that tokenises files."""
    # NLTK takes a while to load, and a tokenised text needs none of it.
    from online_rnnlm.corpora.sentences import sentences_of  # noqa: PLC0415

    return lambda paths: sentences_of(settings, paths, splitter, processes)


def divide(settings: CorpusSettings, text: Split) -> tuple[dict[str, Split], Counter[str]]:
    """Shuffle a text with the seed, and divide it into splits.

    The first part is for testing, the next for validation, so both stay the same for any number of
    training sentences, which are taken from the rest. If earlier test sets are to be left out, the
    first has the first place, and the others come last, before the new one. Returns the splits, and
    the numbers of sentences that are in none, by reason. Raises UserError if the text is too short,
    or is to be divided by articles but has none.
    """
    wanted = {
        "test": settings.test_sentences,
        "valid": settings.valid_sentences,
        "train": settings.train_sentences,
    }
    if settings.earlier_test_sentences:
        first, *others = settings.earlier_test_sentences
        test = wanted.pop("test")
        later = {f"earlier test {place}": number for place, number in enumerate(others)}
        wanted = {"first test": first, **wanted, **later, "test": test}
    drawn, dropped = _draw(settings, text, wanted)
    dropped[EARLIER_TEST] += sum(len(drawn[name]) for name in drawn if name not in SPLITS)
    return {split: _picked(text, drawn[split]) for split in SPLITS}, dropped


def _draw(
    settings: CorpusSettings, text: Split, wanted: Mapping[str, int | None]
) -> tuple[dict[str, Integers], Counter[str]]:
    """Shuffle sentences or whole articles, and give each split the next ones.

    A split has its wanted number of sentences, or all that are left; its last article is cut.
    Return the splits' sentences, and the numbers of sentences that are in none, by reason.
    """
    dropped: Counter[str] = Counter()
    starts = _starts(settings, text)
    lengths = np.diff(starts, append=text.sentences)
    order = np.random.default_rng(settings.seed).permutation(len(starts))
    drawn = {}
    used = 0
    for split, number in wanted.items():
        left = order[used:]
        if number is not None:
            left = left[: int(lengths[left].cumsum().searchsorted(number)) + 1]
        used += len(left)
        whole = _ranges(starts[left], lengths[left])
        drawn[split] = whole[:number]
        if len(drawn[split]) < (number or 1):
            origin = source_of(settings.source).describe().origin
            raise UserError(
                f"{origin}: too short for its splits: {counted(text.sentences, 'sentence')} "
                f"{'leaves' if text.sentences == 1 else 'leave'} too few for `{split}`: "
                f"`{split}_sentences` {number or 'at least 1'}"
            )
        dropped[CUT_OFF] += len(whole) - len(drawn[split])
    dropped[NOT_SAMPLED] += int(lengths[order[used:]].sum())
    return drawn, dropped


def _starts(settings: CorpusSettings, text: Split) -> Integers:
    """Return the first sentence of each piece of text that is shuffled."""
    if settings.divide_by == "sentence":
        return np.arange(text.sentences)
    starts = np.flatnonzero(np.diff(text.articles, prepend=-1))
    source = source_of(settings.source)
    if len(starts) == 1 and source.tokenised:
        raise UserError(
            f"{source.describe().origin}: `divide_by: article` needs to know the articles "
            "of tokenised text: put an empty line between them"
        )
    return starts
