"""The loader of a model in MLflow: every saved model holds a copy of this file and its packed code.

This file imports nothing from the package before it has unpacked it. Models with the same code are
unpacked into the same folder, so that MLflow's copies of a model share its compiled kernels.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from zipfile import ZipFile

PACKAGE = "online_rnnlm"
FILE = "model.onlm"
"""The file of the model itself."""
PACKED = f"{PACKAGE}.zip"
"""The package's sources, beside this file."""


def _load_pyfunc(path: str) -> Any:
    """Load the model from its file; MLflow calls this function by its name."""
    if PACKAGE not in sys.modules:  # Otherwise this process has already imported it.
        sys.path.insert(0, str(sources(path)))
    from online_rnnlm.tracking.served import ServedModel  # noqa: PLC0415

    return ServedModel(Path(path))


def sources(path: str) -> Path:
    """Unpack the sources that are packed with the model whose file is at `path`; their folder.

    It is in the user's cache, which also holds the compiled kernels, or, if the cache cannot be
    written, a folder of this process.
    """
    packed = Path(path).parents[1] / "code" / PACKED
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
    try:
        return _unpacked(packed, cache)
    except OSError:
        return _unpacked(packed, Path(mkdtemp(prefix="online-rnnlm-")))


def _unpacked(packed: Path, cache: Path) -> Path:
    """Unpack the package's sources in one step, and return their folder."""
    place = cache / "models" / hashlib.sha256(packed.read_bytes()).hexdigest()[:32]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place.parent) as folder, ZipFile(packed) as file:
            fresh = Path(folder) / "sources"
            file.extractall(fresh)
            with suppress(OSError):  # Another process has already unpacked it.
                fresh.rename(place)
    return place
