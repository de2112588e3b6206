"""A local HTTP server that behaves badly in the ways that servers and networks do."""

from __future__ import annotations

import socket
from collections import Counter
from dataclasses import dataclass
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


class BadServer(ThreadingHTTPServer):
    """The server, on the loopback interface: its files, and the requests that it has received."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.files: dict[str, Served] = {}
        """By path."""
        self.asked: Counter[str] = Counter()
        """The number of requests by path."""
        self.headers: list[dict[str, str]] = []

    def address(self, path: str) -> str:
        return f"http://{HOST}:{self.server_port}/{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BadServer

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.headers.append(dict(self.headers))
        served = self.server.files.get(path)
        number = self.server.asked[path]
        self.server.asked[path] += 1
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
