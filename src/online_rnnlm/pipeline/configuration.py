"""Reading, checking and writing of the configuration for the workflow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from online_rnnlm.config import loading
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory


def read_configuration(values: Mapping[str, Any], files: Iterable[str | Path]) -> Experiment:
    """Check the configuration that Snakemake has merged, and that the user's files exist.

    Raises UserError with one line that names the configuration's files and the wrong key.
    """
    name = " + ".join(os.path.relpath(file) for file in files) or "--config"
    experiment = loading.parse(dict(values), name)
    check_files(experiment, name)
    return experiment


def check_files(experiment: Experiment, name: str) -> None:
    """Raise UserError if a file that a corpus names does not exist."""
    for corpus, settings in experiment.corpora.items():
        for key, file in source_of(settings.source).user_files().items():
            if not file.is_file():
                what = "is a directory, not a file" if file.is_dir() else "no such file"
                raise UserError(f"{name}: `corpora.{corpus}.source.{key}`: {file}: {what}")


def write_configuration(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Write the configuration, with all defaults, beside the results, where the jobs read it."""
    write_json(directory.configuration, experiment.model_dump(mode="json"))
