"""Gemini CLI's output lines and its chat log → events. The stream tells what it does, the log what it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from bursar.agents.environment import bytes_before
from bursar.agents.gemini import wire
from bursar.agents.gemini.chat_log import (
    find_all_sub_agent_logs,
    find_chat_log,
    find_sub_agent_logs,
    gemini_home,
    read_log_line,
    usage_of_stats,
)
from bursar.agents.logged_reader import LoggedReader
from bursar.agents.session_log import SessionLog, SideLog
from bursar.agents.summaries import summarise
from bursar.events import AgentEvent, SessionEnded, SessionStarted, ToolReturned, ToolStarted
from bursar.usage import NOTHING, Usage

_STATUS = re.compile(r'"code":\s*\d{3}\b')  # of an answer that refused the call; a broken connection has none
_line = msgspec.json.Decoder(wire.Line)
_parameters = msgspec.json.Decoder(wire.Parameters)


class GeminiReader(LoggedReader):
    """Reads one process: its stream, and its chat log as soon as the stream has named the session."""

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__()
        self._home = gemini_home(environment)
        self._before = bytes_before(environment)
        self._earlier_chats = find_all_sub_agent_logs(self._home) if self._before else frozenset[Path]()
        self._last_message = ""
        self._is_in_message = False
        self._session_id = ""

    def find_side_logs(self) -> Iterable[Path]:
        """Chats of sub-agents lie in a folder beside the session's own."""
        own = None if self.log is None else self.log.path
        if own is None:
            return ()
        return [path for path in find_sub_agent_logs(own, self._session_id) if path not in self._earlier_chats]

    def open_side_log(self, path: Path) -> SideLog:
        """A sub-agent's chat."""
        return SideLog(path, read_log_line)

    def accounted(self) -> Usage:
        """Sub-agents are in the closing statement."""
        return super().accounted() + self.side_total

    def read_line(self, line: bytes) -> Iterator[AgentEvent]:
        """The events of one line of the stream; may raise what decoders raise."""
        read = _line.decode(line)
        match read.type:
            case "init":
                session_id = read.session_id or ""
                if self.log is not None and session_id == self._session_id:
                    return  # said twice: its log is being read
                self._session_id = session_id
                self.log = SessionLog(lambda: find_chat_log(self._home, session_id), read_log_line, before=self._before)
                yield SessionStarted(session_id=session_id, model=read.model)
            case "message" if read.role == "assistant" and isinstance(read.content, str):
                self._last_message = self._last_message + read.content if self._is_in_message else read.content
            case "tool_use":
                yield ToolStarted(name=read.tool_name or "", summary=_summary(read.parameters))
            case "tool_result" if self.log is None or not self.log.is_found:
                yield ToolReturned(result_bytes=len(bytes(read.output)))
            case "result":
                yield self._result(read)
        self._is_in_message = read.type == "message" and read.role == "assistant"

    def _result(self, line: wire.Line) -> SessionEnded:
        models = {} if line.stats is None else line.stats.models
        usage = {model: used for model, stats in models.items() if (used := usage_of_stats(stats)) != NOTHING}
        message = self._last_message if line.error is None else line.error.message
        is_error = line.status != "success"
        broke_off = is_error and "API Error" in message and _STATUS.search(message) is None
        return SessionEnded(is_error=is_error, message=message, usage_by_model=usage, broke_off_call=broke_off)


def _summary(raw: msgspec.Raw) -> str:
    """The part of a tool's input that a person recognises it by; empty where there is none."""
    if bytes(raw)[:1] != b"{":
        return ""
    values = _parameters.decode(raw)
    return summarise(values.command, values.file_path, values.pattern, values.path)
