"""A proxy of a server that can be shut."""

import contextlib
import select
import socket
import socketserver
import threading

HOST = "127.0.0.1"


class Gate:
    """A proxy that forwards connections to its own port; when shut, it acts as a missing server.

    It then breaks off connections and refuses new ones, as a machine without the server does.
    """

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._listener = _Listener((HOST, 0), behind)
        self.port: int = self._listener.server_address[1]
        self._listener.begin()

    def shut(self) -> None:
        """Break off all connections and refuse new ones."""
        self._listener.end()

    def open(self) -> None:
        """Forward connections again, on the same port."""
        self._listener = _Listener((HOST, self.port), self._behind)
        self._listener.begin()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], behind: int) -> None:
        self.behind = behind
        self.connections: set[socket.socket] = set()
        super().__init__(address, _Connection)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def begin(self) -> None:
        self._thread.start()

    def verify_request(self, request: socket.socket, client_address: object) -> bool:
        self.connections.add(request)
        return True

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: _Listener

    def handle(self) -> None:
        with socket.create_connection((HOST, self.server.behind)) as behind:
            other = {self.request: behind, behind: self.request}
            with contextlib.suppress(OSError):
                while True:
                    for one in select.select(list(other), [], [])[0]:
                        if not (data := one.recv(65536)):
                            return
                        other[one].sendall(data)

    def finish(self) -> None:
        self.server.connections.discard(self.request)
