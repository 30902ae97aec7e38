"""JSON as values that know their place in the text, so that every complaint about one can name line and column.

Strict: one value, no second key of one name, no NaN, no endless nesting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

from bursar.plan.source import Source, shortened

MAX_DEPTH = 32
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[\w.+-]+")
_CONSTANTS = {"true": True, "false": False, "null": None}
_DECODER = JSONDecoder()
_LONGEST_NUMBER = 400  # digits; Python would take minutes over a million of them


@dataclass(frozen=True, slots=True)
class Json:
    """A value at an offset. Objects keep the offset of each key: name → (offset, value)."""

    offset: int
    value: dict[str, tuple[int, Json]] | list[Json] | str | int | float | bool | None


class _NotJson(Exception):
    """What is wrong, and at which offset; nothing after it can be read."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.offset, self.hint = message, offset, hint


def parse_json(source: Source) -> Json | None:
    """The one value that the text is; None where it is no JSON, and then the reason is among the source's problems."""
    try:
        found, end = _Reader(source).value(_skip(source.text, 0), MAX_DEPTH)
        if (rest := _skip(source.text, end)) < len(source.text):
            raise _NotJson(f"not JSON: {_what(source.text, rest)} after the end", rest)
    except _NotJson as wrong:
        source.error(wrong.offset, wrong.message, hint=wrong.hint)
        return None
    return found


class _Reader:
    """Reads values from left to right; each method gives what it read and the offset behind it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text

    def value(self, at: int, depth: int) -> tuple[Json, int]:
        sign = self._text[at : at + 1]
        if sign in ("{", "["):
            if not depth:
                raise _NotJson(f"nested more than {MAX_DEPTH} deep", at)
            items, end = self._object(at, depth - 1) if sign == "{" else self._array(at, depth - 1)
            return Json(at, items), end
        if sign == '"':
            text, end = self._string(at)
            return Json(at, text), end
        return self._plain(at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, tuple[int, Json]], int]:
        found: dict[str, tuple[int, Json]] = {}

        def member(start: int) -> int:
            if self._text[start : start + 1] != '"':
                raise _NotJson(f"not JSON: a key in double quotes is due, not {_what(self._text, start)}", start)
            key, end = self._string(start)
            colon = _skip(self._text, end)
            if self._text[colon : colon + 1] != ":":
                raise _NotJson(f"not JSON: `:` is due, not {_what(self._text, colon)}", colon)
            value, end = self.value(_skip(self._text, colon + 1), depth)
            if key in found:
                line = self._source.position(found[key][0]).line
                self._source.error(start, f"the key `{shortened(key)}` stands there already, in line {line}")
            else:
                found[key] = (start, value)
            return end

        return found, self._members(at, "}", member)

    def _array(self, at: int, depth: int) -> tuple[list[Json], int]:
        found: list[Json] = []

        def item(start: int) -> int:
            value, end = self.value(start, depth)
            found.append(value)
            return end

        return found, self._members(at, "]", item)

    def _members(self, at: int, close: str, read: Callable[[int], int]) -> int:
        """Reads members with commas between them; the offset behind the closing bracket."""
        here = _skip(self._text, at + 1)
        if self._text[here : here + 1] == close:
            return here + 1
        while True:
            here = _skip(self._text, read(here))
            sign = self._text[here : here + 1]
            if sign == close:
                return here + 1
            if sign != ",":
                raise _NotJson(f"not JSON: `,` or `{close}` is due, not {_what(self._text, here)}", here)
            comma, here = here, _skip(self._text, here + 1)
            if self._text[here : here + 1] == close:
                raise _NotJson(f"not JSON: a comma before `{close}`", comma, hint="take it away")

    def _string(self, at: int) -> tuple[str, int]:
        text: str
        try:
            text, end = _DECODER.raw_decode(self._text, at)  # a quote stands there: it reads a string
        except JSONDecodeError as error:
            raise _NotJson(f"not JSON: {_plain_words(error.msg)}", error.pos) from error
        try:
            text.encode()
        except UnicodeEncodeError:
            self._source.error(at, "half a character: a surrogate escape without its other half")
            text = text.encode("utf-8", "replace").decode()
        return text, end

    def _plain(self, at: int) -> tuple[Json, int]:
        """A number or one of the three words."""
        word = _WORD.match(self._text, at)
        if word is not None and word[0] in _CONSTANTS:
            return Json(at, _CONSTANTS[word[0]]), word.end()
        number = _NUMBER.match(self._text, at)
        if number is None or (word is not None and word.end() != number.end()):
            raise _NotJson(f"not JSON: a value is due, not {_what(self._text, at)}", at)
        if number.end() - at > _LONGEST_NUMBER:
            raise _NotJson(f"a number of {number.end() - at} characters", at)
        is_whole = number[1] is None and number[2] is None
        return Json(at, int(number[0]) if is_whole else float(number[0])), number.end()


def _skip(text: str, at: int) -> int:
    """The offset of the next character that is no white space."""
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _what(text: str, at: int) -> str:
    """What stands there, for a message."""
    if at >= len(text):
        return "the end of the file"
    word = _WORD.match(text, at)
    return f"`{shortened(word[0] if word else text[at])}`"


def _plain_words(message: str) -> str:
    """The decoder's message as a part of a sentence of ours."""
    return message.removesuffix(" at").removesuffix(" starting").replace("Unterminated", "an unterminated").lower()
