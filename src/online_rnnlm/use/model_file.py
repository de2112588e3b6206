"""The file of a model: an archive of its weights, vocabulary and text preparation, and of how it
was made (docs/data-formats.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo, is_zipfile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field, ValidationError

from online_rnnlm.config.mistakes import first_message
from online_rnnlm.config.runs import network_name
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.corpora.corpus import Corpus, parse_vocabulary
from online_rnnlm.corpora.records import CorpusSource, SentenceSplitter, TextPreparation
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import UserError, naming
from online_rnnlm.storage.files import json_text, writing_output
from online_rnnlm.storage.records import FORMAT, AnyRecord, Digest, Record

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
    a later version of this program, or if its parts do not fit each other.
    """
    members = _members(path)
    if DESCRIPTION not in members:
        raise UserError(f"{path}: no model: has no `{DESCRIPTION}`; {_WRITER}")
    damaged = f"{path}: damaged"
    with naming(damaged):
        text = _text(members, DESCRIPTION)
    try:
        version = json.loads(text)["format"]
    except (ValueError, KeyError, TypeError):
        version = None
    if isinstance(version, int) and version > FORMAT:
        raise UserError(
            f"{path}: made by a later version of this program (`format` {version}, this one reads "
            f"{FORMAT}): use that version"
        )
    with naming(damaged):
        description = _record(members, ModelDescription, DESCRIPTION)
        settings = description.settings
        sizes = Sizes.of(settings.network, description.vocabulary_size, description.classes)
        dtype = np.dtype(settings.precision)
        shapes = parameters.shapes(sizes)._asdict().items()
        weights = Parameters(
            **{name: _array(members, _WEIGHTS + name, shape, dtype) for name, shape in shapes}
        )
        splitter = _record(members, SentenceSplitter, SPLITTER)
        text = _text(members, VOCABULARY)
    vocabulary = parse_vocabulary(text, f"{path}, {VOCABULARY}")
    words = vocabulary.vocabulary_size
    classes = vocabulary.classes
    if words != description.vocabulary_size or classes != description.classes:
        raise UserError(f"{damaged}: {VOCABULARY} has {words} words in {classes} classes")
    corpus = Corpus.of(vocabulary, description.corpus_digest)
    return Contents(description, corpus, weights, splitter, text)


_Members = dict[str, bytes | NDArray[Any]]


def _members(path: Path) -> _Members:
    """Read the members of a model's file, which zip's own sums protect, by their names."""
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


def _text(members: _Members, name: str) -> bytes:
    """Return a text, encoded."""
    content = members.get(name)
    if not isinstance(content, bytes):
        raise UserError(f"has no text `{name}`")
    return content


def _record(members: _Members, record: type[AnyRecord], name: str) -> AnyRecord:
    """Return a record."""
    try:
        return record.model_validate_json(_text(members, name), strict=True)
    except ValidationError as error:
        raise UserError(f"{name}: {first_message(error)}") from None


def _array(
    members: _Members, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return a finite array of that shape and type, in C's order; half precision is widened."""
    array = members.get(name)
    if not isinstance(array, np.ndarray):
        raise UserError(f"has no array `{name}`")
    if array.shape != shape or array.dtype not in (dtype, np.float16):
        have = f"{array.dtype} {array.shape}"
        raise UserError(f"`{name}` is {have}, but {dtype} {shape} is needed")
    if not np.isfinite(array).all():
        raise UserError(f"`{name}` has a value that is not finite")
    return np.ascontiguousarray(array, dtype)
