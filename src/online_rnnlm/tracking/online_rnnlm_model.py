"""The loader of a model in MLflow: a copy of this file lies in the model, beside its packed code.

It imports nothing of the package before it has unpacked it. All models of the same code are unpacked
into one folder, so that MLflow's copies of a model share it.
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
PACKED = f"{PACKAGE}.zip"
"""The package's sources, beside this file."""


def _load_pyfunc(path: str) -> Any:
    """What MLflow calls, with the folder of the model's data."""
    if PACKAGE not in sys.modules:  # else this process has it from elsewhere
        sys.path.insert(0, str(sources(path)))
    from online_rnnlm.tracking.served import load  # noqa: PLC0415

    return load(Path(path))


def sources(path: str) -> Path:
    """The folder that has the sources which the model with this data has brought."""
    packed = Path(path).parents[1] / "code" / PACKED
    try:
        return _unpacked(packed, _cache())
    except OSError:  # it cannot be written: a folder of this process's own
        return _unpacked(packed, Path(mkdtemp(prefix="online-rnnlm-")))


def _cache() -> Path:
    """The user's cache: compiled kernels are kept beside it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"


def _unpacked(packed: Path, cache: Path) -> Path:
    """The folder with the package's sources, there in whole or not at all."""
    place = cache / "models" / hashlib.sha256(packed.read_bytes()).hexdigest()[:32]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place.parent) as folder, ZipFile(packed) as file:
            fresh = Path(folder) / "sources"
            file.extractall(fresh)
            with suppress(OSError):  # another process has been faster
                fresh.replace(place)
    return place
