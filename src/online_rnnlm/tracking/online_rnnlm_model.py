"""The loader of a model in MLflow: every saved model holds a copy of this file and its packed code.

This file imports nothing from the package before it has unpacked it. Models with the same code are
unpacked into the same folder, so that MLflow's copies of a model share it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from zipfile import BadZipFile, ZipFile
from zlib import crc32

PACKAGE = "online_rnnlm"
PACKED = f"{PACKAGE}.zip"
"""The package's sources, beside this file."""


def _load_pyfunc(path: str) -> Any:
    """Load the model from the folder of its data; MLflow calls this function by its name."""
    if PACKAGE not in sys.modules:  # Otherwise this process has already imported it.
        sys.path.insert(0, str(sources(path)))
    from online_rnnlm.tracking.served import load  # noqa: PLC0415

    return load(Path(path))


def sources(path: str) -> Path:
    """Return the folder of the sources that are packed with the model whose data is at `path`."""
    packed = Path(path).parents[1] / "code" / PACKED
    try:
        return _unpacked(packed, _cache())
    except BadZipFile as error:
        raise ValueError(f"{packed}: damaged: {error}") from None
    except OSError:  # The cache cannot be written, so this process uses a folder of its own.
        return _unpacked(packed, Path(mkdtemp(prefix="online-rnnlm-")))


def _cache() -> Path:
    """Return the folder of the user's cache, which also holds the compiled kernels."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"


def _unpacked(packed: Path, cache: Path) -> Path:
    """Unpack the package's sources in one step, and return their folder."""
    place = cache / "models" / hashlib.sha256(packed.read_bytes()).hexdigest()[:32]
    with ZipFile(packed) as file:
        if _is_whole(place, file):
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place.parent) as folder:
            fresh = Path(folder) / "sources"
            file.extractall(fresh)
            with suppress(OSError):  # It is missing, or another process has already moved it.
                place.rename(Path(folder) / "damaged")
            with suppress(OSError):  # Another process has already unpacked it.
                fresh.replace(place)
    return place


def _is_whole(place: Path, file: ZipFile) -> bool:
    """Return True if all files of an archive are in a folder, unchanged."""
    return all(
        (place / one.filename).is_file() and crc32((place / one.filename).read_bytes()) == one.CRC
        for one in file.infolist()
    )
