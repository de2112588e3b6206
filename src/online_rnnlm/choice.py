"""A row's searched settings: those of its candidate that is best on `valid`."""

from __future__ import annotations

from typing import Any

from online_rnnlm.configuration import Run
from online_rnnlm.errors import UserError
from online_rnnlm.files import read_json
from online_rnnlm.runs import ExperimentDirectory


def resolve(run: Run, directory: ExperimentDirectory) -> Run:
    """The run with its searched settings filled in; the test set has no say in them.

    Raises UserError if a candidate is not finished.
    """
    if not run.candidates:
        return run
    chosen = min((_outcome(name, directory) for name in run.candidates), key=lambda o: o[0])[1]
    return run.model_copy(update={"settings": run.settings.model_copy(update=chosen)})


def _outcome(name: str, directory: ExperimentDirectory) -> tuple[float, dict[str, Any]]:
    """A candidate's validation perplexity, and the values that it tried."""
    files = directory.run(name)
    if not (files.result.is_file() and files.run.is_file()):
        raise UserError(f"{files.result}: missing: train the candidate `{name}` first")
    return read_json(files.result)["valid_perplexity"], read_json(files.run)["searched"]
