"""The reading of a file of YAML 1.2 or JSON without repeated keys, such as a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from online_rnnlm.errors import UserError


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a file of YAML 1.2, or of JSON if it is named so, with a mapping at its top.

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
    # YAML would read the two halves of a JSON character above U+FFFF apart.
    read = json.loads if path.suffix == ".json" else YAML(typ="safe", pure=True).load
    try:
        values = read(content)
    except ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        what = f"{error.reason}: save the file as text in UTF-8"
        raise UserError(f"{path}, line {line}: not YAML: {what}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = str(error.problem).partition(" with value ")[0]  # a value may be a password
        what = "a tab: indent with spaces" if "'\\t'" in str(error.problem) else said
        raise UserError(f"{path}, line {mark.line + 1}: not YAML: {what}") from None
    except ValueError as error:  # of JSON, or such as the date 2024-02-30
        raise UserError(f"{path}: cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: a mapping of keys to values is needed")
    return values
