"""Reading and writing files of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from online_rnnlm.model.parameters import Parameters, named
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import RunDirectory
from online_rnnlm.storage.runs import check_finished, read_result


def save(parameters: Parameters, path: Path) -> None:
    """Write the weights by name into an `.npz` file, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **parameters._asdict())


def read(path: Path) -> Parameters:
    """Read weights that `save` wrote."""
    with np.load(path) as file:
        return named(file)


def read_trained(run: RunDirectory) -> Parameters:
    """Read a finished run's weights.

    Raises UserError if they are not those that it finished with, or if it has diverged.
    """
    check_finished(run, read_result(run))
    return read(run.model)
