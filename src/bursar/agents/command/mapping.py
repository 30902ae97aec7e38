"""Where in its lines a program of the user's own says what it uses: `[agents.command.events]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from bursar.agents.counts import AbsurdCount, count
from bursar.errors import UserError
from bursar.usage import Usage

_PATH = re.compile(r"[^.\s]+(\.[^.\s]+)*")
_COUNTERS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
_HINT = 'events = {call = "id", end = "result", input_tokens = "usage.input", output_tokens = "usage.output"}'


class EventMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Places in the program's JSON lines, as names with dots between them: `usage.input`, `choices.0.text`.

    Attributes:
        call: the id of a model call; a line that has it tells what that call has used.
        end: a line that has it is the closing statement; where it is text, it is the program's last words.
        error: in the closing statement: anything but null, false, 0 or empty says that the work failed.
        model, session: whose call it is; how the program names its session.
        tool: the name of a tool that the model asked for.
        tool_result: what a tool answered, which the next call has to read.
        input_includes_cache: `input_tokens` has in it what was read from the cache and written to it.
    """

    call: str
    end: str
    error: str = ""
    model: str = ""
    session: str = ""
    tool: str = ""
    tool_result: str = ""
    input_tokens: str = ""
    cache_read_tokens: str = ""
    cache_write_5m_tokens: str = ""
    cache_write_1h_tokens: str = ""
    output_tokens: str = ""
    input_includes_cache: bool = False

    def usage_in(self, line: Any) -> Usage | None:
        """What a line says that its call has used; None where it has none of the counters.

        Raises:
            AbsurdCount: a number cannot be true.
        """
        found = {name: at(line, getattr(self, name)) for name in _COUNTERS}
        if all(value is None for value in found.values()):
            return None
        counts = {name: _count(name, value) for name, value in found.items()}
        if self.input_includes_cache:
            cached = sum(counts[name] for name in _COUNTERS if name.startswith("cache_"))
            if cached > counts["input_tokens"]:
                raise AbsurdCount(f"absurd input_tokens: {counts['input_tokens']} with {cached} of them cached")
            counts["input_tokens"] -= cached
        return Usage(**counts)


def read_mapping(table: Mapping[str, str | bool]) -> EventMapping:
    """The mapping that stands in settings; its places can be looked for.

    Raises:
        UserError: a key or a place is none, or there is none for the end, for calls, for input or for output.
    """
    try:
        mapping = msgspec.convert(table, EventMapping)
    except msgspec.ValidationError as error:
        raise UserError(f"agents.command.events: {error}", hint=_HINT) from error
    for name in EventMapping.__struct_fields__:
        path = getattr(mapping, name)
        if path != "" and isinstance(path, str) and not _PATH.fullmatch(path):
            raise UserError(f"agents.command.events.{name}: {path!r} is no place in a line", hint='"usage.output"')
    if absent := [name for name in ("call", "end", "input_tokens", "output_tokens") if not getattr(mapping, name)]:
        raise UserError(f"agents.command.events says nothing of {', '.join(absent)}", hint=_HINT)
    return mapping


def at(line: Any, path: str) -> Any:
    """What stands at that place; None where nothing does."""
    if not path:
        return None
    for name in path.split("."):
        if isinstance(line, dict):
            line = line.get(name)
        elif isinstance(line, list) and name.isascii() and name.isdigit() and int(name) < len(line):
            line = line[int(name)]
        else:
            return None
    return line


def _count(name: str, value: object) -> int:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise AbsurdCount(f"absurd {name}: {value!r:.40}")
    return count(name, value)
