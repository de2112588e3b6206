"""Writing of a model of an experiment's results into one file."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.errors import UserError, as_wrong_input
from online_rnnlm.use import model_file
from online_rnnlm.use.places import writable_place
from online_rnnlm.use.results import find_run


def export(results: Path, output: Path, *, force: bool = False) -> int:
    """Write the model that a folder of results means into a file; return its size in bytes.

    A model that is there already is replaced, but another file only with `force`. Raises UserError.
    """
    place = writable_place(output, _is_model, force=force, advice=": see `--force`")
    with as_wrong_input():
        run = find_run(results)
        model, vocabulary, splitter = run.contents, run.vocabulary, run.splitter()
    model_file.write(place, model.description, vocabulary, model.weights, splitter)
    return place.stat().st_size


def _is_model(path: Path) -> bool:
    try:
        model_file.read(path)
    except UserError:
        return False
    return True
