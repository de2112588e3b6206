"""A trained run as an MLflow model that scores sentences, even where the project is not installed.

The modules that this one imports, and those that the model's settings choose, are packed into the
model; the rest of the package is not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.config.base import PositiveInt, Rate, Settings
from online_rnnlm.config.evaluations import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    name_of,
    parts_named,
    parts_of,
)
from online_rnnlm.config.messages import first_message
from online_rnnlm.config.testing import LearnAfter
from online_rnnlm.config.training import SENTENCES
from online_rnnlm.corpora.corpus import SENTENCE_END_ID, Split, load_vocabulary
from online_rnnlm.corpora.words import words_of
from online_rnnlm.engines.names import usable_anywhere
from online_rnnlm.errors import UserError
from online_rnnlm.model import weight_files
from online_rnnlm.model.perplexity import diverged
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.records import RunRecord

if TYPE_CHECKING:  # These load numba and PyTensor, which `prepare_process` must precede.
    from online_rnnlm.engines.base import OnlineScorer, OnlineSettings

COLUMN = "sentence"


class Request(Settings):
    """The parameters of a call: the way in which its sentences are scored."""

    updates: str
    """The parts that learn: `none`, `all`, or names joined by `+`."""
    learn_after: LearnAfter
    unit_of_text: Literal["sentence", "stream"]
    """The unit for which learnt values are kept; `stream` is all sentences of the call.

    A document is scored as a `stream` in a call of its own.
    """
    learning_rate: Rate | None
    """The rate of the weights that learn, or of the vector where only the vector learns.

    If None, the vector has the rate that it was trained with.
    """
    steps: PositiveInt
    """Number of hidden states that a word's loss is propagated back through if weights learn."""


class ServedModel:
    """A model that scores sentences; every call begins with the trained weights.

    Raises UserError if the folder's files are damaged, or are not all of one training.
    """

    def __init__(self, folder: Path) -> None:
        from online_rnnlm.engines import registry  # noqa: PLC0415

        record = records.read(RunRecord, RunDirectory(folder).record)
        # A model is also served on other machines, where the engine of its training may be missing.
        self._settings = usable_anywhere(record.settings)
        self._corpus = load_vocabulary(CorpusDirectory(folder))
        self._ids = {word: number for number, word in enumerate(self._corpus.words)}
        self._weights = weight_files.read_trained(RunDirectory(folder), self._corpus)
        self._scorer = registry.scorer(self._settings, self._corpus, SENTENCES)
        self._online: tuple[OnlineSettings, OnlineScorer] | None = None
        self._lock = threading.Lock()  # because a server calls from several threads

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
        """Return a row for each sentence: its log P, its number of tokens, and log P of each token.

        `</s>` counts as a token. `params` are those of `Request`. Raises MlflowException if one of
        them is not valid, for a row that is not a sentence, or if the model diverges.
        """
        request = _request(params)
        learning = _learning(request, self._settings.document_size)
        sentences = _sentences(model_input[COLUMN])
        split = self._encode(sentences)
        with self._lock:
            logs = self._log_probabilities(split, request, learning)
        _refuse_diverged(split, logs, learning=bool(learning))
        return _table(split, logs, sentences.index)

    def _encode(self, sentences: Iterable[Any]) -> Split:
        """Return the words' ids in the format of a prepared corpus."""
        unknown, stream, offsets = self._corpus.unk_id, [SENTENCE_END_ID], [0]
        for number, sentence in enumerate(sentences):
            words = _words(sentence, f"`{COLUMN}` in row {number}")
            stream += [*(self._ids.get(word, unknown) for word in words), SENTENCE_END_ID]
            offsets.append(len(stream) - 1)
        return Split(np.array(stream, np.int32), np.array(offsets, np.int64))

    def _log_probabilities(
        self, split: Split, request: Request, learning: frozenset[str]
    ) -> NDArray[np.float64]:
        """Return log P of every token, computed as in the project's own evaluations."""
        from online_rnnlm.engines.base import OnlineSettings  # noqa: PLC0415

        numbers, trained = np.arange(split.sentences), self._settings.document_rate
        rate = request.learning_rate or trained
        as_trained = (request.learn_after, request.unit_of_text) == ("word", "sentence")
        if not learning or (learning == {DOCUMENT_VECTOR} and as_trained):
            vectors_rate = rate if learning else 0.0
            return self._scorer(self._weights, split, numbers, vectors_rate).log_probabilities
        online = OnlineSettings.of_parts(
            learning,
            rate,
            trained,
            bptt_steps=request.steps,
            learn_after=request.learn_after,
            unit_of_text=request.unit_of_text,
            carries_state=self._settings.reading.state,
        )
        return self._online_scorer(online).score(split, numbers).log_probabilities

    def _online_scorer(self, online: OnlineSettings) -> OnlineScorer:
        """Return the last call's scorer if its settings are the same: making a new one is slow."""
        from online_rnnlm.engines import registry  # noqa: PLC0415

        if self._online is None or self._online[0] != online:
            scorer = registry.online_scorer(self._settings, self._corpus, self._weights, online)
            self._online = online, scorer
        return self._online[1]


def load(folder: Path) -> ServedModel:
    """Load the model from the folder of its data."""
    prepare_process()
    return ServedModel(folder)


def _sentences(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return the sentences of a call, one a row.

    MLflow makes one row of a list, such as that of `{"inputs": ["the cat", "the dog"]}`.
    """
    if len(column) == 1 and isinstance(column.iloc[0], list):
        return pd.Series(column.iloc[0], dtype=object)
    return column


def _words(sentence: Any, where: str) -> list[str]:
    """Return the words of a sentence; refuses what the pipeline refuses in a text."""
    if not isinstance(sentence, str):
        _refuse(f"{where}: text is needed", sentence)
    if "\0" in sentence:
        _refuse(f"{where}: a NUL byte: this is no text")
    line = sentence.rstrip("\r\n")
    if "\n" in line or "\r" in line:
        _refuse(f"{where}: a line end within it: give every sentence a row of its own")
    try:
        line.encode()
        return words_of(line)
    except UnicodeEncodeError as error:
        _refuse(f"{where}, character {error.start + 1}: half of a surrogate pair: this is no text")
    except UserError as error:
        _refuse(f"{where}: {error}")


def _refuse_diverged(split: Split, logs: NDArray[np.float64], *, learning: bool) -> None:
    """Raise MlflowException if the log-probability of a sentence makes no sense."""
    means = -np.add.reduceat(logs, split.offsets[:-1]) / np.diff(split.offsets)
    rows = np.flatnonzero(diverged(means))
    if not rows.size:
        return
    if learning:
        _refuse(f"`learning_rate`: diverged: a smaller one is needed; row {rows[0]} is the first")
    _refuse(f"`{COLUMN}` in row {rows[0]}: diverged: the weights give it no probability")


def _request(params: dict[str, Any]) -> Request:
    try:
        return Request.model_validate(params)
    except ValidationError as error:
        _refuse(first_message(error))


def _learning(request: Request, document_size: int) -> frozenset[str]:
    """Return the parts that learn.

    Raises MlflowException for parts that the model does not have and for useless combinations.
    """
    parts = parts_of(document_size)
    given = request.updates.split("+")
    if request.updates not in (NONE, ALL) and not set(given) <= set(parts):
        allowed = f"{NONE}, {ALL}, or one or more of {', '.join(parts)} joined by `+`"
        _refuse(f"`updates`: Input should be {allowed}", request.updates)
    learning = parts_named(name_of(given, document_size), document_size)
    if learning - {DOCUMENT_VECTOR} and request.learning_rate is None:
        _refuse("`learning_rate`: weights that learn need one, such as 0.03")
    if not learning and request.learning_rate is not None:
        _refuse("`learning_rate`: nothing learns with these `updates`: leave it out")
    if learning and request.learn_after == request.unit_of_text:
        _refuse(
            "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
        )
    return learning


def _refuse(what: str, *given: Any) -> NoReturn:
    """Raise MlflowException, whose message MLflow's server also sends to its client."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    got = "".join(f", not {value!r}" for value in given)
    raise MlflowException.invalid_parameter_value(f"{what}{got}")


def _table(split: Split, logs: NDArray[np.float64], index: pd.Index[Any]) -> pd.DataFrame:
    starts, ends = split.offsets[:-1], split.offsets[1:]
    return pd.DataFrame(
        {
            "log_probability": np.add.reduceat(logs, starts),
            "tokens": ends - starts,
            "token_log_probabilities": [
                logs[start:end].tolist() for start, end in zip(starts, ends, strict=True)
            ],
        },
        index=index,
    )
