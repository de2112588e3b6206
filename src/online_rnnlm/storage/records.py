"""The base class of records, and the functions that read and write them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field, ValidationError

from online_rnnlm.config.base import Checked
from online_rnnlm.config.mistakes import SHA256, first_message
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, write_json

Digest = Annotated[str, Field(pattern=SHA256)]
"""sha256 as hexadecimal digits."""
Number = int | float
FORMAT: Literal[1] = 1
"""The version of the format that this program writes, the only one that it reads."""


Part = Checked
"""The base of a part of a record."""


class Record(Part):
    """A JSON file, or a line of one."""

    missing: ClassVar[str] = "run the experiment first"
    """Advice in the error message if the file is missing."""

    format: Literal[1] = FORMAT
    """Version of the format; files of other versions are refused."""


AnyRecord = TypeVar("AnyRecord", bound=Record)


def write(path: Path, record: Record) -> None:
    """Write a record as indented JSON, whole or not at all."""
    write_json(path, record.model_dump(mode="json"))


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON, one per line, all of them or none."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record.model_dump(mode="json"), allow_nan=False) + "\n")


def read(kind: type[AnyRecord], path: Path) -> AnyRecord:
    """Read a record.

    Raises UserError, in one line, if the file is missing, damaged or of another version.
    """
    return _parsed(kind, _text(kind, path), str(path))


def read_lines(kind: type[AnyRecord], path: Path) -> list[AnyRecord]:
    """Read a file with a record of that kind on every line; raises UserError as `read` does."""
    lines = enumerate(_text(kind, path).splitlines(), 1)
    return [_parsed(kind, line, f"{path}, line {number}") for number, line in lines]


def _text(kind: type[Record], path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: missing: {kind.missing}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(_damaged(str(path), "not UTF-8")) from None


def _parsed(kind: type[AnyRecord], text: str, where: str) -> AnyRecord:
    try:
        return kind.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise UserError(_damaged(where, first_message(error))) from None


def _damaged(where: str, what: str) -> str:
    return (
        f"{where}: damaged, or of another version: {what}: delete it, and start the experiment "
        "again"
    )
