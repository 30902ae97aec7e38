"""The scripted agent's HTTP client: a plain socket, because `http.client` costs 20 ms at every start."""

from __future__ import annotations

import json
import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Refused(Exception):
    """The model's server said no, and repeating does not help."""

    def __init__(self, status: int | None, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cut(Exception):
    """The connection ended before the reply did, or the server asked for a repeat."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Connection:
    """One HTTP request and the bytes of its answer, read as they come."""

    def __init__(self, base_url: str, body: bytes) -> None:
        host, _, rest = base_url.removeprefix("http://").partition("/")
        name, _, port = host.partition(":")
        prefix = f"/{rest.strip('/')}" if rest.strip("/") else ""
        self._socket = socket.create_connection((name, int(port or 80)))
        self._buffer = b""
        head = (
            f"POST {prefix}/v1/messages?beta=true HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-api-key: {os.environ.get('ANTHROPIC_API_KEY', '')}\r\n"
            "anthropic-version: 2023-06-01\r\nconnection: close\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        status, *headers = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in headers)}

    def _more(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise Cut
        self._buffer += data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def body(self) -> bytes:
        """The whole body of an answer with a length."""
        return self._take(int(self.headers["content-length"]))

    def frames(self) -> Iterator[dict[str, Any]]:
        """The events of a chunked stream, each chunk one frame."""
        while size := int(self._until(b"\r\n"), 16):
            frame = self._take(size + 2)
            yield json.loads(frame[frame.index(b"data: ") + 6 :])

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
