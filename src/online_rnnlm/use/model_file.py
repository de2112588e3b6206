"""One file that is a whole model: weights, vocabulary, text preparation, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from online_rnnlm.core import parameters
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.sizes import sizes_of_run
from online_rnnlm.corpora.corpus import Corpus, parse_vocabulary
from online_rnnlm.storage.records import ModelDescription, SentenceSplitter
from online_rnnlm.use.archive import Archive, json_bytes, write_archive

DESCRIPTION, VOCABULARY, SPLITTER = "description.json", "vocabulary.tsv", "splitter.json"
_WEIGHTS = "weights/"


@dataclass(frozen=True)
class Contents:
    """The contents of a model's file."""

    description: ModelDescription
    corpus: Corpus
    """The vocabulary and its classes; there are no splits."""
    weights: Parameters
    splitter: SentenceSplitter
    """Finds the ends of sentences; it knows nothing if the training text was tokenised already."""


def write(path: Path, contents: Contents, vocabulary: bytes, *, half: bool = False) -> None:
    """Write a model's file, whole or not at all; `vocabulary` is the text of `vocabulary.tsv`.

    With `half`, weights are rounded to 16 bits, and the file is half as large.
    """
    texts = {
        DESCRIPTION: json_bytes(contents.description),
        VOCABULARY: vocabulary,
        SPLITTER: json_bytes(contents.splitter),
    }
    kept = {
        name: array.astype("float16") if half else array
        for name, array in contents.weights._asdict().items()
    }
    write_archive(path, texts, {_WEIGHTS + name: array for name, array in kept.items()})


def read(path: Path) -> Contents:
    """Read a model's file.

    Raises UserError, in one line, if it is missing, truncated, damaged, no model, or made by
    a later version of this program, or if its parts do not fit each other.
    """
    archive = Archive(path)
    description = archive.description(ModelDescription, DESCRIPTION)
    settings = description.settings
    sizes = sizes_of_run(settings, description.vocabulary_size, description.classes)
    dtype = np.dtype(settings.precision)
    weights = parameters.named(
        {
            name: archive.array(_WEIGHTS + name, shape, dtype)
            for name, shape in parameters.shapes(sizes)._asdict().items()
        }
    )
    found = parse_vocabulary(archive.text(VOCABULARY), f"{path}, {VOCABULARY}")
    words, classes = found.vocabulary_size, found.classes
    if (words, classes) != (description.vocabulary_size, description.classes):
        raise archive.damaged(f"{VOCABULARY} has {words} words in {classes} classes")
    corpus = Corpus.of(found, description.corpus_digest)
    return Contents(description, corpus, weights, archive.record(SentenceSplitter, SPLITTER))
