"""Codex's output lines and its session log → events. The stream tells what it does, the log what it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from bursar.agents.codex import wire
from bursar.agents.codex.session_log import SessionLog, codex_home, usage_of
from bursar.agents.lines import MAX_LINE_BYTES
from bursar.events import (
    AgentEvent,
    LineRejected,
    RetryReported,
    SessionEnded,
    SessionStarted,
    ToolReturned,
    ToolStarted,
)
from bursar.usage import Usage

POLL_SECONDS = 0.1
_SUMMARY_CHARACTERS = 120
_RETRY = re.compile(r"Reconnecting\.\.\. (\d+)/\d+ \((.*)", re.DOTALL)
_STATUS = re.compile(r"(?:unexpected status|last status:) (\d{3})\b")
_TOOLS = {"command_execution", "file_change", "mcp_tool_call", "web_search"}

_line = msgspec.json.Decoder(wire.Line)
_changes = msgspec.json.Decoder(list[wire.Change])


class CodexReader:
    """Reads one process: its stream, and its session log as soon as the stream has named it.

    The closing statement is held back until the log has told everything that it sums up, at most to the end.
    """

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self._home = codex_home(environment)
        self._log: SessionLog | None = None
        self._held_back: SessionEnded | None = None
        self._last_message = ""

    @property
    def poll_seconds(self) -> float | None:
        """Calls are in the log alone."""
        return POLL_SECONDS

    def poll(self) -> tuple[AgentEvent, ...]:
        """What the session log has to add; and the closing statement, if that was what it waited for."""
        events = () if self._log is None else self._log.poll()
        return events + self._release()

    def finish(self) -> tuple[AgentEvent, ...]:
        """The last of the log, and the closing statement if the log never came to its sum."""
        events = () if self._log is None else self._log.close()
        statement, self._held_back = self._held_back, None
        return events if statement is None else (*events, statement)

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line, after those that the log has had until now. Never raises on hostile input."""
        if not line.strip():
            return ()
        logged = self.poll()
        if len(line) > MAX_LINE_BYTES:
            return (*logged, LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes"))
        try:
            read = tuple(self._events(_line.decode(line)))
        except UnicodeDecodeError:
            return logged + self.feed_line(line.decode(errors="replace").encode())
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            return (*logged, LineRejected(reason=f"{str(error)[:80]}: {line[:80]!r}"))
        return logged + read + self._release()

    def _events(self, line: wire.Line) -> Iterator[AgentEvent]:
        match line.type:
            case "thread.started":
                self._log = SessionLog(self._home, line.thread_id or "")
                yield SessionStarted(session_id=line.thread_id or "")
            case "item.started" | "item.completed" if line.item is not None:
                yield from self._item(line.item, is_completed=line.type == "item.completed")
            case "error":
                yield from _retry(_text(line.message))
            case "turn.completed":
                self._held_back = SessionEnded(
                    is_error=False,
                    message=self._last_message,
                    main_usage=None if line.usage is None else usage_of(line.usage),
                )
            case "turn.failed":
                yield _failed(line.error.message if line.error else "")

    def _item(self, item: wire.Item, *, is_completed: bool) -> Iterator[AgentEvent]:
        if item.type == "agent_message" and isinstance(item.text, str):
            self._last_message = item.text
        elif item.type in _TOOLS and not is_completed:
            yield ToolStarted(name=item.type, summary=_summary(item))
        elif item.type in _TOOLS and (self._log is None or not self._log.is_found):
            yield ToolReturned(result_bytes=len(bytes(item.aggregated_output)))

    def _release(self) -> tuple[AgentEvent, ...]:
        """The closing statement, once the log accounts for all of it."""
        statement = self._held_back
        if statement is None or self._log is None or not _is_covered(statement.main_usage, self._log.total):
            return ()
        self._held_back = None
        return (statement,)


def _is_covered(stated: Usage | None, logged: Usage) -> bool:
    return stated is not None and stated == logged


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
    for value in (item.command, item.query, item.tool):
        if isinstance(value, str):
            return value[:_SUMMARY_CHARACTERS]
    if bytes(item.changes)[:1] == b"[":
        return ", ".join(change.path for change in _changes.decode(item.changes))[:_SUMMARY_CHARACTERS]
    return ""


def _text(raw: msgspec.Raw) -> str:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else ""
