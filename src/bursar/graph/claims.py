"""What an entry of a task's files lays claim to: a path, a folder with all that is in it, or a pattern. Pure text.

`*` and `?` make a pattern; braces and brackets do not: `{a,b}` and `[...slug]` are files of real projects. Where it
cannot be told whether two claims meet, they do: an order too many costs time, one too few costs a merge.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_CHARACTERS = 4096  # no file system has longer paths
MAX_DEPTH = 64
_SUFFIX = re.compile(r"[^/]\.\w+$")
_WILD = re.compile(r"[*?]+|\{[^{}/]*\}")
_ANY_DEPTH = "**"
_BRACES_OVER_FOLDERS = re.compile(r"\{[^{}]*/[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry, normalised.

    Attributes:
        text: as its author wrote it, but for `./`, `//`, `..` and a slash at the end.
        root: the folder that everything claimed lies in: of a pattern what stands before its first star, else `text`.
            Empty for the whole project.
        is_pattern: it has a star or a question mark.
        is_whole: all that is below it is claimed too.
    """

    text: str
    root: str
    is_pattern: bool
    is_whole: bool


def parse_claim(entry: str) -> Claim:
    """The claim of one entry. A path that no file system could have is compared as a whole, never as a pattern."""
    text = posixpath.normpath(entry) if entry else ""
    if text == ".":
        text = ""
    if len(text) > MAX_CHARACTERS or text.count("/") >= MAX_DEPTH or not _is_pattern(text):
        return Claim(text, text, False, entry.endswith("/") or not _SUFFIX.search(text))
    is_whole = entry.endswith("/") or not _SUFFIX.search(_last_literal(text))
    return Claim(text, _root_of(text), True, is_whole)


def folders_above(path: str) -> Iterator[str]:
    """The folders that a path lies in, from the whole project (empty) down, as deep as is read."""
    if not path:
        return
    yield ""
    slash = path.find("/", 1) if len(path) <= MAX_CHARACTERS else -1
    for _ in range(MAX_DEPTH):
        if slash < 0:
            return
        yield path[:slash]
        slash = path.find("/", slash + 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """A claim taken apart for comparison: its segments as literal pieces between stars, and None for `**`."""

    segments: tuple[tuple[str, ...] | None, ...]
    is_whole: bool


def shape_of(text: str, *, is_pattern: bool, is_whole: bool) -> Shape:
    """The shape of a normalised path or pattern."""
    if not text:
        return Shape((), is_whole)
    if is_pattern and _BRACES_OVER_FOLDERS.search(text):
        return Shape((*shape_of(_root_of(text), is_pattern=False, is_whole=True).segments, None), is_whole=True)
    if not is_pattern:
        return Shape(tuple((segment,) for segment in text.split("/")), is_whole)
    return Shape(tuple(_pieces(segment) for segment in text.split("/")), is_whole)


def may_meet(one: Shape, other: Shape) -> bool:
    """Whether some path may be claimed by both. False is certain."""
    for index, (a, b) in enumerate(zip(one.segments, other.segments, strict=False)):
        if a is None or b is None:
            return _may_meet_at_any_depth(one, other, index)
        if a != b and not _may_be_equal(a, b):
            return False
    if len(one.segments) == len(other.segments):
        return True
    return one.is_whole if len(one.segments) < len(other.segments) else other.is_whole


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _root_of(pattern: str) -> str:
    star = min(index for index in (pattern.find("*"), pattern.find("?")) if index >= 0)
    brace = pattern.find("{", 0, star)
    return pattern[: max(0, pattern.rfind("/", 0, star if brace < 0 else brace))]


def _last_literal(pattern: str) -> str:
    """The end of a pattern that no star reaches, with something before it: `x.py` of `src/*.py`."""
    return "x" + _WILD.split(pattern.rpartition("/")[2])[-1]


def _pieces(segment: str) -> tuple[str, ...] | None:
    if segment == _ANY_DEPTH:
        return None
    return tuple(_WILD.split(segment))


def _may_be_equal(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether some name fits both segments; certain both ways."""
    if len(a) == 1 and len(b) == 1:
        return a[0] == b[0]
    if len(a) > 1 and len(b) > 1:
        # Both have a star: whatever stands between the longer head and the longer tail fits into it.
        return _agree(a[0], b[0]) and _agree(a[-1][::-1], b[-1][::-1])
    wild, name = (a, b[0]) if len(a) > 1 else (b, a[0])
    return _fits(wild, name)


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _fits(pieces: Sequence[str], name: str) -> bool:
    """Whether the name has the pieces in their order, the first at its start and the last at its end."""
    first, last = pieces[0], pieces[-1]
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for piece in pieces[1:-1]:
        position = name.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


def _may_meet_at_any_depth(one: Shape, other: Shape, index: int) -> bool:
    """As `may_meet`, once one of them has `**` at `index` and they agree so far."""
    if one.is_whole and other.is_whole:
        return True
    if one.is_whole or other.is_whole:
        whole, file = (one, other) if one.is_whole else (other, one)
        return None in file.segments or _lies_within(file, whole, index)
    if None not in one.segments or None not in other.segments:
        fixed, deep = (one, other) if None not in one.segments else (other, one)
        if len(fixed.segments) < sum(segment is not None for segment in deep.segments):
            return False
    for a, b in zip(reversed(one.segments), reversed(other.segments), strict=False):
        if a is None or b is None:
            return True
        if not _may_be_equal(a, b):
            return False
    return True


def _lies_within(file: Shape, whole: Shape, index: int) -> bool:
    """Whether a path without `**` has somewhere from `index` on what follows the last `**` of `whole`."""
    after = len(whole.segments) - tuple(reversed(whole.segments)).index(None)
    tail = whole.segments[after:]
    return any(
        all(
            a is not None and b is not None and _may_be_equal(a, b)
            for a, b in zip(file.segments[start:], tail, strict=False)
        )
        for start in range(index, len(file.segments) - len(tail) + 1)
    )
