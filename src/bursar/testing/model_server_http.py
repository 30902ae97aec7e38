"""The fake model server's HTTP side: one handler per connection, which asks the server what to say and what to bill."""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bursar.testing.model_server_dialects import DIALECTS, Dialect, dialect_of
from bursar.testing.model_server_frames import usage_after_cut
from bursar.testing.script import Step

if TYPE_CHECKING:
    from bursar.testing.model_server import ModelServer, ServedCall

POLL_SECONDS = 0.02
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class HungUp(ConnectionError):
    """The agent closed its end while its reply was held back."""


class HttpFront(ThreadingHTTPServer):
    """Listens on loopback for one `ModelServer`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], model_server: ModelServer) -> None:
        super().__init__(address, _Handler)
        self.model_server = model_server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Agents that hang up are a normal case: said by `was_cut`, not on stderr."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpFront

    def log_message(self, *_: object) -> None:
        """Nothing: stderr belongs to whoever runs the tests."""

    def do_HEAD(self) -> None:
        self._send(200, b"")

    def do_GET(self) -> None:
        self._send_error(404, "nothing here")

    def do_POST(self) -> None:
        body = self._read_body()
        path = self.path.partition("?")[0]
        if body is None:
            self._send_error(400, "the body is not a JSON object")
        elif path.endswith("/v1/messages/count_tokens"):
            self._send(200, json.dumps({"input_tokens": max(1, len(json.dumps(body)) // 4)}).encode())
        elif (dialect := dialect_of(path)) is not None:
            self._answer(dialect, body, path)
        else:
            self._send_error(404, f"no such path: {path}")

    def _read_body(self) -> Mapping[str, Any] | None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            return None
        return body if isinstance(body, dict) else None

    def _answer(self, dialect: Dialect, body: Mapping[str, Any], path: str) -> None:
        request = dialect.conversation(body, path)
        step, call = self.server.model_server.admit(dialect, request, body, path)
        if call is None:
            self._send_error(step.status or 500, step.text or "refused by the script", dialect, step.headers)
            return
        try:
            if request.get("stream"):
                self._stream(dialect, step, call)
            else:
                self._send_whole(dialect, step, call)
        except OSError:
            self.close_connection = True
            self.server.model_server.bill(call, usage_after_cut(step.usage), was_cut=True)

    def _stream(self, dialect: Dialect, step: Step, call: ServedCall) -> None:
        """Send the reply as server-sent events; the bill is final before the last of them."""
        frames = dialect.stream_frames(step, call.id, call.model)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("request-id", f"req_{call.id}")
        self.send_header("transfer-encoding", "chunked")
        self._send_headers(step.headers)
        self.end_headers()
        self._send_chunks(frames[:1])
        self._hold_back(step)
        self._bill(step, call)
        if step.cut:
            self._send_chunks(frames[1 : len(frames) // 2])
            self._drop()
        else:
            self._send_chunks(frames[1:])
            self.wfile.write(b"0\r\n\r\n")

    def _send_whole(self, dialect: Dialect, step: Step, call: ServedCall) -> None:
        """Send the reply as one JSON object; the bill is final before it."""
        self._hold_back(step)
        self._bill(step, call)
        payload = json.dumps(dialect.whole_reply(step, call.id, call.model)).encode()
        if step.cut:
            self._send(200, payload[: len(payload) // 2], length=len(payload), headers=step.headers)
            self._drop()
        else:
            self._send(200, payload, request_id=f"req_{call.id}", headers=step.headers)

    def _bill(self, step: Step, call: ServedCall) -> None:
        usage = usage_after_cut(step.usage) if step.cut else step.usage
        self.server.model_server.bill(call, usage, was_cut=step.cut)

    def _drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send_chunks(self, frames: Sequence[bytes]) -> None:
        self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames))
        self.wfile.flush()

    def _hold_back(self, step: Step) -> None:
        """Wait as the step says.

        Raises:
            HungUp: the agent closed its end meanwhile.
        """
        if step.wait_for is not None:
            self._wait(self.server.model_server.arrive_at(step.wait_for), None)
        if step.delay_seconds:
            self._wait(threading.Event(), step.delay_seconds)

    def _wait(self, event: threading.Event, seconds: float | None) -> None:
        end = None if seconds is None else time.monotonic() + seconds
        while not event.wait(POLL_SECONDS):
            if end is not None and time.monotonic() >= end:
                return
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise HungUp

    def _send_error(
        self, status: int, message: str, dialect: Dialect = DIALECTS[0], headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        self._send(status, json.dumps(dialect.error_body(status, message)).encode(), headers=headers)

    def _send_headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)

    def _send(
        self,
        status: int,
        payload: bytes,
        *,
        length: int | None = None,
        request_id: str = "req_none",
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload) if length is None else length))
        self.send_header("request-id", request_id)
        if status == 402:
            self.send_header("x-should-retry", "false")
        self._send_headers(headers)
        self.end_headers()
        self.wfile.write(payload)
