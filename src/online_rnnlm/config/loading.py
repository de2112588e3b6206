"""Reading of a configuration: YAML 1.2 without repeated keys, checked as an `Experiment`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.messages import first_message
from online_rnnlm.errors import UserError


def load(path: Path) -> Experiment:
    """Read and check a configuration file; raises UserError."""
    return parse(read_mapping(path), str(path))


def parse(values: dict[str, Any], file: str = "configuration") -> Experiment:
    """Check a configuration that has been read already.

    Raises UserError with one line that names the file, the key and the allowed values.
    """
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{file}: {first_message(error)}") from None


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a file of YAML 1.2, or JSON, with a mapping at its top.

    Raises UserError, in one line with the file and the line in it, if the file cannot be read, is
    no YAML, or has a key twice.
    """
    # `snakemake --lint` does without this library: the workflow catalog installs only Snakemake.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import MarkedYAMLError  # noqa: PLC0415
    from ruamel.yaml.reader import ReaderError  # noqa: PLC0415

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        values = YAML(typ="safe", pure=True).load(content)
        if path.suffix == ".json":  # YAML reads the two halves of a character above U+FFFF apart
            values = json.loads(content)
    except ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        what = f"{error.reason}: save the file as text in UTF-8"
        raise UserError(f"{path}, line {line}: not YAML: {what}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UserError(
            f"{path}, line {mark.line + 1}: not YAML: {_reason(str(error.problem))}"
        ) from None
    except RecursionError:
        raise UserError(f"{path}: not YAML: nested too deeply") from None
    except ValueError as error:  # such as the date 2024-02-30
        raise UserError(f"{path}: not YAML: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: a mapping of keys to values is needed")
    return values


def _reason(problem: str) -> str:
    """Return what the library says, without any value, which may be a password."""
    if "'\\t'" in problem:
        return "a tab: indent with spaces"
    return problem.partition(" with value ")[0]
