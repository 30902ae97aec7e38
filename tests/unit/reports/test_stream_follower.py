"""An agent's stream, followed while it grows: whole lines, and the tools that they ask for."""

from __future__ import annotations

import json
from pathlib import Path

from bursar.agents import open_reader
from bursar.reports import StreamFollower


def line(*tools: str) -> bytes:
    content = [{"type": "tool_use", "id": name, "name": name, "input": {}} for name in tools]
    return json.dumps({"type": "assistant", "message": {"id": "m", "content": content}}).encode()


def test_lines_come_once_and_whole(tmp_path: Path) -> None:
    stream = tmp_path / "stream.jsonl"
    follower = StreamFollower(stream, open_reader("claude"))
    assert list(follower.advance()) == []
    first, second = line("Read", "Write"), line("Bash")
    stream.write_bytes(first + b"\n" + second[:20])
    assert list(follower.advance()) == [first]
    assert follower.tools == 2
    with stream.open("ab") as file:
        file.write(second[20:] + b"\nnot json\n")
    assert list(follower.advance()) == [second, b"not json"]
    assert list(follower.advance()) == []
    assert follower.tools == 3


def test_it_catches_up_with_a_long_stream(tmp_path: Path) -> None:
    """The last words come whole, however long they and what was before them are."""
    stream, words = tmp_path / "stream.jsonl", "word " * 10_000
    result = json.dumps({"type": "result", "subtype": "success", "is_error": False, "result": words}).encode()
    long = b'{"type":"user","x":"' + b"a" * (12 << 20) + b'"}'
    stream.write_bytes(long + b"\n" + line("Read") + b"\n" + result + b"\n")
    follower = StreamFollower(stream, open_reader("claude"))
    assert list(follower.catch_up()) == [long, line("Read"), result]
    assert (follower.tools, follower.message) == (1, words)
