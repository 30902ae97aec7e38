"""A receiver of telemetry on loopback, for one attempt: OTLP over HTTP as JSON, as far as exporters of agents speak it.

It is made when an attempt has something to tell, lives in the supervisor's own loop (which watches its `fileno`), and
knows nothing of what it is told: a message's body goes to the agent's reader. Whoever does not know the address's
secret part is not heard, and whatever is sent, at most `MOST_BYTES` of a message are kept.
"""

from __future__ import annotations

import secrets
import selectors
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

MOST_BYTES = 4 << 20
MOST_CONNECTIONS = 16
_CHUNK_BYTES = 1 << 16
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Refused(Exception):
    """What came is no request that this receiver takes."""


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    data: bytearray = field(default_factory=bytearray)


class TelemetryReceiver:
    """Listens on a port of its own until it is closed. `hear` gets the body of each message.

    Raises:
        OSError: there is no loopback to listen on.
    """

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear
        self._selector = selectors.EpollSelector()
        self._secret = secrets.token_hex(16)
        self._connections: dict[int, _Connection] = {}
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=MOST_CONNECTIONS)
        self._socket.setblocking(False)
        self._selector.register(self._socket, selectors.EVENT_READ, self._accept)

    @property
    def url(self) -> str:
        """Where messages go."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/{self._secret}"

    def fileno(self) -> int:
        """A descriptor that is readable when `serve` has something to do."""
        return self._selector.fileno()

    def serve(self) -> None:
        """Whatever has arrived is taken."""
        for key, _ in self._selector.select(0):
            key.data()

    def close(self) -> None:
        """What has arrived is heard; nobody is listened to any more."""
        self.serve()  # who waits to be let in
        self.serve()  # what they have sent
        for connection in list(self._connections.values()):
            self._drop(connection.socket)
        self._socket.close()
        self._selector.close()

    def _accept(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except OSError:
            return
        if len(self._connections) >= MOST_CONNECTIONS:
            accepted.close()
            return
        accepted.setblocking(False)
        connection = _Connection(accepted)
        self._connections[accepted.fileno()] = connection
        self._selector.register(accepted, selectors.EVENT_READ, lambda: self._receive(connection))

    def _receive(self, connection: _Connection) -> None:
        try:
            while chunk := connection.socket.recv(_CHUNK_BYTES):
                connection.data += chunk
                self._answer(connection)
        except BlockingIOError:
            return
        except (OSError, Refused):
            with suppress(OSError):
                connection.socket.send(_NOT_FOUND)
        self._drop(connection.socket)

    def _answer(self, connection: _Connection) -> None:
        """Every message that is complete is heard and confirmed.

        Raises:
            Refused: it is none of ours, or too long.
        """
        while (body := take_request(connection.data, f"/{self._secret}/")) is not None:
            self._hear(body)
            connection.socket.send(_OK)

    def _drop(self, dropped: socket.socket) -> None:
        del self._connections[dropped.fileno()]
        self._selector.unregister(dropped)
        dropped.close()


def take_request(data: bytearray, path: str) -> bytes | None:
    """The body of the first request in `data`, which is shorter by it; None while it is not complete.

    Raises:
        Refused: it is no POST to a place under `path` with a length, or it is too long.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > _CHUNK_BYTES:
            raise Refused
        return None
    first, *lines = bytes(data[:end]).split(b"\r\n")
    if not first.startswith(b"POST " + path.encode()):
        raise Refused
    length = _length(dict(_header(line) for line in lines))
    if len(data) < end + 4 + length:
        return None
    body = bytes(data[end + 4 : end + 4 + length])
    del data[: end + 4 + length]
    return body


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


def _length(headers: Mapping[bytes, bytes]) -> int:
    given = headers.get(b"content-length", b"")
    if not given.isdigit() or len(given) > 9 or int(given) > MOST_BYTES or b"content-encoding" in headers:
        raise Refused
    return int(given)
