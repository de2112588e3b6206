"""The file of a model: an archive of its weights, vocabulary and text preparation, and of how it
was made (docs/data-formats.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo, is_zipfile

import numpy as np
from numpy.lib import format as npy
from pydantic import AwareDatetime, Field, ValidationError

from online_rnnlm.config.mistakes import first_message
from online_rnnlm.config.runs import network_name
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.corpora.corpus import Corpus, parse_vocabulary
from online_rnnlm.corpora.records import CorpusSource, SentenceSplitter, TextPreparation
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import json_text, writing_output
from online_rnnlm.storage.records import Digest, Record

DESCRIPTION = "description.json"
VOCABULARY = "vocabulary.tsv"
SPLITTER = "splitter.json"
_WEIGHTS = "weights/"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes
_WRITER = "`online-rnnlm export` writes one"
_Count = Annotated[int, Field(ge=1, le=10**9)]


class ModelDescription(Record):
    """The description of a model that is one file: what it is, and how it was made."""

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

    def about(self) -> dict[str, str]:
        """Return what a person wants to know of the model, by its name."""
        settings = self.settings
        vector = f"{settings.document_size} numbers; rate {settings.document_rate:g}"
        return {
            "network": network_name(settings),
            "run": self.run,
            "parameters": f"{self.parameters:,}",
            "vocabulary": f"{self.vocabulary_size:,} words in {self.classes} classes",
            "document vector": vector if settings.document_size else "none",
            "unit of text": settings.unit_of_text,
            "perplexity": ", ".join(f"{v:.2f} on {k}" for k, v in self.perplexity.items()),
            "text": self.source.title,
            "licence": self.source.licence or "not known",
            "preparation": _in_words(self.preparation),
            "trained": f"{self.epochs} epochs, until {self.ended:%Y-%m-%d %H:%M} UTC",
            "identity": self.identity,
        }

    def in_short(self) -> str:
        """Return the network, its vocabulary, its text and its perplexity in one line."""
        about = self.about()
        network = f"{about['network']}, {about['vocabulary']}, {about['text']}"
        return f"{network}, perplexity {about['perplexity']}"


def _in_words(rules: TextPreparation) -> str:
    """Return how text is prepared, in words."""
    if rules.tokenised:
        return "none: the text was tokenised already"
    language = "" if rules.language == "any" else f"rules of {rules.language.capitalize()}, "
    case = "lower case" if rules.lowercase else "case kept"
    return f"{language}{case}, {'NFC' if rules.nfc else 'letters as they are'}"


@dataclass(frozen=True)
class Contents:
    """All that a model is made of."""

    description: ModelDescription
    corpus: Corpus
    """The vocabulary and its classes; there are no splits."""
    weights: Parameters
    splitter: SentenceSplitter
    """Finds the ends of sentences; it knows nothing if the training text was tokenised already."""
    vocabulary: bytes
    """The text of `vocabulary.tsv`."""


def write(path: Path, contents: Contents, *, half: bool = False) -> None:
    """Write a model's file, whole or not at all; a pipe or a device is written into.

    With `half`, weights are rounded to 16 bits, and the file is half as large.
    """
    texts = {
        DESCRIPTION: json_text(contents.description.model_dump(mode="json")).encode(),
        VOCABULARY: contents.vocabulary,
        SPLITTER: json_text(contents.splitter.model_dump(mode="json")).encode(),
    }
    with writing_output(path) as temporary, ZipFile(temporary, "w") as archive:
        for name, content in texts.items():
            archive.writestr(ZipInfo(name, _DATE), content, ZIP_DEFLATED)
        for name, array in contents.weights._asdict().items():
            kept = np.ascontiguousarray(array.astype("float16") if half else array)
            member = ZipInfo(f"{_WEIGHTS}{name}.npy", _DATE)
            with archive.open(member, "w", force_zip64=True) as out:
                npy.write_array(out, kept, (1, 0), allow_pickle=False)


def read(path: Path) -> Contents:
    """Read a model's file.

    Raises UserError, in one line, if it is missing, truncated, damaged, no model, or made by
    another version of this program.
    """
    members = _members(path)
    if DESCRIPTION not in members:
        raise UserError(f"{path}: no model: has no `{DESCRIPTION}`; {_WRITER}")
    try:
        description = ModelDescription.model_validate_json(members[DESCRIPTION], strict=True)
        splitter = SentenceSplitter.model_validate_json(members[SPLITTER], strict=True)
        text = members[VOCABULARY]
        arrays = {name: members[_WEIGHTS + name] for name in Parameters._fields}
    except KeyError as error:
        raise UserError(f"{path}: damaged: has no {error}") from None
    except ValidationError as error:
        why = first_message(error)
        raise UserError(f"{path}: damaged, or made by another version: {why}") from None
    dtype = np.dtype(description.settings.precision)  # half precision is widened
    weights = {name: np.ascontiguousarray(array, dtype) for name, array in arrays.items()}
    vocabulary = parse_vocabulary(text, f"{path}, {VOCABULARY}")
    corpus = Corpus.of(vocabulary, description.corpus_digest)
    return Contents(description, corpus, Parameters(**weights), splitter, text)


def _members(path: Path) -> dict[str, Any]:
    """Read the members of a model's file, texts as bytes, by their names.

    Zip's own sums protect them.
    """
    why = why_no_file(path)
    if why is not None:
        raise UserError(f"{path}: {why}: the file of a model is needed")
    if not is_zipfile(path):
        raise UserError(f"{path}: no model, or cut off: {_WRITER}")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            return dict(members)
    except Exception as error:  # Python's readers raise a dozen kinds for damaged archives.
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"{path}: damaged: {why}") from None
