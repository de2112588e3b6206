"""The archive that is a model's file: records, texts and arrays (docs/data-formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo, is_zipfile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.config.messages import first_message
from online_rnnlm.corpora.textfiles import why_no_file
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import json_text, replacing
from online_rnnlm.storage.records import FORMAT, AnyRecord, Record

_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes
_WRITER = "`online-rnnlm export` writes one"


class Archive:
    """The members of a model's file, by name; what does not fit raises UserError, in one line."""

    def __init__(self, path: Path) -> None:
        """Read all members, which zip's own sums protect."""
        self.path = path
        why = why_no_file(path)
        if why is not None:
            raise UserError(f"{path}: {why}: the file of a model is needed")
        if not is_zipfile(path):
            raise UserError(f"{path}: no model, or cut off: {_WRITER}")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
                self._members: dict[str, bytes | NDArray[Any]] = dict(members)
        except Exception as error:  # Python's readers raise a dozen kinds for damaged archives.
            why = " ".join(str(error).split())[:200] or type(error).__name__
            raise self.damaged(why) from None

    def damaged(self, why: str) -> UserError:
        """Return the error for an archive that is damaged."""
        return UserError(f"{self.path}: damaged: {why}")

    def description(self, record: type[AnyRecord], name: str) -> AnyRecord:
        """Return the record that says what the archive is."""
        if name not in self._members:
            raise UserError(f"{self.path}: no model: has no `{name}`; {_WRITER}")
        try:
            version = json.loads(self.text(name))["format"]
        except (ValueError, KeyError, TypeError):
            version = None
        if isinstance(version, int) and version > FORMAT:
            raise UserError(
                f"{self.path}: made by a later version of this program (`format` {version}, this "
                f"one reads {FORMAT}): use that version"
            )
        return self.record(record, name)

    def record(self, record: type[AnyRecord], name: str) -> AnyRecord:
        """Return a record."""
        try:
            return record.model_validate_json(self.text(name), strict=True)
        except ValidationError as error:
            raise self.damaged(f"{name}: {first_message(error)}") from None

    def text(self, name: str) -> bytes:
        """Return a text, encoded."""
        content = self._members.get(name)
        if not isinstance(content, bytes):
            raise self.damaged(f"has no text `{name}`")
        return content

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return a finite array of that shape and type, in C's order; half precision is widened."""
        found = self._members.get(name)
        if not isinstance(found, np.ndarray):
            raise self.damaged(f"has no array `{name}`")
        if found.shape != shape or found.dtype not in (dtype, np.float16):
            have = f"{found.dtype} {found.shape}"
            raise self.damaged(f"`{name}` is {have}, but {dtype} {shape} is needed")
        if not np.isfinite(found).all():
            raise self.damaged(f"`{name}` has a value that is not finite")
        return np.ascontiguousarray(found, dtype)


def write_archive(
    path: Path, texts: Mapping[str, bytes], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write these members by their names, an array's without `.npy`: all of them or nothing."""
    with replacing(path) as temporary, ZipFile(temporary, "w") as archive:
        for name, content in texts.items():
            archive.writestr(ZipInfo(name, _DATE), content, ZIP_DEFLATED)
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True) as out:
                npy.write_array(out, np.ascontiguousarray(array), (1, 0), allow_pickle=False)


def json_bytes(record: Record) -> bytes:
    """Return a record as the text of a member."""
    return json_text(record.model_dump(mode="json")).encode()
