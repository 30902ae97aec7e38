"""Claude Code's session logs, read once the process has ended: what they say of each call, sub-agents' included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from bursar.agents.claude import wire
from bursar.agents.claude.counts import usage_from_api
from bursar.agents.claude.home import config_folder
from bursar.agents.service_tier import name_service_tier
from bursar.agents.session_log import SessionLog
from bursar.events import AgentEvent, CallReported, Source

_SESSION_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_SYNTHETIC = "<synthetic>"
_line = msgspec.json.Decoder(wire.SessionLogLine)


def read_session_logs(environment: Mapping[str, str], session_id: str) -> Iterator[AgentEvent]:
    """The calls of the session, as far as its session logs can be found and read."""
    for path in _find(config_folder(environment), session_id):
        yield from SessionLog(lambda path=path: path, _read).close()  # type: ignore[misc]


def _find(folder: Path | None, session_id: str) -> list[Path]:
    if folder is None or not _SESSION_ID.fullmatch(session_id):
        return []
    projects = folder / "projects"
    return [
        *sorted(projects.glob(f"*/{session_id}.jsonl")),
        *sorted(projects.glob(f"*/{session_id}/subagents/*.jsonl")),
    ]


def _read(line: bytes) -> Iterator[AgentEvent]:
    if b'"usage"' not in line:
        return
    entry = _line.decode(line)
    message = entry.message
    if entry.type != "assistant" or message is None or not message.id or message.model == _SYNTHETIC:
        return
    if message.usage is not None and message.stop_reason is not None:
        yield CallReported(
            call_id=message.id,
            model=message.model,
            usage=usage_from_api(message.usage),
            is_final=True,
            is_side_chain=entry.isSidechain,
            source=Source.SESSION_LOG,
            service_tier=name_service_tier(message.usage.service_tier, message.usage.speed),
        )
