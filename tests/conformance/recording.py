"""What a real CLI printed and logged → fixtures: without paths of this machine, and without the texts of others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

MOST_BYTES = 100_000
ID = "01a1fe80-0000-7000-8000-000000000001"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Slim = Callable[[dict[str, Any]], dict[str, Any] | None]


def record(name: str, folder: Path, program: str, output: bytes, target: Path, case: str) -> None:
    """The stream lies in `target`/NAME/CASE.jsonl, what the CLI logged in CASE.log.jsonl; nothing if it is very long."""
    if len(output) > MOST_BYTES:
        return
    target = target / name
    target.mkdir(parents=True, exist_ok=True)
    text = output.decode(errors="replace")
    (target / f"{case}.jsonl").write_text(_clean(text, folder, program, _STREAMS.get(name, _same)), encoding="utf-8")
    logs = [path for pattern in _LOGS.get(name, ()) for path in sorted(folder.glob(f"home/{pattern}"))]
    if logs:
        text = "".join(path.read_text(encoding="utf-8") for path in logs)
        (target / f"{case}.log.jsonl").write_text(_clean(text, folder, program, _LOG_LINES[name]), encoding="utf-8")


def _clean(text: str, folder: Path, program: str, slim: Slim) -> str:
    text = text.replace(str(folder), "/bench").replace(program, "/bin/agent")
    text = _UUID.sub(ID, text)
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
