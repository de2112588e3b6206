"""Saving of a trained run as an MLflow model, which scores sentences without this project."""

from __future__ import annotations

import logging
import shutil
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_vocabulary
from online_rnnlm.engines.names import chosen_modules, usable_anywhere
from online_rnnlm.errors import UserError
from online_rnnlm.model import weight_files
from online_rnnlm.storage import records
from online_rnnlm.storage.modules import module_sources
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory, RunDirectory
from online_rnnlm.storage.records import RunRecord
from online_rnnlm.tracking import online_rnnlm_model, served
from online_rnnlm.tracking.library import mlflow
from online_rnnlm.use.model_file import DESCRIPTION
from online_rnnlm.use.results import TrainedRun

logger = logging.getLogger(__name__)

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
"""The names of the packages that loading and scoring import."""
_LOADER = Path(online_rnnlm_model.__file__)
_EXAMPLES = 3


def save_model(
    directory: ExperimentDirectory,
    name: str,
    path: Path,
    testing: TestingSettings | None = None,
    *,
    run_id: str | None = None,
    model_id: str | None = None,
) -> None:
    """Write the model of a finished run into a folder that is empty or does not exist.

    `testing` gives the default of `steps`. `run_id` and `model_id`, if given, are the ids of the
    MLflow run and the logged model that the folder is written for. Raises UserError if a file of
    the run is missing or damaged, or if the corpus is another one than the run was trained on.
    """
    run = directory.run(name)
    record = records.read(RunRecord, run.record)
    settings = record.settings
    corpus = directory.corpus(settings.corpus)
    library = mlflow()
    with TemporaryDirectory() as folder:
        data = _data(run, corpus, Path(folder))
        _describe(directory, name, data)
        library.pyfunc.save_model(
            path=str(path),
            loader_module=_LOADER.stem,
            data_path=str(data),
            code_paths=[str(_LOADER), str(_packed(Path(folder), settings))],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            signature=_signature(settings, testing or TestingSettings()),
            input_example=pd.DataFrame({served.COLUMN: _examples(corpus)}),
            mlflow_model=library.models.Model(run_id=run_id, model_id=model_id),
            metadata={"run": name, "identity": record.identity},
        )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: missing: a model needs it")
    return path


def _data(run: RunDirectory, corpus: CorpusDirectory, folder: Path) -> Path:
    """Copy the files that make up the model into a folder under their own names, and return it.

    Before, they are checked as they are when the model is loaded.
    """
    files = (run.record, run.result, run.model, corpus.statistics, corpus.vocabulary)
    for file in files:
        _existing(file)
    weight_files.read_trained(run, load_vocabulary(corpus))
    data = folder / "run"
    data.mkdir()
    for file in files:
        shutil.copy2(file, data)
    return data


def _describe(directory: ExperimentDirectory, name: str, data: Path) -> None:
    """Write the model's description beside its files, if the configuration still has its corpus.

    What is served needs none; the verbs of this project read it to prepare text.
    """
    try:
        description = TrainedRun(directory, name).description
    except UserError as error:
        logger.debug("%s: is served without a description: %s", name, error)
        return
    records.write(data / DESCRIPTION, description)


def _packed(folder: Path, settings: RunSettings) -> Path:
    """Write the sources that loading and scoring need into one file, and return its path."""
    path = folder / online_rnnlm_model.PACKED
    path.write_bytes(_code(*chosen_modules(usable_anywhere(settings))))
    return path


@cache
def _code(*chosen: str) -> bytes:
    """Return the packed sources; equal code gives equal bytes, so that models can share it."""
    root = _LOADER.parents[2]
    needed = set(module_sources("tracking.served", *chosen))
    parents = {parent for source in needed for parent in source.relative_to(root).parents}
    packages = {root / parent / "__init__.py" for parent in parents if parent.name}
    memory = BytesIO()
    with ZipFile(memory, "w", ZIP_DEFLATED) as file:
        for source in sorted(needed | packages):
            # The date is left out, because it would change the bytes.
            about = ZipInfo(source.relative_to(root).as_posix())
            file.writestr(about, source.read_bytes(), ZIP_DEFLATED)
    return memory.getvalue()


def _examples(corpus: CorpusDirectory) -> list[str]:
    """Read the first sentences of `valid`."""
    with _existing(corpus.text("valid")).open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line, _ in zip(file, range(_EXAMPLES), strict=False)]


def _signature(settings: RunSettings, testing: TestingSettings) -> Any:
    library = mlflow()
    types = library.types
    column, double, long = types.ColSpec, types.DataType.double, types.DataType.long
    string, param = types.DataType.string, types.ParamSpec
    # For a column of strings, MLflow refuses an empty list, and says of other values neither where
    # they are nor what is needed. The model itself accepts only text.
    anything = types.schema.AnyType()
    return library.models.ModelSignature(
        inputs=types.Schema([column(anything, served.COLUMN)]),
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
