"""One script, three APIs: each dialect says the same in its own words, and the bill is what its usage states."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from bursar.testing.model_server import ModelServer
from bursar.testing.model_server_tools import spell_tool
from bursar.testing.script import Script, Step, ToolCall
from bursar.usage import Usage

pytestmark = pytest.mark.timeout(60)

USAGE = Usage(input_tokens=10, cache_read_tokens=20, cache_write_5m_tokens=3, cache_write_1h_tokens=4, output_tokens=51)
OPENAI = Usage(input_tokens=10, cache_read_tokens=20, cache_write_5m_tokens=7, output_tokens=51)
GEMINI = Usage(input_tokens=17, cache_read_tokens=20, output_tokens=51)
RESPONSES = "/t/any/v1/responses"
GENERATE = "/v1beta/models/gemini-x:generateContent"
STREAM = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"


def responses_body(*, stream: bool = True, rounds: int = 0, **more: Any) -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "T"}]}
    ]
    for number in range(rounds):
        items.append({"type": "function_call", "call_id": f"c{number}", "name": "exec_command", "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": f"c{number}", "output": "ok"})
    tools = [{"type": "function", "name": "exec_command"}]
    return {"model": "gpt-x", "stream": stream, "input": items, "tools": tools, **more}


def gemini_body(*, rounds: int = 0) -> dict[str, Any]:
    contents: list[dict[str, Any]] = [{"role": "user", "parts": [{"text": "T"}]}]
    for _ in range(rounds):
        contents.append({"role": "model", "parts": [{"functionCall": {"name": "write_file", "args": {}}}]})
        contents.append({"role": "user", "parts": [{"functionResponse": {"name": "write_file", "response": {}}}]})
    return {"contents": contents, "tools": [{"functionDeclarations": [{"name": "write_file"}]}]}


def ask(server: ModelServer, path: str, body: object) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", path, json.dumps(body))
    response = connection.getresponse()
    try:
        return response.status, response.read().decode()
    finally:
        connection.close()


def events(raw: str) -> list[dict[str, Any]]:
    frames = raw.replace("\r\n", "\n").split("\n\n")
    return [json.loads(frame.partition("data: ")[2]) for frame in frames if frame]


def serve(*steps: Step) -> ModelServer:
    return ModelServer(Script.of({"T": steps}))


def test_responses_stream() -> None:
    with serve(Step(text="hello", usage=USAGE)) as server:
        _, raw = ask(server, RESPONSES, responses_body())
        found = events(raw)
        assert [found[0]["type"], found[-1]["type"]] == ["response.created", "response.completed"]
        assert [event["sequence_number"] for event in found] == list(range(len(found)))
        usage = found[-1]["response"]["usage"]
        details = {"cached_tokens": 20, "cache_write_tokens": 7}
        assert (usage["input_tokens"], usage["output_tokens"], usage["input_tokens_details"]) == (37, 51, details)
        (call,) = server.calls
        assert (call.id, call.model, call.usage, call.tools) == ("resp_000001", "gpt-x", OPENAI, ("exec_command",))
        assert found[0]["response"]["id"] == call.id


def test_responses_whole() -> None:
    with serve(Step(text="hello", usage=USAGE)) as server:
        reply = json.loads(ask(server, RESPONSES, responses_body(stream=False))[1])
        assert (reply["status"], reply["output"][0]["content"][0]["text"]) == ("completed", "hello")
        assert server.billed() == OPENAI


def test_responses_go_on_after_tools() -> None:
    write = ToolCall("Write", {"file_path": "a b", "content": "it's\n"})
    with serve(Step(tools=(write,)), Step(text="second"), Step(text="third")) as server:
        item = events(ask(server, RESPONSES, responses_body())[1])[-1]["response"]["output"][0]
        assert (item["type"], item["name"]) == ("function_call", "exec_command")
        assert json.loads(item["arguments"]) == {"cmd": "printf %s 'it'\"'\"'s\n' > 'a b'"}
        for rounds, text in ((1, "second"), (2, "third"), (3, "done")):
            reply = json.loads(ask(server, RESPONSES, responses_body(stream=False, rounds=rounds))[1])
            assert reply["output"][0]["content"][0]["text"] == text


def test_responses_tools_in_namespaces_and_in_the_input() -> None:
    with serve(Step()) as server:
        body = responses_body(tools=None)
        body["input"].insert(
            0, {"type": "additional_tools", "tools": [{"name": "functions", "tools": [{"name": "exec"}]}]}
        )
        ask(server, RESPONSES, body)
        assert server.calls[0].tools == ("functions", "exec")


def test_gemini_stream_and_whole() -> None:
    with serve(Step(text="hello", usage=USAGE)) as server:
        found = events(ask(server, STREAM, gemini_body())[1])
        usage = found[-1]["usageMetadata"]
        assert (usage["promptTokenCount"], usage["cachedContentTokenCount"], usage["totalTokenCount"]) == (37, 20, 88)
        assert "usageMetadata" not in found[0]
        whole = json.loads(ask(server, GENERATE, gemini_body())[1])
        assert whole["candidates"][0]["content"]["parts"] == [{"text": "hello"}]
        assert server.billed() == GEMINI + GEMINI
        assert (server.calls[0].model, server.calls[0].tools) == ("gemini-x", ("write_file",))


def test_gemini_goes_on_after_tools() -> None:
    with serve(Step(tools=(ToolCall("Write", {"file_path": "a", "content": "b"}),)), Step(text="second")) as server:
        part = json.loads(ask(server, GENERATE, gemini_body())[1])["candidates"][0]["content"]["parts"][0]
        assert part == {"functionCall": {"name": "write_file", "args": {"file_path": "a", "content": "b"}}}
        second = json.loads(ask(server, GENERATE, gemini_body(rounds=1))[1])
        assert second["candidates"][0]["content"]["parts"] == [{"text": "second"}]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        (RESPONSES, responses_body(), {"type": "invalid_request_error", "message": "no", "code": None}),
        (STREAM, gemini_body(), {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}),
    ],
)
def test_a_refusal_is_not_billed(path: str, body: object, error: object) -> None:
    with serve(Step(status=400, text="no")) as server:
        status, raw = ask(server, path, body)
        assert (status, json.loads(raw)["error"], server.calls) == (400, error, ())


@pytest.mark.parametrize(
    ("path", "body", "bill"), [(RESPONSES, responses_body(), OPENAI), (STREAM, gemini_body(), GEMINI)]
)
def test_a_cut_is_billed_at_half_the_output(path: str, body: object, bill: Usage) -> None:
    with serve(Step(text="x" * 500, cut=True, usage=USAGE)) as server:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            ask(server, path, body)
        (call,) = server.calls
        assert (call.was_cut, call.usage.output_tokens) == (True, 26)
        assert call.usage.total_input_tokens == bill.total_input_tokens


def test_a_tool_keeps_its_name_where_it_is_offered_or_unknown() -> None:
    bash = ToolCall("Bash", {"command": "ls"})
    assert spell_tool(bash, ["Bash", "exec_command"]) == bash
    assert spell_tool(bash, ["bash"]).name == "bash"
    assert spell_tool(bash, ["exec"]).name == "exec_command"
    assert spell_tool(bash, ["other"]) == bash
    assert spell_tool(ToolCall("Other"), ["exec_command"]) == ToolCall("Other")
