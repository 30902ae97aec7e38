"""The YAML between the two `---` lines at the top of a plan, read without trusting it.

Only plain data comes out: mappings, lists, text, true, false and null. Numbers and dates stay the text that the author
wrote (`08`, `12.10`): they are names here, not quantities. Aliases and tags are refused; nothing is constructed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bursar.plan.model import Position
from bursar.plan.source import Source, shortened

MAX_CHARACTERS = 64 * 1024  # the largest real plan, body and all, is smaller
MAX_DEPTH = 64
_OPENING = re.compile(r"---[ \t]*(?:\n|\Z)")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The keys as read, where each stands in the file (offsets), and where the body begins."""

    values: Mapping[str, object] = field(default_factory=dict)
    offsets: Mapping[str, int] = field(default_factory=dict)
    body_offset: int = 0


class _Refused(Exception):
    """The YAML breaks a rule of ours at a line and column that count from 0."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def parse_front_matter(source: Source) -> FrontMatter:
    """The front matter of a plan; empty where there is none, or where what is wrong with it has been noted."""
    text = source.text
    opening = _OPENING.match(text)
    if opening is None:
        return FrontMatter()
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        source.error(0, "front matter is opened here and never closed", hint="end it with a line of three dashes: ---")
        return FrontMatter()
    return _parse_block(source, opening.end(), closing.start(), closing.end())


def _parse_block(source: Source, start: int, end: int, body_offset: int) -> FrontMatter:
    if end - start > MAX_CHARACTERS:
        source.error(0, f"front matter is longer than {MAX_CHARACTERS // 1024} KiB")
        return FrontMatter(body_offset=body_offset)
    try:
        values, lines = _parse_yaml(source.text[start:end])
    except _Refused as refused:
        # The block begins on the second line of the file.
        offset = source.offset(Position(refused.line + 2, refused.column + 1))
        source.error(min(offset, body_offset), f"front matter is not YAML that can be read: {refused.message}")
        return FrontMatter(body_offset=body_offset)
    offsets = {key: source.offset(Position(line + 2)) for key, line in lines.items()}
    return FrontMatter(values, offsets, body_offset)


def _parse_yaml(text: str) -> tuple[dict[str, object], dict[str, int]]:
    """The top mapping of a YAML text, and the line (from 0) of each of its keys."""
    builder = _Builder()
    for event in _events(text):
        builder.feed(event)
    if builder.root is None:
        return {}, {}
    if not isinstance(builder.root, dict):
        raise _Refused("it should be `key: value` lines", 0, 0)
    return builder.root, builder.lines


def _events(text: str) -> Iterator[Any]:
    """The YAML 1.2 parser's events; whatever the parser raises comes out as one refusal with its place."""
    # Imported here: a command that reads no plan must not pay for it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except YAMLError as error:
        raise _refusal(text, error) from error
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # The parser's own slips on text that is not YAML: malformed directives, absurd escapes.
        raise _Refused("the text is malformed", 0, 0) from error


def _refusal(text: str, error: Exception) -> _Refused:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    message = getattr(error, "problem", None) or getattr(error, "reason", None) or "the text is malformed"
    message = str(message).replace("'<stream end>'", "the end")
    if mark is not None:
        return _Refused(message, mark.line, mark.column)
    before = text[: max(0, int(getattr(error, "position", 0) or 0))]
    return _Refused(message, before.count("\n"), len(before) - before.rfind("\n") - 1)


class _Builder:
    """Builds plain data from parser events, one level at a time."""

    def __init__(self) -> None:
        self.root: object = None
        self.lines: dict[str, int] = {}
        self._open: list[dict[str, object] | list[object]] = []
        self._keys: list[str | None] = []  # per open level: the key that waits for its value
        self._documents = 0

    def feed(self, event: Any) -> None:
        """Take one event; raises `_Refused` for aliases, tags, duplicate keys and depth."""
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            self._documents += 1
        elif kind == "AliasEvent":
            raise _at(event, f"aliases (`*{event.anchor}`) are not accepted")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._open.pop()
            self._keys.pop()
        elif kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
            self._take(event, kind)

    def _take(self, event: Any, kind: str) -> None:
        if self._documents > 1:
            raise _at(event, "only one document is accepted")
        if event.tag is not None:
            raise _at(event, "tags are not accepted")
        if kind == "ScalarEvent":
            self._take_scalar(event)
            return
        level: dict[str, object] | list[object] = {} if kind == "MappingStartEvent" else []
        self._place(level, event)
        if len(self._open) >= MAX_DEPTH:
            raise _at(event, f"it is nested deeper than {MAX_DEPTH} levels")
        self._open.append(level)
        self._keys.append(None)

    def _take_scalar(self, event: Any) -> None:
        if self._open and isinstance(self._open[-1], dict) and self._keys[-1] is None:
            self._take_key(event)
            return
        is_plain = event.style is None
        self._place(_CONSTANTS.get(event.value, event.value) if is_plain else event.value, event)

    def _take_key(self, event: Any) -> None:
        level, key = self._open[-1], event.value
        if key in level:
            raise _at(event, f"the key `{shortened(key)}` stands here a second time")
        if len(self._open) == 1:
            self.lines[key] = event.start_mark.line
        self._keys[-1] = key

    def _place(self, value: object, event: Any) -> None:
        if not self._open:
            self.root = value
            return
        level, key = self._open[-1], self._keys[-1]
        if isinstance(level, list):
            level.append(value)
        elif key is None:
            raise _at(event, "a key must be text")
        else:
            level[key] = value
            self._keys[-1] = None


def _at(event: Any, message: str) -> _Refused:
    return _Refused(message, event.start_mark.line, event.start_mark.column)
