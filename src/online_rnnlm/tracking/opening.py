"""Opening of a trained model by a path, or by its address in MLflow."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from online_rnnlm.corpora.corpus import load_vocabulary
from online_rnnlm.errors import WrongInputError, as_wrong_input
from online_rnnlm.model import weight_files
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory
from online_rnnlm.storage.records import ModelDescription
from online_rnnlm.tracking.library import mlflow, one_line_errors, without_password
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.model_file import DESCRIPTION, Contents
from online_rnnlm.use.opening import load_path

_ADDRESSES = ("models:/", "runs:/")
_STORE = "MLFLOW_TRACKING_URI"
"""MLflow's variable with the store's address."""


def load(model: str | Path) -> TrainedModel:
    """Load a trained model.

    `model` is the path of a file that `online-rnnlm export` wrote, of the folder of an experiment's
    results, whose best model on `valid` is meant, or of the folder of one of its runs; or an
    address of MLflow, `models:/NAME@best` or `runs:/ID/model`, in the store that the variable
    `MLFLOW_TRACKING_URI` names. Raises UserError, in one line, if it is none of these, or damaged.
    """
    if not isinstance(model, str | os.PathLike):
        raise WrongInputError(f"the path or the address of a model is needed, not {model!r}")
    address = str(model)
    if not address.startswith(_ADDRESSES):
        return load_path(Path(model))
    prepare_process()
    with as_wrong_input():
        return TrainedModel(_downloaded(address), _no_splitter)


def _no_splitter() -> None:
    """Return None: MLflow has nothing of what finds the ends of sentences in running text."""


def _downloaded(address: str) -> Contents:
    """Read a model that this project has logged; its files are checked as those of a run are."""
    store = without_password(os.environ.get(_STORE) or f"its default store, as {_STORE} is not set")
    with TemporaryDirectory() as folder:
        with one_line_errors(f"{store}, {address}"):
            place = mlflow().artifacts.download_artifacts(artifact_uri=address, dst_path=folder)
        if not (Path(place) / "MLmodel").is_file():  # MLflow gives an empty folder
            raise WrongInputError(
                f"{address}: its files are not where the store says: if the results were moved or "
                "copied, `online-rnnlm track` enters them again"
            )
        data = Path(place) / "data" / "run"
        if not (data / DESCRIPTION).is_file():
            raise WrongInputError(
                f"{address}: has no description: it is no model of this project, or was entered by "
                "an earlier version; export it from its results"
            )
        corpus = load_vocabulary(CorpusDirectory(data))
        weights = weight_files.read_trained(RunDirectory(data), corpus)
        description = records.read(ModelDescription, data / DESCRIPTION)
        return Contents(description, corpus, weights, splitter=None)
