"""A trained run as an MLflow model: a folder that scores sentences without this project.

MLflow loads it by `_load_pyfunc`, from the copy of this module that lies in the folder.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.corpora.corpus import (
    SENTENCE_END_ID,
    UNKNOWN,
    Corpus,
    Split,
    read_vocabulary,
)
from online_rnnlm.errors import UserError
from online_rnnlm.model import parameters
from online_rnnlm.processes import kernel_sources, prepare_process
from online_rnnlm.runs import (
    CorpusDirectory,
    ExperimentDirectory,
    RunDirectory,
    read_json,
)
from online_rnnlm.settings import (
    LearnAfter,
    PositiveFloat,
    PositiveInt,
    RunSettings,
    Settings,
    TestingSettings,
)
from online_rnnlm.tracking.library import mlflow
from online_rnnlm.updates import (
    ALL,
    DOCUMENT_VECTOR,
    NONE,
    final_evaluation,
    name_of,
    parts_named,
    parts_of,
)

if TYPE_CHECKING:  # they load numba and PyTensor, which `prepare_process` must precede
    from online_rnnlm.model.engine import OnlineScorer
    from online_rnnlm.model.state import OnlineSettings

COLUMN = "sentence"
REQUIREMENTS = (
    "llvmlite",
    "mlflow-skinny",
    "numba",
    "numpy",
    "pandas",
    "pydantic",
    "pytensor",
    "scipy",
)
"""What loading and scoring import, in packages' names."""
_PACKAGE = Path(__file__).parents[1]
_EXAMPLES = 3
_BLANKS = re.compile(r"[ \t\r\n]+")


def save_model(
    directory: ExperimentDirectory,
    name: str,
    path: Path,
    testing: TestingSettings | None = None,
    *,
    run_id: str | None = None,
    model_id: str | None = None,
) -> None:
    """Write the model of a finished run into a folder that is empty or not there.

    `testing` gives the default of `steps`. The ids, if any, are those of the MLflow run and
    logged model that the folder is for. Raises UserError if a file of the run is missing.
    """
    run = directory.run(name)
    record = read_json(_existing(run.run))
    settings = RunSettings.model_validate(record["settings"])
    corpus = directory.corpus(settings.corpus)
    library = mlflow()
    with TemporaryDirectory() as folder:
        library.pyfunc.save_model(
            path=str(path),
            loader_module=__name__,
            data_path=str(_data(run, corpus, Path(folder))),
            code_paths=[str(_PACKAGE)],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            signature=_signature(settings, testing or TestingSettings()),
            input_example=pd.DataFrame({COLUMN: _examples(corpus)}),
            mlflow_model=library.models.Model(run_id=run_id, model_id=model_id),
            metadata={"run": name, "identity": record["identity"]},
        )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: missing: a model needs it")
    return path


def _data(run: RunDirectory, corpus: CorpusDirectory, folder: Path) -> Path:
    """A folder with what the model is made of, each file named as where it is from."""
    data = folder / "run"
    data.mkdir()
    _existing(run.result)  # without it, the run goes on
    for file in (run.run, run.model, corpus.vocabulary):
        shutil.copy2(_existing(file), data)
    return data


def _examples(corpus: CorpusDirectory) -> list[str]:
    """The first sentences of `valid`."""
    with _existing(corpus.text("valid")).open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line, _ in zip(file, range(_EXAMPLES), strict=False)]


def _signature(settings: RunSettings, testing: TestingSettings) -> Any:
    library = mlflow()
    types = library.types
    column, double, long = types.ColSpec, types.DataType.double, types.DataType.long
    string, param = types.DataType.string, types.ParamSpec
    return library.models.ModelSignature(
        inputs=types.Schema([column(string, COLUMN)]),
        outputs=types.Schema(
            [
                column(double, "log_probability"),
                column(long, "tokens"),
                column(types.schema.Array(double), "token_log_probabilities"),
            ]
        ),
        params=types.ParamSchema(
            [
                param("updates", string, final_evaluation(settings.document_size)),
                param("learn_after", string, "word"),
                param("unit_of_text", string, "sentence"),
                param("learning_rate", double, None),
                param("steps", long, testing.steps),
            ]
        ),
    )


class Request(Settings):
    """How a call's sentences are to be scored."""

    updates: str
    """What learns: `none`, `all`, or parts joined by `+`."""
    learn_after: LearnAfter
    unit_of_text: Literal["sentence", "stream"]
    """What it is kept for; `stream` is all of the call: so is a document, scored by itself."""
    learning_rate: PositiveFloat | None
    """The rate of weights that learn, or of the vector where it learns alone: its own if None."""
    steps: PositiveInt
    """Hidden states that a word's loss is propagated back through where weights learn."""


class ServedModel:
    """Scores sentences; every call begins with the trained weights."""

    def __init__(self, folder: Path) -> None:
        from online_rnnlm.model import engine  # noqa: PLC0415

        settings = read_json(RunDirectory(folder).run)["settings"]
        # Wherever it is served, whatever it was trained with: there the kernels are.
        anywhere = {"engine": "kernel", "device": "cpu"}
        self._settings = RunSettings.model_validate({**settings, **anywhere})
        self._corpus = _corpus(CorpusDirectory(folder))
        self._ids = {word: number for number, word in enumerate(self._corpus.words)}
        self._weights = parameters.read(RunDirectory(folder).model)
        self._scorer = engine.scorer(self._settings, self._corpus)
        self._online: tuple[OnlineSettings, OnlineScorer] | None = None
        self._lock = threading.Lock()  # a server calls from several threads

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
        """A row a sentence: log P of all of it, its tokens (`</s>` is one), and log P of each.

        `params` are those of `Request`; raises MlflowException if one cannot be.
        """
        request = _request(params)
        learning = _learning(request, self._settings.document_size)
        split = self._encode(model_input[COLUMN])
        with self._lock:
            logs = self._log_probabilities(split, request, learning)
        if learning and not np.isfinite(logs).all():
            _refuse("`learning_rate`: diverged: a smaller one is needed")
        return _table(split, logs, model_input.index)

    def _encode(self, sentences: Iterable[Any]) -> Split:
        """The words' ids, as those of a prepared corpus."""
        unknown, stream, offsets = self._corpus.unk_id, [SENTENCE_END_ID], [0]
        for number, sentence in enumerate(sentences):
            if not isinstance(sentence, str):
                _refuse(f"`{COLUMN}` in row {number}: text is needed", sentence)
            words = filter(None, _BLANKS.split(sentence))
            stream += [*(self._ids.get(word, unknown) for word in words), SENTENCE_END_ID]
            offsets.append(len(stream) - 1)
        return Split(np.array(stream, np.int32), np.array(offsets, np.int64))

    def _log_probabilities(
        self, split: Split, request: Request, learning: frozenset[str]
    ) -> NDArray[np.float64]:
        """log P of every token, by what the project's own evaluations are made with."""
        numbers = np.arange(split.sentences)
        as_trained = (request.learn_after, request.unit_of_text) == ("word", "sentence")
        if not learning or (learning == {DOCUMENT_VECTOR} and as_trained):
            rate = self._document_rate(request, learning)
            return self._scorer(self._weights, split, numbers, rate).log_probabilities
        return self._online_scorer(request, learning).score(split, numbers).log_probabilities

    def _document_rate(self, request: Request, learning: frozenset[str]) -> float:
        """Beside weights that learn, the vector keeps the rate that it was trained with."""
        if DOCUMENT_VECTOR not in learning:
            return 0.0
        alone = learning == {DOCUMENT_VECTOR}
        return (request.learning_rate if alone else None) or self._settings.document_rate

    def _online_scorer(self, request: Request, learning: frozenset[str]) -> OnlineScorer:
        """The scorer of the last call, if it is the same: making one takes a while."""
        from online_rnnlm.model import engine  # noqa: PLC0415
        from online_rnnlm.model.state import OnlineSettings  # noqa: PLC0415

        groups = learning - {DOCUMENT_VECTOR}
        online = OnlineSettings(
            groups,
            learning_rate=(request.learning_rate or 0.0) if groups else 0.0,
            document_rate=self._document_rate(request, learning),
            steps=request.steps,
            learn_after=request.learn_after,
            unit_of_text=request.unit_of_text,
        )
        if self._online is None or self._online[0] != online:
            scorer = engine.online_scorer(self._settings, self._corpus, self._weights, online)
            self._online = online, scorer
        return self._online[1]


def _load_pyfunc(path: str) -> ServedModel:
    """What MLflow calls, with the folder of the model's data."""
    prepare_process()
    _share_kernels(Path(path).parents[1])
    return ServedModel(Path(path))


def _share_kernels(model: Path) -> None:
    """Have the kernels imported from a copy of them that all models with the same ones share.

    numba finds compiled code by the place of its source. MLflow often makes a copy of a model to
    load it, and would have its kernels compiled each time.
    """
    from online_rnnlm.model import kernels  # noqa: PLC0415

    own = Path(kernels.__path__[0]).resolve()
    if not own.is_relative_to(model.resolve()):
        return  # this process has the package from elsewhere
    shared = Path(os.environ["NUMBA_CACHE_DIR"]) / f"sources-{kernel_sources()}"
    if not shared.is_dir():
        shared.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=shared.parent) as folder:
            copy = shutil.copytree(own, Path(folder) / "kernels")
            with suppress(OSError):  # another process has been faster
                copy.replace(shared)
    kernels.__path__ = [str(shared)]


def _corpus(directory: CorpusDirectory) -> Corpus:
    """A corpus of no text."""
    vocabulary = read_vocabulary(directory.vocabulary)
    return Corpus(
        words=vocabulary.words,
        counts=vocabulary.counts,
        class_offsets=vocabulary.class_offsets,
        unk_id=vocabulary.words.index(UNKNOWN),
        splits={},
        digest="",
    )


def _request(params: dict[str, Any]) -> Request:
    try:
        return Request.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        _refuse(f"`{first['loc'][0]}`: {first['msg']}", first["input"])


def _learning(request: Request, document_size: int) -> frozenset[str]:
    """The parts that learn; refuses what the model does not have, and what makes no sense."""
    parts = parts_of(document_size)
    given = request.updates.split("+")
    if request.updates not in (NONE, ALL) and not set(given) <= set(parts):
        allowed = f"{NONE}, {ALL}, or one or more of {', '.join(parts)} joined by `+`"
        _refuse(f"`updates`: Input should be {allowed}", request.updates)
    learning = parts_named(name_of(given, document_size), document_size)
    if learning - {DOCUMENT_VECTOR} and request.learning_rate is None:
        _refuse("`learning_rate`: weights that learn need one, such as 0.03")
    if learning and request.learn_after == request.unit_of_text:
        _refuse(
            "`unit_of_text`: what is learnt after a sentence is lost with it; `stream` keeps it"
        )
    return learning


def _refuse(what: str, *given: Any) -> NoReturn:
    """Raise the error that MLflow's server tells its client, too."""
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
