"""Reading of a configuration from a file or from values that Snakemake has read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.messages import first_message
from online_rnnlm.config.yaml_files import read_mapping
from online_rnnlm.errors import UserError


def parse(values: dict[str, Any], file: str = "configuration") -> Experiment:
    """Check a configuration that has been read already.

    Raises UserError with one line that names the file, the key and the allowed values.
    """
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{file}: {first_message(error)}") from None


def load(path: Path) -> Experiment:
    """Read and check a configuration file; raises UserError."""
    return parse(read_mapping(path), str(path))
