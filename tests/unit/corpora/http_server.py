"""A local HTTP server that behaves badly in the ways that servers and networks do."""

from __future__ import annotations

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
    busy: tuple[int, ...] = ()
    """Statuses of the first answers."""
    moved_to: str | None = None
    """The path to which requests are redirected."""


@dataclass
class BadServer:
    """The server: its files by path, and the requests that it has received."""

    port: int
    files: dict[str, Served] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """The number of requests by path."""
    headers: list[dict[str, str]] = field(default_factory=list)

    def address(self, path: str) -> str:
        return f"http://{HOST}:{self.port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bad: BadServer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.bad.headers.append(dict(self.headers))
        served = self.bad.files.get(path)
        number = self.bad.asked[path]
        self.bad.asked[path] += 1
        if served is None:
            self.send_error(404)
        elif served.moved_to is not None:
            self._head(302, {"Location": served.moved_to, "Content-Length": "0"})
        elif number < len(served.busy):
            self._head(served.busy[number], {"Content-Length": "0"})
        else:
            content = served.content
            self._head(200, {"Content-Length": str(len(content))})
            breaks = number < served.breaks
            self.wfile.write(content[: len(content) // 2] if breaks else content)
            if breaks:
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
