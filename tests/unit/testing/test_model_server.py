"""The fake model server: what it answers on the wire, and what it bills."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bursar.testing.model_server import ModelServer, read_bill
from bursar.testing.script import Script, Step
from bursar.usage import NOTHING, Usage

pytestmark = pytest.mark.timeout(60)

USAGE = Usage(input_tokens=10, cache_read_tokens=20, cache_write_5m_tokens=3, cache_write_1h_tokens=4, output_tokens=51)


def ask(
    server: ModelServer, *, stream: bool, path: str = "/v1/messages", method: str = "POST", body: object = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    messages = [{"role": "user", "content": "T"}]
    request = {"model": "m", "stream": stream, "messages": messages, "tools": [{"name": "Bash"}]}
    payload = body if isinstance(body, bytes) else json.dumps(body or request).encode()
    connection.request(method, path, payload if method == "POST" else None)
    response = connection.getresponse()
    try:
        return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def frames(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(part.partition(b"data: ")[2]) for part in raw.split(b"\n\n") if part]


def serve(*steps: Step, ledger: Path | None = None) -> ModelServer:
    return ModelServer(Script.of({"T": steps}), ledger=ledger)


def test_a_stream() -> None:
    with serve(Step(text="hello", usage=USAGE)) as server:
        status, headers, raw = ask(server, stream=True, path="/t/any/v1/messages?beta=true")
        events = frames(raw)
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert [event["type"] for event in events] == [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        start = events[0]["message"]
        assert start["usage"]["output_tokens"] == 1
        assert start["usage"]["cache_creation_input_tokens"] == 7
        assert start["usage"]["cache_creation"] == {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
        assert events[-2]["usage"] == {"output_tokens": 51}
        (call,) = server.calls
        assert (call.id, call.model, call.task, call.path) == (start["id"], "m", "T", "/t/any/v1/messages")
        assert (call.usage, call.is_complete, call.was_cut, call.tools) == (USAGE, True, False, ("Bash",))


def test_a_whole_message() -> None:
    with serve(Step(text="hello", usage=USAGE)) as server:
        status, _, raw = ask(server, stream=False)
        message = json.loads(raw)
        assert (status, message["stop_reason"], message["usage"]["output_tokens"]) == (200, "end_turn", 51)
        assert server.billed() == server.billed(task="T") == USAGE
        assert server.billed(task="other") == NOTHING


@pytest.mark.parametrize(
    ("status", "kind"), [(402, "billing_error"), (429, "rate_limit_error"), (529, "overloaded_error")]
)
def test_a_refusal_is_not_billed(status: int, kind: str) -> None:
    with serve(Step(status=status, text="no", times=1)) as server:
        got, headers, raw = ask(server, stream=True)
        assert (got, json.loads(raw)["error"]) == (status, {"type": kind, "message": "no"})
        assert headers.get("x-should-retry") == ("false" if status == 402 else None)
        assert (server.requests, server.calls) == (1, ())
        assert ask(server, stream=True)[0] == 200
        assert len(server.calls) == 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_cut_is_billed_at_half_the_output(stream: bool) -> None:
    with serve(Step(text="x" * 500, cut=True, usage=USAGE)) as server:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            ask(server, stream=stream)
        (call,) = server.calls
        assert (call.usage.output_tokens, call.usage.input_tokens, call.was_cut) == (26, 10, True)


def test_frames_come_twice() -> None:
    with serve(Step(duplicate=True)) as server:
        kinds = [event["type"] for event in frames(ask(server, stream=True)[2])]
        assert kinds[:2] == ["message_start", "message_start"]
        assert kinds.count("message_delta") == 2
        assert len(server.calls) == 1


def test_a_reply_waits_at_its_gate() -> None:
    answers: list[int] = []
    with serve(Step(wait_for="gate", usage=USAGE)) as server:
        thread = threading.Thread(target=lambda: answers.append(ask(server, stream=True)[0]))
        thread.start()
        assert server.wait_until_reached("gate")
        assert (answers, server.billed().output_tokens) == ([], 1)
        server.open_gate("gate")
        thread.join(timeout=20)
        assert (answers, server.billed()) == ([200], USAGE)
        assert ask(server, stream=True)[0] == 200


def test_hanging_up_at_a_gate_is_a_cut(tmp_path: Path) -> None:
    with serve(Step(wait_for="gate", usage=USAGE), ledger=tmp_path / "bill") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        body = json.dumps({"stream": True, "messages": [{"role": "user", "content": "T"}]})
        connection.request("POST", "/v1/messages", body)
        connection.getresponse().close()
        assert server.wait_until_reached("gate")
        connection.close()
        while not server.calls[0].was_cut:
            threading.Event().wait(0.01)
        assert server.billed().output_tokens == 26
        assert read_bill(tmp_path / "bill") == server.calls


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("HEAD", "/", None, 200),
        ("HEAD", "/api/hello", None, 200),
        ("GET", "/v1/models", None, 404),
        ("POST", "/v1/other", None, 404),
        ("POST", "/v1/messages", b"not json", 400),
        ("POST", "/v1/messages", b"[]", 400),
        ("POST", "/v1/messages/count_tokens", None, 200),
    ],
)
def test_everything_else_is_free(method: str, path: str, body: bytes | None, status: int) -> None:
    with serve(Step()) as server:
        assert ask(server, stream=False, method=method, path=path, body=body)[0] == status
        assert (server.calls, server.requests) == ((), 0)


def test_many_at_once() -> None:
    with serve(Step(usage=USAGE)) as server:
        threads = [threading.Thread(target=ask, args=(server,), kwargs={"stream": True}) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert len({call.id for call in server.calls}) == 30
        assert server.billed().output_tokens == 30 * 51


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_as_a_process(tmp_path: Path, number: signal.Signals) -> None:
    script, bill = tmp_path / "script.json", tmp_path / "bill.jsonl"
    script.write_text(json.dumps({"tasks": {"T": [{"text": "hi", "usage": {"output_tokens": 5}}]}}))
    command = [sys.executable, "-m", "bursar.testing.model_server", "--script", str(script), "--port", "0"]
    with subprocess.Popen(
        [*command, "--print-port", "--ledger", str(bill)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/v1/messages", json.dumps({"messages": [{"role": "user", "content": "T"}]}))
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (200, True)
        connection.close()
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
    (call,) = read_bill(bill)
    assert (call.task, call.usage, call.is_complete) == ("T", Usage(output_tokens=5), True)


def test_a_bill_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_bill(tmp_path / "none") == ()
