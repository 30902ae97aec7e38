"""Gemini CLI's chat log: the only place that tells the usage of each call, while the agent still works."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from bursar.agents.counts import AbsurdCount, count
from bursar.agents.gemini import wire
from bursar.agents.unfollowed import open_plain
from bursar.events import AgentEvent, CallReported, ToolReturned
from bursar.usage import Usage

_SESSION_ID = re.compile(r"[0-9a-f]{8}[0-9a-f-]*")
_line = msgspec.json.Decoder(wire.LogLine)


def gemini_home(environment: Mapping[str, str]) -> Path | None:
    """Where the CLI keeps its settings and chats; None where the environment does not say."""
    home = environment.get("GEMINI_CLI_HOME") or environment.get("HOME")
    return Path(home, ".gemini") if home else None


def find_chat_log(home: Path | None, session_id: str) -> Path | None:
    """The log of a session; None while it is not there. Its name has the first eight characters of the id."""
    if home is None or not _SESSION_ID.fullmatch(session_id):
        return None
    found = (home / "tmp").glob(f"*/chats/session-*-{session_id[:8]}.jsonl")
    return next((path for path in found if _is_of(path, session_id)), None)


def find_sub_agent_logs(own: Path, session_id: str) -> list[Path]:
    """The logs of the sub-agents of the session whose log is `own`."""
    return sorted((own.parent / session_id).glob("*.jsonl")) if _SESSION_ID.fullmatch(session_id) else []


def find_all_sub_agent_logs(home: Path | None) -> frozenset[Path]:
    """The logs of sub-agents of all sessions."""
    return frozenset() if home is None else frozenset((home / "tmp").glob("*/chats/*/*.jsonl"))


def read_log_line(line: bytes) -> Iterator[AgentEvent]:
    """The events of one line of the log.

    Raises:
        msgspec.MsgspecError, ValueError: it cannot be understood, or its numbers cannot be true.
    """
    entry = _line.decode(line)
    if entry.type == "gemini" and entry.id and entry.tokens is not None:
        yield CallReported(call_id=entry.id, model=entry.model, usage=usage_of_tokens(entry.tokens), is_final=True)
    elif entry.type == "user":
        yield ToolReturned(result_bytes=len(bytes(entry.content)))


def usage_of_tokens(reported: wire.Tokens) -> Usage:
    """The disjoint counters of a call.

    Raises:
        AbsurdCount: a number cannot be true, or more was cached than there was input.
    """
    total, cached = count("input", reported.input), count("cached", reported.cached)
    return Usage(
        input_tokens=_uncached(total, cached) + count("tool", reported.tool),
        cache_read_tokens=cached,
        output_tokens=count("output", reported.output) + count("thoughts", reported.thoughts),
    )


def usage_of_stats(reported: wire.ModelStats) -> Usage:
    """The disjoint counters of one model in the closing statement: what is neither input nor cached is output.

    Raises:
        AbsurdCount: a number cannot be true, or more was cached than there was input, or the total is less than it.
    """
    total, given = count("total_tokens", reported.total_tokens), count("input_tokens", reported.input_tokens)
    cached = count("cached", reported.cached)
    if total < given:
        raise AbsurdCount(f"absurd total_tokens: {total} with {given} of input")
    return Usage(input_tokens=_uncached(given, cached), cache_read_tokens=cached, output_tokens=total - given)


def _uncached(total: int, cached: int) -> int:
    if cached > total:
        raise AbsurdCount(f"absurd input: {total} tokens with {cached} of them cached")
    return total - cached


def _is_of(path: Path, session_id: str) -> bool:
    """Whether the log's first line names the session: eight characters may be another's too."""
    try:
        with open(open_plain(path, follows=True), "rb") as file:
            return session_id.encode() in file.readline(4096)
    except OSError:
        return False
