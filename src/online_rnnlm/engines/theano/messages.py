"""Messages between a training and its process of Theano: named arrays, never pickled objects.

Both sides use this file, so it keeps to Python 3.8.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from online_rnnlm.model.parameters import under

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from online_rnnlm.model.parameters import Parameters

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


def of_state(weights: Parameters, accumulators: Parameters) -> dict[str, Any]:
    """A message of weights and accumulators."""
    both = {"weights": weights, "accumulators": accumulators}
    return {
        f"{kind}.{name}": array for kind, of in both.items() for name, array in of._asdict().items()
    }


def state_in(message: Mapping[str, Any]) -> tuple[Parameters, Parameters]:
    """The weights and accumulators of a message that `of_state` made."""
    return under("weights.", message), under("accumulators.", message)
