"""Sentences become `train`, `valid` and `test`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from online_rnnlm.configuration import CorpusSettings, TextSource
from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN
from online_rnnlm.corpora.progress import progress
from online_rnnlm.corpora.sources import is_jsonl, ready_files, refuse_none
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.corpora.tokenisation import sentences_of, train_punkt
from online_rnnlm.errors import UserError
from online_rnnlm.runs import SPLITS, replacing


def write_splits(
    settings: CorpusSettings, sentences: Path, outs: Mapping[str, Path], processes: int = 1
) -> None:
    """Write `train`, `valid` and `test`, one tokenised sentence a line.

    `sentences` is shuffled and divided. A text that the user gives tokenised, or in three ready
    files, needs no `sentences`: it is read from the user's files. Raises UserError.
    """
    source = settings.source
    ready = ready_files(source)
    if ready is not None:
        splits = _ready(settings, ready, processes)
    elif isinstance(source, TextSource) and source.tokenised and source.file is not None:
        splits = divide(settings, source.file)
    else:
        splits = divide(settings, sentences)
    for split in SPLITS:
        with replacing(outs[split]) as temporary, temporary.open("w", encoding="utf-8") as file:
            lines = progress(splits[split], f"sentences of {split}")
            file.writelines(sentence + "\n" for sentence in lines)


def read_sentences(file: Path) -> Iterator[str]:
    """A tokenised text's sentences, one space between tokens; empty lines are skipped.

    `<UNK>` is read as `<unk>`. Raises UserError for a text without a sentence, and for `</s>`.
    """
    if is_jsonl(file):
        raise UserError(f"{file}: tokenised text must be plain, a sentence a line, not `.jsonl`")
    yield from refuse_none(_sentences(file), file)


def _sentences(file: Path) -> Iterator[str]:
    for number, line in enumerate(read_lines(file), 1):
        tokens = line.split()
        if SENTENCE_END in tokens:
            raise UserError(
                f"{file}, line {number}: `{SENTENCE_END}` is reserved: "
                "every line's end stands for it already, take it out of the text"
            )
        if tokens:
            yield " ".join(tokens).replace(UNKNOWN.upper(), UNKNOWN)


def divide(settings: CorpusSettings, file: Path) -> dict[str, Iterable[str]]:
    """Shuffle a file's sentences with the seed; the first are for testing, the next for validation.

    So both stay the same, whatever number of training sentences is sampled from the rest.
    """
    sentences = [sentence.encode() for sentence in read_sentences(file)]
    held_out = settings.test_sentences + settings.valid_sentences
    wanted = settings.train_sentences
    needed = held_out + (wanted or 1)
    if len(sentences) < needed:
        raise UserError(
            f"{file}: too short for its splits: {len(sentences)} sentences, at least {needed} are "
            f"needed (`test_sentences` {settings.test_sentences}, `valid_sentences` "
            f"{settings.valid_sentences}, `train_sentences` {wanted or 'at least 1'})"
        )
    order = np.random.default_rng(settings.seed).permutation(len(sentences))
    valid, train = order[settings.test_sentences : held_out], order[held_out:]
    parts = {"train": train[:wanted], "valid": valid, "test": order[: settings.test_sentences]}
    return {split: (sentences[index].decode() for index in part) for split, part in parts.items()}


def _ready(
    settings: CorpusSettings, files: Mapping[str, Path], processes: int
) -> dict[str, Iterable[str]]:
    """Three ready files as they are; nothing moves between them, and their order stays.

    If they are not tokenised, each is, by a sentence splitter that has seen `train` alone.
    """
    if isinstance(settings.source, TextSource) and settings.source.tokenised:
        splits = {split: read_sentences(file) for split, file in files.items()}
    else:
        punkt = train_punkt(files["train"])
        splits = {
            split: sentences_of(settings, file, punkt, processes) for split, file in files.items()
        }
    return {**splits, "train": _sample(settings, splits["train"], files["train"])}


def _sample(settings: CorpusSettings, sentences: Iterator[str], file: Path) -> Iterable[str]:
    """So many of the training sentences as are wanted, drawn with the seed, in their order."""
    wanted = settings.train_sentences
    if wanted is None:
        return sentences
    stored = [sentence.encode() for sentence in sentences]
    if len(stored) < wanted:
        raise UserError(
            f"{file}: too short: {len(stored)} sentences, `train_sentences` asks for {wanted}"
        )
    chosen = np.sort(np.random.default_rng(settings.seed).permutation(len(stored))[:wanted])
    return (stored[index].decode() for index in chosen)
