"""The user's own files, as settings name them: single files, lists, and patterns of names."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from online_rnnlm.config.base import Settings

_PATTERN = frozenset("*?[")


def expanded(paths: Sequence[Path]) -> list[Path]:
    """Return the files of a setting, those of a pattern in the order of their names.

    A pattern that no file has stays as it is: it is no file.
    """
    return [file for path in paths for file in _matching(path)]


def named(settings: Settings, keys: Iterable[str]) -> list[tuple[str, Path]]:
    """Return the files of some settings, each with its key, such as `file` or `train[1]`."""
    found = []
    for key in keys:
        paths = getattr(settings, key) or []
        for index, path in enumerate(paths):
            name = f"{key}[{index}]" if len(paths) > 1 else key
            found += [(name, file) for file in _matching(path)]
    return found


def _matching(path: Path) -> list[Path]:
    if os.path.exists(path) or not _PATTERN.intersection(str(path)):  # noqa: PTH110  # never raises
        return [path]
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207  # a pattern may be absolute
    return [Path(file) for file in sorted(found)] or [path]
