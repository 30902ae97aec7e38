"""A webhook on loopback that can fail, or hang, and remembers what it got."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

PATIENCE = 60.0
HANG: Literal["hang"] = "hang"
Answer = int | Literal["hang"]


class Webhook:
    """Answers each request with the next of `answers`, the last one for ever after."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.received: queue.Queue[dict[str, Any]] = queue.Queue()
        self.released = threading.Event()
        self._answers = list(answers)
        self._turn = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.webhook = self

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def target(self) -> str:
        """Its address, with a credential that nobody should ever see."""
        return f"json://ada:s3cret-word@127.0.0.1:{self.port}/hook/p4th-word"

    @property
    def shown(self) -> str:
        return f"json://127.0.0.1:{self.port}/…"

    def next_message(self) -> dict[str, Any]:
        """The oldest message that was not looked at yet; waits for one."""
        return self.received.get(timeout=PATIENCE)

    def answer(self) -> Answer:
        with self._turn:
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    webhook: Webhook


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        webhook = self.server.webhook
        answer = webhook.answer()
        webhook.received.put(json.loads(body))
        if answer == HANG:
            webhook.released.wait(PATIENCE)
            return
        self.send_response(answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def webhook(*answers: Answer) -> Iterator[Webhook]:
    """A webhook that is up; by default it takes everything."""
    hook = Webhook(answers or (200,))
    thread = threading.Thread(target=hook.serve)
    thread.start()
    try:
        yield hook
    finally:
        hook.close()
        thread.join(PATIENCE)
