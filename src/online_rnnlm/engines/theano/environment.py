"""The Python environment that Theano has for itself: where it is, and what runs in it."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import distributions
from pathlib import Path

from online_rnnlm.errors import UserError

PYTHON = "THEANO_PYTHON"
"""Variable with the path of the Python that has Theano 1.0.5."""
DEFAULT_PYTHON = ".venv-theano/bin/python"
"""The Python that `make theano` makes, below the project's folder."""
_FLAGS = {
    # These two optimisations fail on the empty matrices of a layer without a document vector.
    "optimizer_excluding": "scan_pushout_dot1:scanOp_pushout_output",
}


def python() -> str:
    """The Python that has Theano; a relative path starts at the current folder."""
    return os.environ.get(PYTHON, DEFAULT_PYTHON)


def version() -> str:
    """The version of the Theano that is installed there; raises UserError if there is none."""
    found = shutil.which(python())
    if found is None:
        raise UserError(_missing("no such program"))
    folders = (Path(found).absolute().parents[1] / "lib").glob("python3*/site-packages")
    theano = next(iter(distributions(name="theano", path=[str(path) for path in folders])), None)
    if theano is None:
        raise UserError(_missing("Theano is not installed there"))
    return theano.version


def variables(precision: str) -> dict[str, str]:
    """Environment variables with this package's source, and Theano's flags for a precision.

    Flags that the user has set in THEANO_FLAGS stay, but for these.
    """
    ours = [f"{name}={value}" for name, value in {**_FLAGS, "floatX": precision}.items()]
    flags = [os.environ.get("THEANO_FLAGS", ""), *ours]
    return os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "THEANO_FLAGS": ",".join(filter(None, flags)),
    }


def _missing(why: str) -> str:
    return (
        f"`engine: theano`: {python()}: {why}: `make theano` makes it, and {PYTHON} names another"
    )
