"""The values that the other engines are compared with, and their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from online_rnnlm.cross_check.updates import Values
from online_rnnlm.errors import UserError
from online_rnnlm.model.parameters import under
from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.records import Differences

_WEIGHTS = "weights."


def write_reference(path: Path, engine: str, values: Values) -> None:
    """Write the values that an engine has computed as `.npz`, whole or not at all."""
    arrays = values._asdict()
    weights = {f"{_WEIGHTS}{name}": a for name, a in arrays.pop("weights")._asdict().items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, engine=np.array(engine), **arrays, **weights)


def read_reference(path: Path) -> tuple[str, Values]:
    """Read the values of `write_reference`, and the name of the engine that computed them."""
    with np.load(path, allow_pickle=False) as arrays:
        weights = under(_WEIGHTS, arrays)
        others = {name: arrays[name] for name in Values._fields if name != "weights"}
        return str(arrays["engine"]), Values(weights=weights, **others)


def differences(found: Values, reference: Values) -> Differences:
    """The largest differences of values from a reference; raises UserError if one is not finite.

    A difference is relative where the reference is above 1; arrays without elements are left out.
    """
    names = [name for name, array in reference.weights._asdict().items() if array.size]
    vectors = reference.document_vectors
    return Differences(
        loss=_largest("the losses", found.losses, reference.losses),
        parameters={
            name: _largest(
                f"`{name}`", getattr(found.weights, name), getattr(reference.weights, name)
            )
            for name in names
        },
        log_probabilities=_largest(
            "the log-probabilities", found.log_probabilities, reference.log_probabilities
        ),
        document_vectors=_largest("the document vectors", found.document_vectors, vectors)
        if vectors.size
        else None,
    )


def _largest(what: str, found: np.ndarray, reference: np.ndarray) -> float:
    distance = np.abs(found - reference) / np.maximum(np.abs(reference), 1)
    if not np.isfinite(distance).all():
        raise UserError(f"{what} after the updates: not all numbers are finite")
    return float(distance.max())
