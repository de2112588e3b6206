"""Trained models in MLflow: their saving, and the registered model with the alias `best`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.tracking import online_rnnlm_model as loader
from online_rnnlm.tracking.about import RUN_ID
from online_rnnlm.tracking.entries import EARLIER, Entry
from online_rnnlm.tracking.served import COLUMN
from online_rnnlm.tracking.stores import Target, mlflow
from online_rnnlm.tracking.summaries import SUMMARY
from online_rnnlm.use import model_file
from online_rnnlm.use.results import TrainedRun

BEST = "best"
"""The alias of the version that is the best model."""
REQUIREMENTS = (
    *("llvmlite", "mlflow-skinny", "numba", "numpy"),
    *("pandas", "pydantic", "pytensor", "scipy"),
)
"""The names of the packages that loading and scoring import."""
_PARAMETERS = {
    "updates": "string",
    "learn_after": "string",
    "unit_of_text": "string",
    "learning_rate": "double",
    "steps": "long",
}
"""MLflow's types of a call's parameters; each may be left out."""
_LOADER = Path(loader.__file__)
_READY = "READY"


def log_model(target: Target, entry: Entry, run_id: str) -> str:
    """Log the model of a finished run, if it has none yet; return MLflow's id of it.

    Raises UserError if a file of the run is missing or damaged.
    """
    client = target.client
    for model in target.models(run_id):
        if str(model.status) == _READY:
            return str(model.model_id)
        client.delete_logged_model(model.model_id)  # A process was killed while it logged it.
    made = client.create_logged_model(
        target.experiment, name="model", source_run_id=run_id, params=entry.parameters
    )
    with TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        for_run = mlflow().models.Model(run_id=run_id, model_id=made.model_id)
        save_model(target.directory, entry.name, place, for_run)
        client.log_model_artifacts(made.model_id, str(place))
    client.log_outputs(run_id, [mlflow().entities.LoggedModelOutput(made.model_id, 0)])
    client.finalize_logged_model(made.model_id, _READY)
    return str(made.model_id)


def save_model(directory: ExperimentDirectory, name: str, place: Path, for_run: Any = None) -> None:
    """Write the model of a finished run into a folder that does not exist.

    `for_run` has MLflow's ids of run and model. Raises UserError if a file of the run is missing or
    damaged, or if the corpus is another one than the run was trained on.
    """
    run = TrainedRun(directory, name)
    with TemporaryDirectory() as folder:
        data, code = Path(folder) / loader.FILE, Path(folder) / loader.PACKED
        model_file.write(data, run.contents, run.vocabulary)
        code.write_bytes(_packed_sources())
        mlflow().pyfunc.save_model(
            path=str(place),
            loader_module=_LOADER.stem,
            data_path=str(data),
            code_paths=[str(_LOADER), str(code)],
            pip_requirements=[f"{package}=={version(package)}" for package in REQUIREMENTS],
            signature=_signature(),
            input_example=pd.DataFrame({COLUMN: ["the cat sat on the mat .", "it slept ."]}),
            mlflow_model=for_run,
            metadata={"run": name, "identity": run.description.identity},
        )


@cache
def _packed_sources() -> bytes:
    """Return the package's sources as one file: equal ones are equal bytes, so models share it."""
    root, memory = _LOADER.parents[1], BytesIO()
    with ZipFile(memory, "w", ZIP_DEFLATED) as file:
        for source in sorted(root.rglob("*.py")):
            # The date is left out, because it would change the bytes.
            name = source.relative_to(root.parent).as_posix()
            file.writestr(ZipInfo(name), source.read_bytes(), ZIP_DEFLATED)
    return memory.getvalue()


def _signature() -> Any:
    """Return the columns and parameters of a model's calls.

    For a column of strings, MLflow refuses an empty list, and says of other values neither where
    they are nor what is needed. The model itself accepts only text.
    """
    types = mlflow().types
    outputs = {
        "log_probability": "double",
        "tokens": "long",
        "token_log_probabilities": types.schema.Array(types.DataType.double),
    }
    return mlflow().models.ModelSignature(
        inputs=types.Schema([types.ColSpec(types.schema.AnyType(), COLUMN)]),
        outputs=types.Schema([types.ColSpec(kind, name) for name, kind in outputs.items()]),
        params=types.ParamSchema([types.ParamSpec(*one, None) for one in _PARAMETERS.items()]),
    )


def register_best(target: Target, experiment: str, entered: Sequence[tuple[Entry, str]]) -> None:
    """Give the alias to the model of the configuration that is best on `valid`.

    All runs that are compared have been trained on the same text and have the same vocabulary. This
    is done when the experiment has its report.
    """
    client, name = target.client, re.sub(r"[/:'\"]", "-", experiment)
    perplexities = {
        run_id: dict(one[:2] for one in entry.final)["valid_perplexity"]
        for entry, run_id in entered
        if entry.has_model and entry.kind != EARLIER
    }
    if not perplexities or not any(entry.kind == SUMMARY for entry, _ in entered):
        return
    best = min(perplexities, key=perplexities.__getitem__)
    registered = next(iter(client.search_registered_models(f"name = '{name}'")), None)
    if registered is None:
        about = f"The networks of {experiment}: `{BEST}` is that with the lowest valid perplexity."
        client.create_registered_model(name, description=about)
    elif BEST in registered.aliases and (
        client.get_model_version_by_alias(name, BEST).run_id == best
    ):
        return
    [model] = target.models(best)
    [entry] = [entry for entry, run_id in entered if run_id == best]
    made = client.create_model_version(
        name,
        model.artifact_location,
        best,
        description=entry.description.replace(f"runs:/{RUN_ID}/model", f"models:/{name}@{BEST}"),
        model_id=model.model_id,
        await_creation_for=0,
    )
    client.set_registered_model_alias(name, BEST, made.version)
