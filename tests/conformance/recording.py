"""What a real CLI printed and logged → fixtures: without paths of this machine, and without the texts of others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

MOST_BYTES = 100_000
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Slim = Callable[[dict[str, Any]], dict[str, Any] | None]


def record(name: str, folder: Path, program: str, output: bytes, target: Path, case: str) -> None:
    """The stream lies in `target`/NAME/CASE.jsonl, its log in CASE.log.jsonl; nothing if it is very long."""
    if len(output) > MOST_BYTES:
        return
    target = target / name
    target.mkdir(parents=True, exist_ok=True)
    text = output.decode(errors="replace")
    ids: dict[str, str] = {}
    clean = _clean(text, folder, program, ids, _STREAMS.get(name, _same))
    (target / f"{case}.jsonl").write_text(clean, encoding="utf-8")
    logs = [path for pattern in _LOGS.get(name, ()) for path in sorted(folder.glob(f"private/{pattern}"))]
    if logs:
        text = "".join(path.read_text(encoding="utf-8") for path in logs)
        clean = _clean(text, folder, program, ids, _LOG_LINES[name])
        (target / f"{case}.log.jsonl").write_text(clean, encoding="utf-8")


def _clean(text: str, folder: Path, program: str, ids: dict[str, str], slim: Slim) -> str:
    """Each id is replaced by a number, the session's, which comes first, by 1."""
    text = text.replace(str(folder), "/bench").replace(str(folder)[1:], "bench").replace(program, "/bin/agent")
    text = _PORT.sub("127.0.0.1:1", text)
    text = _UUID.sub(lambda found: ids.setdefault(found[0], f"01a1fe80-0000-7000-8000-{len(ids) + 1:012}"), text)
    return "".join(_slimmed(text.splitlines(), slim))


def _slimmed(lines: Iterable[str], slim: Slim) -> Iterable[str]:
    for line in lines:
        kept = slim(json.loads(line))
        if kept is not None:
            yield json.dumps(kept, separators=(",", ":"), ensure_ascii=False) + "\n"


def _same(line: dict[str, Any]) -> dict[str, Any]:
    return line


def _claude_line(line: dict[str, Any]) -> dict[str, Any]:
    """The first line's long lists say what is installed and nothing about usage."""
    if line.get("subtype") != "init":
        return line
    return _only(
        line, "type", "subtype", "cwd", "session_id", "tools", "model", "permissionMode", "claude_code_version"
    )


def _codex_log_line(line: dict[str, Any]) -> dict[str, Any] | None:
    payload = line["payload"]
    if line["type"] == "turn_context":
        return line | {"payload": _only(payload, "turn_id", "model")}
    if line["type"] == "response_item" and payload["type"].endswith("_output"):
        return line | {"payload": payload}
    return line if line["type"] == "token_usage_record" else None


def _gemini_log_line(line: dict[str, Any]) -> dict[str, Any] | None:
    if "$set" in line:
        return None  # patches repeat texts of the CLI, and no usage
    return line if line.get("type") in ("gemini", "user") or "sessionId" in line else None


def _only(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


_STREAMS: Mapping[str, Slim] = {"claude": _claude_line}
_LOGS: Mapping[str, tuple[str, ...]] = {
    "codex": (".codex/sessions/*/*/*/rollout-*.jsonl",),
    "gemini": (".gemini/tmp/*/chats/session-*.jsonl",),
}
_LOG_LINES: Mapping[str, Slim] = {"codex": _codex_log_line, "gemini": _gemini_log_line}
