"""Writing of a model of an experiment's results into one file."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.errors import UserError, WrongInputError, as_wrong_input
from online_rnnlm.use import model_file
from online_rnnlm.use.results import find_run


def export(results: Path, output: Path, *, force: bool = False) -> int:
    """Write the model that a folder of results means into a file; return its size in bytes.

    A model that is there already is replaced, but another file only with `force`. Raises UserError.
    """
    if output.is_dir():
        raise WrongInputError(f"{output}: is a directory: the name of a file is needed")
    if output.is_file() and output.stat().st_size and not force and not _is_model(output):
        raise WrongInputError(f"{output}: is another file, which would be lost: see `--force`")
    with as_wrong_input():
        run = find_run(results)
        model, vocabulary, splitter = run.contents, run.vocabulary, run.splitter()
    model_file.write(output, model.description, vocabulary, model.weights, splitter)
    return output.stat().st_size


def _is_model(path: Path) -> bool:
    try:
        model_file.read(path)
    except UserError:
        return False
    return True
