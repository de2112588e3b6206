"""One file that is a whole model: weights, vocabulary, text preparation, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import AwareDatetime, Field

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.sizes import sizes_of_run
from online_rnnlm.corpora.corpus import Corpus, parse_vocabulary
from online_rnnlm.corpora.records import CorpusSource, SentenceSplitter, TextPreparation
from online_rnnlm.storage.records import Digest, Record
from online_rnnlm.use.archive import Archive, json_bytes, write_archive

DESCRIPTION, VOCABULARY, SPLITTER = "description.json", "vocabulary.tsv", "splitter.json"
_WEIGHTS = "weights/"


_Count = Annotated[int, Field(ge=1, le=10**9)]


class ModelDescription(Record):
    """The description of a model that is one file: what it is, and how it was made."""

    file: ClassVar = "<model>.onlm/description.json"

    run: str
    """Name of the run that trained it."""
    identity: Digest
    """The run's identity."""
    settings: RunSettings
    """The settings that it was trained with."""
    preparation: TextPreparation
    """The preparation of its text."""
    source: CorpusSource
    """The training text, and its licence."""
    corpus_digest: Digest
    """`digest` of the corpus's `statistics.json`."""
    vocabulary_size: _Count
    """Number of words in the vocabulary, `<unk>` and `</s>` included, V."""
    classes: _Count
    """Number of word classes, K."""
    parameters: _Count
    """Number of the model's parameters."""
    epochs: int = Field(ge=0)
    """Number of epochs that it was trained for."""
    ended: AwareDatetime
    """Time at which training ended, in UTC."""
    perplexity: dict[str, float]
    """Perplexity on `valid` and, if the run has been tested, on `test`."""
    packages: dict[str, str]
    """Versions of the packages that it was trained with, by package."""


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
    shapes = parameters.shapes(sizes)._asdict().items()
    weights = parameters.Parameters(
        **{name: archive.array(_WEIGHTS + name, shape, dtype) for name, shape in shapes}
    )
    found = parse_vocabulary(archive.text(VOCABULARY), f"{path}, {VOCABULARY}")
    words, classes = found.vocabulary_size, found.classes
    if (words, classes) != (description.vocabulary_size, description.classes):
        raise archive.damaged(f"{VOCABULARY} has {words} words in {classes} classes")
    corpus = Corpus.of(found, description.corpus_digest)
    return Contents(description, corpus, weights, archive.record(SentenceSplitter, SPLITTER))
