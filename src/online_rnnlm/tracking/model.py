"""Trained models in MLflow, which logs them, loads them and calls them as services."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import numpy as np

from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import mlflow
from online_rnnlm.use import model_file
from online_rnnlm.use.options import AdaptationOptions
from online_rnnlm.use.places import NAME_IN_MLFLOW
from online_rnnlm.use.scoring import TextScorer
from online_rnnlm.use.text import sentences_of

if TYPE_CHECKING:  # pandas takes long to load.
    import pandas as pd

COLUMN = "sentence"
"""The column of a call's sentences."""
_TYPES = {float: "double", int: "long"}
"""MLflow's types of numbers; all else is a string."""
REQUIREMENTS = (
    "llvmlite",
    "mlflow-skinny",
    "numba",
    "numpy",
    "pandas",
    "pydantic",
    "pytensor",
    "scipy",
    "tqdm",
)
"""The packages that loading and scoring import."""


def log_model(contents: model_file.Contents) -> None:
    """Log a model in MLflow's active run, with a copy of this package.

    By the copy the model works where this project is not installed, or has another version.
    """
    types = mlflow().types
    # A sentence has any type for MLflow, which refuses an empty list of texts, and says of another
    # value neither where it is nor what is needed. The model accepts only text.
    parameters = [
        types.ParamSpec(name, _TYPES.get(get_args(kind)[0], "string"), None)
        for name, kind in get_type_hints(AdaptationOptions).items()
    ]
    signature = mlflow().models.ModelSignature(
        inputs=types.Schema([types.ColSpec(types.schema.AnyType(), COLUMN)]),
        params=types.ParamSchema(parameters),
    )
    with TemporaryDirectory() as folder:
        file = Path(folder) / NAME_IN_MLFLOW
        model_file.write(file, contents)
        mlflow().pyfunc.log_model(
            name="model",
            loader_module=__name__,
            data_path=str(file),
            code_paths=[str(Path(__file__).parents[1])],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            signature=signature,
        )


def _load_pyfunc(path: str) -> ServedModel:
    """Load a model from its file; MLflow calls this function by its name."""
    return ServedModel(Path(path))


class ServedModel:
    """A model that scores tokenised sentences; every call begins with the trained weights."""

    def __init__(self, file: Path) -> None:
        """Read a model's file; raises UserError if it is damaged."""
        self._scorer = TextScorer.of(model_file.read(file))

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
        """Return a row for each sentence: its log P, its number of tokens, and log P of each token.

        `</s>` counts as a token; an empty text has none. Several threads may call at once.
        `params` are those of `AdaptationOptions`. Raises MlflowException, which MLflow's server
        also sends to its client, if one of them is not valid, for a row that is not a sentence, or
        if the model diverges.
        """
        import pandas as pd  # noqa: PLC0415

        texts = model_input[COLUMN]
        # MLflow makes one row of a list, such as that of `{"inputs": ["the cat", "the dog"]}`.
        if len(texts) == 1 and isinstance(texts.iloc[0], list):
            texts = pd.Series(texts.iloc[0], dtype=object)
        try:
            adaptation = self._scorer.adaptation(**params)
            sentences = sentences_of(
                texts,
                self._scorer.preparation,
                "tokenised",
                separate=True,
                named=f"`{COLUMN}` in row",
            )
            parts = self._scorer.score_parts(sentences, adaptation)
            logs = [sentence for part in parts for sentence in part.by_sentence]
        except UserError as error:
            raise mlflow().exceptions.MlflowException.invalid_parameter_value(str(error)) from None
        columns = {
            "log_probability": [np.add.reduceat(one, [0])[0] if one.size else 0.0 for one in logs],
            "tokens": [len(one) for one in logs],
            "token_log_probabilities": [one.tolist() for one in logs],
        }
        return pd.DataFrame(columns, index=texts.index)
