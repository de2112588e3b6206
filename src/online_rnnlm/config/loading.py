"""Read and check a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.messages import first_message
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
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: a mapping of keys to values is needed")
    return parse(values, str(path))
