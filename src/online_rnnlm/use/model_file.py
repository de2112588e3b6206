"""One file that is a whole model: weights, vocabulary, text preparation, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from online_rnnlm.corpora.corpus import UNKNOWN, Corpus, read_vocabulary
from online_rnnlm.errors import WrongInputError
from online_rnnlm.model import parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.sizes import sizes_for, sizes_of_run
from online_rnnlm.storage.records import ModelDescription, SentenceSplitter
from online_rnnlm.use.archive import Archive, Kind, damaged, json_bytes, opened, write_archive

SUFFIX = ".onlm"
DESCRIPTION, VOCABULARY, SPLITTER = "description.json", "vocabulary.tsv", "splitter.json"
_KIND = Kind("model", "a model's file", "`online-rnnlm export`", "export it again")


@dataclass(frozen=True)
class Contents:
    """The contents of a model's file."""

    description: ModelDescription
    corpus: Corpus
    """The vocabulary and its classes; there are no splits."""
    weights: Parameters
    splitter: SentenceSplitter | None
    """None if Punkt is not needed to find the ends of sentences."""

    def own_splitter(self) -> SentenceSplitter | None:
        """Return the splitter; unlike a lambda, this method can be pickled with its object."""
        return self.splitter


def write(
    path: Path,
    description: ModelDescription,
    vocabulary: bytes,
    weights: Parameters,
    splitter: SentenceSplitter | None,
) -> None:
    """Write a model's file, whole or not at all; `vocabulary` is the text of `vocabulary.tsv`."""
    texts = {DESCRIPTION: json_bytes(description), VOCABULARY: vocabulary}
    if splitter is not None:
        texts[SPLITTER] = json_bytes(splitter)
    write_archive(path, texts, {_member_of(n): array for n, array in weights._asdict().items()})


def _member_of(parameter: str) -> str:
    return f"weights/{parameter}"


def read(path: Path) -> Contents:
    """Read a model's file.

    Raises WrongInputError, in one line, if it is missing, truncated, changed, no model, or made by
    a later version of this program, or if its parts do not fit each other.
    """
    with opened(path, _KIND) as archive:
        description = archive.description(ModelDescription, DESCRIPTION)
        settings = description.settings
        sizes = sizes_of_run(settings, description.vocabulary_size, description.classes)
        shapes = parameters.shapes(sizes)._asdict()
        dtype = np.dtype(settings.precision)
        members = {_member_of(name): shape for name, shape in shapes.items()}
        archive.check_members((DESCRIPTION, VOCABULARY), members, dtype, optional=(SPLITTER,))
        corpus = _corpus(archive, description)
        weights = parameters.named(
            {name: archive.array(_member_of(name), shape, dtype) for name, shape in shapes.items()}
        )
        parameters.check_fit(weights, sizes_for(settings, corpus), settings.precision, path)
        if not parameters.all_finite(weights):
            raise damaged(path, "a weight is not a finite number")
        splitter = archive.record(SentenceSplitter, SPLITTER) if SPLITTER in archive else None
        return Contents(description, corpus, weights, splitter)


def _corpus(archive: Archive, description: ModelDescription) -> Corpus:
    text = archive.text(VOCABULARY)
    found = read_vocabulary(text)
    sizes = len(found.words), len(found.class_offsets) - 1
    if sizes != (description.vocabulary_size, description.classes):
        raise WrongInputError(
            f"{text}: damaged: {sizes[0]} words in {sizes[1]} classes, but {DESCRIPTION} says "
            f"{description.vocabulary_size} in {description.classes}"
        )
    if len(set(found.words)) < len(found.words):
        raise WrongInputError(f"{text}: damaged: a word is there twice")
    return Corpus(
        words=found.words,
        counts=found.counts,
        class_offsets=found.class_offsets,
        unk_id=found.words.index(UNKNOWN),
        splits={},
        digest=description.corpus_digest,
    )
