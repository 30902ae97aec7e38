"""YAML as plain data: mappings, lists, text, true, false and null; nothing is constructed.

Numbers and dates stay the text that the author wrote (`08`, `12.10`): they are names here, not quantities. Aliases,
tags, a second document and a second key of one name are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bursar.plan.source import shortened

MAX_DEPTH = 64
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Refused(Exception):
    """What is wrong with the YAML, at a line and column that count from 0.

    Attributes:
        is_syntax: it is no YAML at all; otherwise it is YAML that breaks a rule of ours.
    """

    def __init__(self, message: str, line: int, column: int, *, is_syntax: bool = False) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.is_syntax = message, line, column, is_syntax


def parse_yaml(text: str) -> tuple[dict[str, object], dict[str, int]]:
    """The top mapping of a YAML text, and the line (from 0) of each of its keys.

    Raises:
        Refused: the text is no YAML, or no plain mapping.
    """
    builder = _Builder()
    for event in _events(text):
        builder.feed(event)
    if builder.root is None:
        return {}, {}
    if not isinstance(builder.root, dict):
        raise Refused("it should be `key: value` lines", 0, 0)
    return builder.root, builder.lines


def _events(text: str) -> Iterator[Any]:
    """The parser's events, one by one; whatever the parser raises comes out as one refusal with its place."""
    # Imported here: a command that reads no plan must not pay for it.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is not part of every build
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.YAMLError as error:
        raise _refusal(text, error) from error
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # The parser's own slips on text that is not YAML: malformed directives, lone surrogates.
        raise Refused("the text is malformed", 0, 0, is_syntax=True) from error


def _refusal(text: str, error: Exception) -> Refused:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    message = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "the text is malformed")
    if mark is not None:
        return Refused(message, mark.line, mark.column, is_syntax=True)
    before = text[: max(0, int(getattr(error, "position", 0) or 0))]
    return Refused(message, before.count("\n"), len(before) - before.rfind("\n") - 1, is_syntax=True)


class _Builder:
    """Builds plain data from parser events, one level at a time."""

    def __init__(self) -> None:
        self.root: object = None
        self.lines: dict[str, int] = {}
        self._open: list[dict[str, object] | list[object]] = []
        self._keys: list[str | None] = []  # per open level: the key that waits for its value
        self._documents = 0

    def feed(self, event: Any) -> None:
        """Take one event; raises `Refused` for aliases, tags, duplicate keys and depth."""
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
        self._place(event.value if event.style else _CONSTANTS.get(event.value, event.value), event)

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


def _at(event: Any, message: str) -> Refused:
    return Refused(message, event.start_mark.line, event.start_mark.column)
