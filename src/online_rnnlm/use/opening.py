"""Opening of a trained model by a path."""

from __future__ import annotations

from pathlib import Path

from online_rnnlm.errors import UserError, WrongInputError
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.use import model_file
from online_rnnlm.use.model import TrainedModel


def load(model: str | Path) -> TrainedModel:
    """Load a trained model.

    `model` is the path of a file that `online-rnnlm export` wrote, of the folder of an experiment's
    results, whose best model on `valid` is meant, or of the folder of one of its runs. Raises
    UserError, in one line, if it is none of these, or damaged.
    """
    prepare_process()
    path = Path(model)
    try:
        if not path.is_dir():
            contents = model_file.read(path)
            return TrainedModel(contents, lambda: contents.splitter)
        from online_rnnlm.use.results import find_run  # noqa: PLC0415

        run = find_run(path)
        return TrainedModel(run.contents, run.splitter)
    except WrongInputError:
        raise
    except UserError as error:
        raise WrongInputError(str(error)) from None
