"""A local HTTP server that behaves badly in the ways that servers and networks do."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"


@dataclass
class Served:
    """A file, and how the server treats those who ask for it."""

    content: bytes
    breaks: int = 0
    """Number of answers that break off half-way."""
    ranges: bool = True
    """True if the server sends a part of the file to those who ask for it."""
    says_longer: int = 0
    """Number of bytes by which the length that the server says is too large."""
    says_length: str | None = None
    """A `Content-Length` that the server sends instead of the true one."""
    busy: tuple[int, ...] = ()
    """Statuses of the first answers."""
    retry_after: str | None = None
    moved_to: str | None = None
    """The path to which requests are redirected."""


@dataclass
class BadServer:
    """The server: its files by path, and the requests that it has received."""

    port: int
    files: dict[str, Served] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """The number of requests by path."""
    parts: list[str] = field(default_factory=list)
    """The parts that were asked for."""
    names: set[str] = field(default_factory=set)
    """The names that clients give themselves."""

    def address(self, path: str) -> str:
        return f"http://{HOST}:{self.port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bad: BadServer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.bad.names.add(self.headers.get("User-Agent", ""))
        served = self.bad.files.get(path)
        number = self.bad.asked[path]
        self.bad.asked[path] += 1
        if served is None:
            self.send_error(404)
        elif served.moved_to is not None:
            self._head(302, {"Location": served.moved_to, "Content-Length": "0"})
        elif number < len(served.busy):
            wait = {} if served.retry_after is None else {"Retry-After": served.retry_after}
            self._head(served.busy[number], {"Content-Length": "0", **wait})
        else:
            self._send(served, number)

    def _send(self, served: Served, number: int) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and served.ranges else 0
        size = len(served.content)
        if asked:
            self.bad.parts.append(asked[0])
        if start and start >= size:
            self._head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
            return
        content = served.content[start:]
        part = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        length = {"Content-Length": served.says_length or str(len(content) + served.says_longer)}
        self._head(206 if start else 200, {**part, **length})
        if number < served.breaks:
            self.wfile.write(content[: (len(content) + 1) // 2])
            self._break_off()
        else:
            self.wfile.write(content)
            if served.says_longer or served.says_length:
                self._break_off()

    def _break_off(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def bad_server() -> Iterator[BadServer]:
    """Run a server on the loopback interface."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer((HOST, 0), handler) as listening:
        listening.daemon_threads = True
        handler.bad = made = BadServer(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown()
            thread.join()
