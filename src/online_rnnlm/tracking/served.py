"""A trained run as an MLflow model that scores sentences, even where the project is not installed.

The modules that this one imports, and those that the model's settings choose, are packed into the
model; the rest of the package is not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.config.messages import first_message
from online_rnnlm.config.training import SENTENCES
from online_rnnlm.corpora.corpus import Split, load_vocabulary
from online_rnnlm.corpora.words import check_text, words_of
from online_rnnlm.errors import UserError
from online_rnnlm.model import weight_files
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.records import RunRecord
from online_rnnlm.use.network import Network, Request, first_diverged, learning_parts

COLUMN = "sentence"


class ServedRequest(Request):
    """The parameters of a call: the way in which its sentences are scored."""

    unit_of_text: Literal["sentence", "stream"]
    """The unit for which learnt values are kept; `stream` is all sentences of the call.

    A document is scored as a `stream` in a call of its own.
    """


class ServedModel:
    """A model that scores sentences; every call begins with the trained weights.

    Raises UserError if the folder's files are damaged, or are not all of one training.
    """

    def __init__(self, folder: Path) -> None:
        record = records.read(RunRecord, RunDirectory(folder).record)
        corpus = load_vocabulary(CorpusDirectory(folder))
        weights = weight_files.read_trained(RunDirectory(folder), corpus)
        # A model is also served on other machines, where the engine of its training may be missing.
        self._network = Network(record.settings, corpus, weights)
        self._network.scorer(SENTENCES)
        self._lock = threading.Lock()  # because a server calls from several threads

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
        """Return a row for each sentence: its log P, its number of tokens, and log P of each token.

        `</s>` counts as a token. `params` are those of `ServedRequest`. Raises MlflowException if
        one of them is not valid, for a row that is not a sentence, or if the model diverges.
        """
        with _refusing():
            request = _request(params)
            learning = learning_parts(request, self._network.settings.document_size)
            sentences = _sentences(model_input[COLUMN])
            split = self._network.encode(
                _words(sentence, f"`{COLUMN}` in row {number}")
                for number, sentence in enumerate(sentences)
            )
            with self._lock:
                logs = self._network.score(split, request).log_probabilities
            _refuse_diverged(split, logs, learning=bool(learning))
        return _table(split, logs, sentences.index)


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
    check_text(sentence, where)
    try:
        return words_of(sentence.rstrip("\r\n"))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _refuse_diverged(split: Split, logs: NDArray[np.float64], *, learning: bool) -> None:
    """Raise UserError if the log-probability of a sentence makes no sense."""
    row = first_diverged(split, logs)
    if row is None:
        return
    if learning:
        raise UserError(
            f"`learning_rate`: diverged: a smaller one is needed; row {row} is the first"
        )
    raise UserError(f"`{COLUMN}` in row {row}: diverged: the weights give it no probability")


def _request(params: dict[str, Any]) -> ServedRequest:
    try:
        return ServedRequest.model_validate(params)
    except ValidationError as error:
        raise UserError(first_message(error)) from None


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn a UserError into an MlflowException, which MLflow's server also sends to its client."""
    try:
        yield
    except UserError as error:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        raise MlflowException.invalid_parameter_value(str(error)) from None


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
