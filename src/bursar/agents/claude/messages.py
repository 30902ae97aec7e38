"""Lines of Claude Code's that need no memory: what a message holds beside its usage, and the CLI's own words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bursar.agents.claude import wire
from bursar.agents.counts import count
from bursar.agents.summaries import summarise
from bursar.events import AgentEvent, RetryReported, SessionStarted, ToolReturned, ToolStarted

_TOOL_USE = b'"tool_use"'
_message = msgspec.json.Decoder(wire.Message)
_blocks = msgspec.json.Decoder(list[wire.Block])
_tool_input = msgspec.json.Decoder(wire.ToolInput)


def read_message(line: wire.Line) -> wire.Message:
    """The message of an `assistant` or a `user` line; may raise what decoders raise."""
    return _message.decode(line.message)


def read_tools(message: wire.Message) -> Iterator[AgentEvent]:
    """The tools that the message asks for."""
    for block in _content(message) if _TOOL_USE in bytes(message.content) else ():
        if block.type == "tool_use":
            yield ToolStarted(name=block.name, summary=_summary(block.input))


def read_handed_back(line: wire.Line) -> Iterator[AgentEvent]:
    """What the next call has to read: tool results, or words of the CLI (a sub-agent's prompt, "go on" after a cut)."""
    is_side_chain = line.parent_tool_use_id is not None
    for block in _content(read_message(line)):
        if block.type in ("tool_result", "text"):
            result_bytes = len(bytes(block.content if block.type == "tool_result" else block.text))
            yield ToolReturned(result_bytes=result_bytes, is_side_chain=is_side_chain)


def read_system(line: wire.Line) -> Iterator[AgentEvent]:
    """The start, and requests that are sent again."""
    if line.subtype == "init":
        yield SessionStarted(session_id=line.session_id or "", model=line.model, version=line.claude_code_version)
    elif line.subtype == "api_retry":
        status = None if line.error_status is None else count("error_status", line.error_status)
        yield RetryReported(attempt=count("attempt", line.attempt), status=status)


def _content(message: wire.Message) -> list[wire.Block]:
    return _blocks.decode(message.content) if bytes(message.content)[:1] == b"[" else []


def _summary(raw: msgspec.Raw) -> str:
    """The part of a tool's input that a person recognises it by; empty where there is none."""
    if bytes(raw)[:1] != b"{":
        return ""
    values = _tool_input.decode(raw)
    return summarise(values.command, values.file_path, values.pattern, values.description)
