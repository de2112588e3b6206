"""Tables as columns by name, without pandas, which takes long to load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, NDArray[Any] | list[str]]
"""Columns of one length by name, in the order in which they are written."""


def rows_of(columns: Columns) -> Iterator[tuple[Any, ...]]:
    """Yield the rows, of Python's own numbers."""
    found = (c if isinstance(c, list) else c.tolist() for c in columns.values())
    return zip(*found, strict=True)


def records_of(columns: Columns) -> Iterator[dict[str, Any]]:
    """Yield the rows as values by name."""
    names = list(columns)
    return (dict(zip(names, row, strict=True)) for row in rows_of(columns))


def between(columns: Columns, begin: int, end: int) -> Columns:
    """Return the rows from `begin` to `end` - 1."""
    return {name: column[begin:end] for name, column in columns.items()}


def beginnings(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rows that begin with another number than the row before: the first is row 0."""
    return np.flatnonzero(np.diff(values, prepend=values[:1] - 1))


def joined(parts: Sequence[Columns]) -> Columns:
    """Return the rows of one or more tables, one below the other."""
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(parts: list[NDArray[Any] | list[str]]) -> NDArray[Any] | list[str]:
    if isinstance(parts[0], list):
        return [text for part in parts for text in part]
    return np.concatenate(parts)


def frame_of(columns: Columns) -> pd.DataFrame:
    """Return the table as a frame; texts are pandas' own strings."""
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame(
        {n: pd.Series(c, dtype="str") if isinstance(c, list) else c for n, c in columns.items()}
    )
