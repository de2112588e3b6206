"""Messages between a training and its process of Theano: named arrays, never pickled objects.

Both sides use this file, so it keeps to Python 3.8.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LENGTH_BYTES = 8


def send(stream: IO[bytes], message: Mapping[str, Any]) -> None:
    """Write a message: its length in bytes, and the arrays as an uncompressed `.npz` file."""
    buffer = io.BytesIO()
    np.savez(buffer, **message)
    content = buffer.getbuffer()
    stream.write(len(content).to_bytes(_LENGTH_BYTES, "little"))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> dict[str, Any]:
    """Read a message; raises EOFError if the other side has ended."""
    length = int.from_bytes(_exactly(stream, _LENGTH_BYTES), "little")
    with np.load(io.BytesIO(_exactly(stream, length)), allow_pickle=False) as arrays:
        return dict(arrays)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def numbered(arrays: Sequence[Any]) -> dict[str, Any]:
    """A message of arrays in an order."""
    return {f"{number}": array for number, array in enumerate(arrays)}


def in_order(message: Mapping[str, Any]) -> list[Any]:
    """The arrays of a message that `numbered` made."""
    return [message[f"{number}"] for number in range(len(message))]


def prefixed(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """A message of arrays whose names begin with a prefix, which `parameters.under` takes off."""
    return {prefix + name: array for name, array in arrays.items()}
