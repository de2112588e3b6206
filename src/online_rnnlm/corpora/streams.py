"""Files of one or more compressed streams, of which nothing is left out.

Python's own readers of such files take whatever they do not know behind a stream for the end.
"""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_BLOCK = 1 << 18
_Decompressor = bz2.BZ2Decompressor | lzma.LZMADecompressor


def open_bz2(path: Path, mode: str = "rb") -> IO[bytes]:
    """Open a `.bz2` file to read it; reading raises OSError or EOFError if it is damaged."""
    return io.BufferedReader(_Streams(path, bz2.BZ2Decompressor, b""), _BLOCK)


def open_xz(path: Path, mode: str = "rb") -> IO[bytes]:
    """Open an `.xz` file to read it; reading raises LZMAError or EOFError if it is damaged."""
    return io.BufferedReader(_Streams(path, lzma.LZMADecompressor, b"\0"), _BLOCK)


class _Streams(io.RawIOBase):
    """The content of all streams of a file; `padding` may stand between and behind them."""

    def __init__(self, path: Path, new: Callable[[], _Decompressor], padding: bytes) -> None:
        self._file = path.open("rb")
        self._pieces = _contents(self._file, new, padding)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # it is one
        """Read some bytes, none of them at the end."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _contents(file: IO[bytes], new: Callable[[], _Decompressor], padding: bytes) -> Iterator[bytes]:
    """Yield the content of all streams, in pieces of at most `_BLOCK` bytes."""
    raw = file.read(_BLOCK)
    while raw:
        stream = new()
        while not stream.eof:
            if stream.needs_input and not raw:
                raw = file.read(_BLOCK)
                if not raw:
                    raise EOFError("the file ends within a compressed stream")
            yield stream.decompress(raw, _BLOCK)
            raw = b""
        raw = stream.unused_data.lstrip(padding)
        while not raw and (block := file.read(_BLOCK)):
            raw = block.lstrip(padding)
