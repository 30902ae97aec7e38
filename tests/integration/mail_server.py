"""On loopback: a mail server that takes mail, and a web proxy that only listens."""

from __future__ import annotations

import queue
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.message import Message

PATIENCE = 60.0


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.heard: queue.Queue[str] = queue.Queue()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def next_heard(self) -> str:
        """The oldest thing that was heard and not looked at yet; waits for one."""
        return self.heard.get(timeout=PATIENCE)

    def next_mail(self) -> Message:
        """The same, as an e-mail."""
        return message_from_string(self.next_heard())


class _Mail(socketserver.StreamRequestHandler):
    """As much SMTP as it takes to be handed a mail."""

    server: _Server

    def handle(self) -> None:
        self._say("220 here")
        for line in self.rfile:
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self._say("354 go on")
                self.server.heard.put("".join(iter(self._line, ".\n")))
            self._say("221 bye" if verb == b"QUIT" else "250 fine")
            if verb == b"QUIT":
                return

    def _line(self) -> str:
        return self.rfile.readline().decode().replace("\r\n", "\n")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


class _Proxy(socketserver.StreamRequestHandler):
    """Hears where somebody wants to go, and lets nobody through."""

    server: _Server

    def handle(self) -> None:
        self.server.heard.put(self.rfile.readline().decode().split()[1])
        self.wfile.write(b"HTTP/1.1 502 no way\r\nContent-Length: 0\r\n\r\n")


@contextmanager
def mail_server() -> Iterator[_Server]:
    """`next_mail` is what was sent."""
    with _serving(_Server(_Mail)) as server:
        yield server


@contextmanager
def web_proxy() -> Iterator[_Server]:
    """`next_heard` is `HOST:PORT` of what somebody wanted to reach."""
    with _serving(_Server(_Proxy)) as server:
        yield server


@contextmanager
def _serving(server: _Server) -> Iterator[_Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
