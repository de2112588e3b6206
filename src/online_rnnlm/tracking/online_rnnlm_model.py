"""The loader of a model in MLflow: every saved model holds a copy of this file and its packed code.

This file imports nothing from the package before it has unpacked it.
"""

from __future__ import annotations

import atexit
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
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
        folder = TemporaryDirectory(prefix="online-rnnlm-")
        atexit.register(folder.cleanup)
        with ZipFile(Path(path).parents[1] / "code" / PACKED) as file:
            file.extractall(folder.name)
        sys.path.insert(0, folder.name)
    from online_rnnlm.tracking.served import ServedModel  # noqa: PLC0415

    return ServedModel(Path(path))
