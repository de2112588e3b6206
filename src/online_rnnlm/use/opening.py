"""Opening of a trained model by a path."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.errors import as_wrong_input
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.use import model_file
from online_rnnlm.use.model import TrainedModel


def load_path(path: Path) -> TrainedModel:
    """Load the model of a file, of a run's folder, or the best one of a folder of results.

    Raises WrongInputError, in one line, if there is none, or if it is damaged.
    """
    prepare_process()
    with as_wrong_input():
        if not path.is_dir():
            contents = model_file.read(path)
            return TrainedModel(contents, contents.own_splitter)
        from online_rnnlm.use.results import find_run  # noqa: PLC0415

        run = find_run(path)
        return TrainedModel(run.contents, run.splitter)
