"""Codex's output lines and its session log → events. The stream tells what it does, the log what it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from bursar.agents.codex import wire
from bursar.agents.codex.session_log import (
    SessionLogLines,
    SubAgentLogs,
    codex_home,
    find_session_log,
    usage_of,
)
from bursar.agents.environment import bytes_before
from bursar.agents.logged_reader import LoggedReader
from bursar.agents.session_log import SessionLog, SideLog
from bursar.agents.summaries import summarise
from bursar.events import (
    AgentEvent,
    RetryReported,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)
from bursar.usage import Usage

_RETRY = re.compile(r"Reconnecting\.\.\. (\d+)/\d+ \((.*)", re.DOTALL)
_STATUS = re.compile(r"(?:unexpected status|last status:) (\d{3})\b")
_TOOLS = {"command_execution", "file_change", "mcp_tool_call", "web_search"}

_line = msgspec.json.Decoder(wire.Line)
_changes = msgspec.json.Decoder(list[wire.Change])


class CodexReader(LoggedReader):
    """Reads one process: its stream, and its session log as soon as the stream has named the thread."""

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__()
        self._home = codex_home(environment)
        self._before = bytes_before(environment)
        self._last_message = ""
        self._sub_agents: SubAgentLogs | None = None

    def find_side_logs(self) -> Iterable[Path]:
        """Logs of threads that this one has spawned; the closing statement leaves them out."""
        return () if self._sub_agents is None else self._sub_agents.find()

    def open_side_log(self, path: Path) -> SideLog:
        """A sub-agent's log."""
        return SideLog(path, SessionLogLines().read)

    def read_line(self, line: bytes) -> Iterator[AgentEvent]:
        """The events of one line of the stream; may raise what decoders raise."""
        read = _line.decode(line)
        match read.type:
            case "thread.started":
                thread_id = read.thread_id or ""
                if self._sub_agents is not None and self._sub_agents.thread_id == thread_id:
                    return  # said twice: its log is being read
                self.log = SessionLog(
                    lambda: find_session_log(self._home, thread_id), SessionLogLines().read, before=self._before
                )
                self._sub_agents = SubAgentLogs(self._home, thread_id, leaves_out_earlier=self._before > 0)
                yield SessionStarted(session_id=thread_id)
            case "item.started" | "item.completed" if read.item is not None:
                yield from self._item(read.item, is_completed=read.type == "item.completed")
            case "error":
                yield from _retry(_text(read.message))
            case "turn.completed":
                usage = None if read.usage is None else usage_of(read.usage)
                yield SessionEnded(is_error=False, message=self._last_message, main_usage=self._of_this_process(usage))
            case "turn.failed":
                yield _failed(read.error.message if read.error else "")

    def _of_this_process(self, usage: Usage | None) -> Usage | None:
        """The statement sums up the whole thread; None where it cannot be told what of it was there before."""
        if usage is None or not self._before:
            return usage
        return usage.beyond(self.log.earlier) if self.log is not None and self.log.is_found else None

    def _item(self, item: wire.Item, *, is_completed: bool) -> Iterator[AgentEvent]:
        if item.type == "agent_message" and isinstance(item.text, str):
            self._last_message = item.text
        elif item.type in _TOOLS and not is_completed:
            yield ToolStarted(name=item.type, summary=_summary(item))
        elif item.type in _TOOLS and (self.log is None or not self.log.is_found):
            yield ToolReturned(result_bytes=len(bytes(item.aggregated_output)))


def _retry(message: str) -> Iterator[AgentEvent]:
    """A request is sent again; without a status nobody knows how far the last one came."""
    if found := _RETRY.match(message):
        yield RetryReported(attempt=int(found[1]), status=_status(found[2]))


def _failed(message: str) -> SessionEnded:
    is_refused = _status(message) is not None or message.lstrip().startswith("{")
    return SessionEnded(is_error=True, message=message, broke_off_call="disconnected" in message and not is_refused)


def _status(message: str) -> int | None:
    found = _STATUS.search(message)
    return int(found[1]) if found else None


def _summary(item: wire.Item) -> str:
    said = summarise(item.command, item.query, item.tool)
    if said or bytes(item.changes)[:1] != b"[":
        return said
    return summarise(", ".join(change.path for change in _changes.decode(item.changes)))


def _text(raw: msgspec.Raw) -> str:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else ""
