"""The receiver of telemetry: complete messages of its own agent are heard, however they arrive; others are not."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator

import pytest

from bursar.supervision import Inbox
from bursar.supervision.telemetry import MOST_BYTES, Refused, TelemetryReceiver, take_request

PATH = "/secret/"
OK = b"HTTP/1.1 200 OK"


def request(body: bytes, path: str = "/secret/v1/logs", more: bytes = b"") -> bytes:
    head = b"POST %s HTTP/1.1\r\nhost: x\r\nContent-Length: %d\r\n%s\r\n" % (path.encode(), len(body), more)
    return head + body


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_requests_in_pieces(size: int) -> None:
    sent = request(b'{"a":1}') + request(b"") + request(b"x" * 50)
    data, heard = bytearray(), []
    for at in range(0, len(sent), size):
        data += sent[at : at + size]
        while (body := take_request(data, PATH)) is not None:
            heard.append(body)
    assert heard == [b'{"a":1}', b"", b"x" * 50]
    assert data == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /secret/v1/logs HTTP/1.1\r\n\r\n",
        request(b"x", "/other/v1/logs"),
        request(b"x", more=b"content-encoding: gzip\r\n"),
        b"POST /secret/v1/logs HTTP/1.1\r\n\r\n",
        b"POST /secret/v1/logs HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /secret/v1/logs HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (MOST_BYTES + 1),
        b"x" * 100_000,
        b"\r\n\r\n",
        b"\xff\x00:\r\n\r\n\r\n",
    ],
)
def test_what_is_refused(sent: bytes) -> None:
    with pytest.raises(Refused):
        take_request(bytearray(sent), PATH)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox({"WHERE": "{url}/v1/logs", "MARK": "1"})
    yield made
    made.close()


def address(inbox: Inbox) -> tuple[int, str]:
    """Its port, and the path that messages go to."""
    port, _, path = inbox.variables["WHERE"].removeprefix("http://127.0.0.1:").partition("/")
    return int(port), f"/{path}"


def send(inbox: Inbox, selector: selectors.BaseSelector, sent: bytes) -> bytes:
    """What is answered to the bytes; the loop of `selector` serves meanwhile."""
    with socket.create_connection(("127.0.0.1", address(inbox)[0])) as client:
        client.settimeout(0.01)
        client.sendall(sent)
        for _ in range(1000):
            for key, _ in selector.select(0.01):
                key.data()
            try:
                return client.recv(1000)
            except TimeoutError:
                continue
    raise AssertionError("no answer")


def test_it_is_heard_in_another_s_loop(inbox: Inbox) -> None:
    with selectors.DefaultSelector() as selector:
        inbox.join(selector)
        assert send(inbox, selector, request(b'{"a":1}', address(inbox)[1])).startswith(OK)
        assert send(inbox, selector, request(b"forged", "/v1/logs")).startswith(b"HTTP/1.1 404")
        assert send(inbox, selector, request(b"2", address(inbox)[1])).startswith(OK)
    assert inbox.take() == [b'{"a":1}', b"2"]
    assert inbox.take() == []


def test_what_arrived_before_the_end_is_heard(inbox: Inbox) -> None:
    """The agent has flushed and is gone; nobody has served meanwhile."""
    with socket.create_connection(("127.0.0.1", address(inbox)[0])) as client:
        client.sendall(request(b"last words", address(inbox)[1]))
    inbox.close()
    assert inbox.take() == [b"last words"]
    inbox.close()


def test_nobody_listens_where_nothing_is_told() -> None:
    inbox = Inbox()
    with selectors.DefaultSelector() as selector:
        inbox.join(selector)
        assert not selector.get_map()
    assert (dict(inbox.variables), inbox.take()) == ({}, [])


def test_every_receiver_has_a_secret_of_its_own() -> None:
    receivers = [TelemetryReceiver(lambda _: None) for _ in range(3)]
    assert len({receiver.url.rpartition("/")[2] for receiver in receivers}) == 3
    for receiver in receivers:
        receiver.close()
