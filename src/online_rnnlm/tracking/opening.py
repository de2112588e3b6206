"""Opening of a trained model by a path, or by its address in MLflow."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SUPPLIED_MODEL
from online_rnnlm.tracking.store import FILE, mlflow, one_line_errors
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.results import load_path

logger = logging.getLogger(__name__)


def load(model: str | Path | None = None) -> TrainedModel:
    """Load a trained model; by default the one that comes with the project.

    `model` is the path of a file that `online-rnnlm export` wrote, of the folder of an experiment's
    results, whose best model on `valid` is meant, or of the folder of one of its runs; or an
    address of MLflow, `models:/NAME@best` or `runs:/ID/model`, in the store that the variable
    `MLFLOW_TRACKING_URI` names. Raises UserError, in one line, if it is none of these, or damaged.
    """
    if model is None:
        if not SUPPLIED_MODEL.is_file():
            raise UserError("no model comes with this installation: name one")
        supplied = load_path(SUPPLIED_MODEL)
        logger.info("the model that comes with the project: %s", supplied.description.in_short())
        return supplied
    address = str(model)
    if not address.startswith(("models:/", "runs:/")):
        return load_path(Path(model))
    with TemporaryDirectory() as folder:
        with one_line_errors():
            place = mlflow().artifacts.download_artifacts(artifact_uri=address, dst_path=folder)
        file = Path(place) / "data" / FILE
        # MLflow gives an empty folder if the files are not where it says.
        if not file.is_file():
            raise UserError(
                f"{address}: has no `{FILE}`: it is no model of this project, or its results were "
                "moved or copied: start the experiment again, which enters them again"
            )
        return load_path(file)
