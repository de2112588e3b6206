"""Reading and writing files of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from online_rnnlm.core.parameters import Parameters
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check, replacing
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import RunRecord, read_finished


def save(parameters: Parameters, path: Path) -> None:
    """Write the weights by name into an `.npz` file, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **parameters._asdict())


def read(path: Path) -> Parameters:
    """Read weights that `save` wrote."""
    with np.load(path) as file:
        return Parameters(**file)


def read_trained(run: RunDirectory, corpus_digest: str) -> Parameters:
    """Read a finished run's weights, to be used with the corpus of that digest.

    Raises UserError if they are not those that the run finished with, or if the run was trained on
    another corpus or has diverged.
    """
    record = records.read(RunRecord, run.record)
    result = read_finished(run)
    if record.corpus_digest != corpus_digest:
        raise UserError(
            f"{run.record}: trained on another corpus than `{record.settings.corpus}` now is"
        )
    check(run.model, result.files, run.result)
    return read(run.model)
