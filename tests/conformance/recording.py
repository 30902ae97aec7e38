"""What a real CLI printed and logged → fixtures: without paths of this machine, and without the texts of others."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bursar.testing.agent_runs import AgentRun
from bursar.testing.model_server import ServedCall

MOST_BYTES = 100_000
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_TOLD = (
    *("model", "request_id", "input_tokens", "output_tokens", "cache_read_tokens"),
    *("cache_creation_tokens", "cache_creation_5m_tokens", "cache_creation_1h_tokens"),
)

Calls = Sequence[ServedCall]
Slim = Callable[[Any], Any]


def record(name: str, folder: Path, program: str, run: AgentRun, target: Path, case: str, calls: Calls) -> None:
    """What the run left is in `target`/NAME, nothing of it if its stream is very long.

    CASE.jsonl is the stream, CASE.log.jsonl its log, CASE.side.jsonl that of its sub-agents, CASE.telemetry.jsonl its
    telemetry, CASE.faults.txt OpenCode's log of what went wrong, CASE.bill.json what the server asks for.
    """
    if len(run.output) > MOST_BYTES:
        return
    target = target / name
    target.mkdir(parents=True, exist_ok=True)
    ids: dict[str, str] = {}
    home = folder / "private"
    texts = {
        "jsonl": (run.output.decode(errors="replace"), _STREAMS.get(name, _same)),
        "log.jsonl": (_text_of(_LOGS.get(name, _none)(home)), _LOG_LINES.get(name, _same)),
        "side.jsonl": (_side(name, home), _LOG_LINES.get(name, _same)),
        "telemetry.jsonl": ("\n".join(body.decode() for body in run.told), _telemetry_line),
    }
    for end, (text, slim) in texts.items():
        if text:
            (target / f"{case}.{end}").write_text(_clean(text, folder, program, ids, slim), encoding="utf-8")
    faults = [line for path in home.glob(".local/share/opencode/log/*.log") for line in path.read_text().splitlines()]
    if lost := [line for line in faults if "stream error" in line]:
        text = _scrubbed("\n".join(lost) + "\n", folder, program, ids)
        (target / f"{case}.faults.txt").write_text(text, encoding="utf-8")
    (target / f"{case}.bill.json").write_text(_bill(calls), encoding="utf-8")


def _bill(calls: Calls) -> str:
    """`was_cut`: the reply did not arrive whole, and what it used is the server's to know."""
    bill = [_only(asdict(call), "id", "model", "usage") | {"was_cut": not call.is_complete} for call in calls]
    return "[\n" + ",\n".join(json.dumps(each) for each in bill) + "\n]\n"


def _text_of(paths: Iterable[Path]) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in paths)


def _none(_: Path) -> list[Path]:
    return []


def _codex_logs(home: Path, *, of_sub_agents: bool = False) -> list[Path]:
    paths = sorted(home.glob(".codex/sessions/*/*/*/rollout-*.jsonl"))
    return [path for path in paths if (b'"parent_thread_id"' in path.read_bytes()[:2048]) is of_sub_agents]


def _side(name: str, home: Path) -> str:
    if name == "codex":
        return _text_of(_codex_logs(home, of_sub_agents=True))
    if name == "gemini":
        return _text_of(sorted(home.glob(".gemini/tmp/*/chats/*/*.jsonl")))
    database = home / ".local/share/opencode/opencode.db"
    if name != "opencode" or not database.exists():
        return ""
    query = (
        "SELECT message.id, session_id, session.parent_id, message.time_updated, data FROM message"
        " JOIN session ON session.id = session_id WHERE session.parent_id IS NOT NULL ORDER BY message.time_updated"
    )
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return "".join(json.dumps(row) + "\n" for row in connection.execute(query))


def _clean(text: str, folder: Path, program: str, ids: dict[str, str], slim: Slim) -> str:
    return "".join(_slimmed(_scrubbed(text, folder, program, ids).splitlines(), slim))


def _scrubbed(text: str, folder: Path, program: str, ids: dict[str, str]) -> str:
    """Each id is replaced by a number, the session's, which comes first, by 1; paths are of no machine."""
    text = text.replace(str(folder), "/bench").replace(str(folder)[1:], "bench").replace(program, "/bin/agent")
    text = _PORT.sub("127.0.0.1:1", text)
    text = text.replace(socket.gethostname(), "host")
    return _UUID.sub(lambda found: ids.setdefault(found[0], f"01a1fe80-0000-7000-8000-{len(ids) + 1:012}"), text)


def _slimmed(lines: Iterable[str], slim: Slim) -> Iterable[str]:
    for line in lines:
        kept = slim(json.loads(line))
        if kept is not None:
            yield json.dumps(kept, separators=(",", ":"), ensure_ascii=False) + "\n"


def _same(line: Any) -> Any:
    return line


def _claude_line(line: Any) -> Any:
    """The first line's long lists say what is installed and nothing about usage."""
    if isinstance(line, list):
        return [_claude_line(each) for each in line]
    if line.get("subtype") != "init":
        return line
    return _only(
        line, "type", "subtype", "cwd", "session_id", "tools", "model", "permissionMode", "claude_code_version"
    )


def _telemetry_line(line: Any) -> Any:
    """Of the requests what is read of them; nothing of a message without one."""
    records = [
        {"body": record["body"], "attributes": [each for each in record["attributes"] if each["key"] in _TOLD]}
        for resource in line["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
        if record["body"].get("stringValue") == "claude_code.api_request"
    ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]} if records else None


def _codex_log_line(line: Any) -> Any:
    payload = line["payload"]
    if line["type"] == "session_meta" and "parent_thread_id" in payload:
        return line | {"payload": _only(payload, "session_id", "id", "parent_thread_id")}
    if line["type"] == "turn_context":
        return line | {"payload": _only(payload, "turn_id", "model")}
    if line["type"] == "response_item" and payload["type"].endswith("_output"):
        return line | {"payload": payload}
    return line if line["type"] == "token_usage_record" else None


def _gemini_log_line(line: Any) -> Any:
    if "$set" in line:
        return None  # patches repeat texts of the CLI, and no usage
    return line if line.get("type") in ("gemini", "user") or "sessionId" in line else None


def _only(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


_STREAMS: Mapping[str, Slim] = {"claude": _claude_line}
_LOGS: Mapping[str, Callable[[Path], Iterable[Path]]] = {
    "codex": _codex_logs,
    "gemini": lambda home: sorted(home.glob(".gemini/tmp/*/chats/session-*.jsonl")),
}
_LOG_LINES: Mapping[str, Slim] = {"codex": _codex_log_line, "gemini": _gemini_log_line}
