"""The YAML between the two `---` lines at the top of a plan, read without trusting it.

Where it is not YAML, its keys are read one by one: those that are fine count, those that are not are left out, and a
few simple ones are read as a person would read them. Each of these is warned of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bursar.plan.front_yaml import Refused, parse_yaml
from bursar.plan.model import Position
from bursar.plan.source import Source, shortened

MAX_CHARACTERS = 64 * 1024  # the largest real plan, body and all, is smaller
MAX_KEYS = 500  # that are read one by one
_OPENING = re.compile(r"---[ \t]*(?:\n|\Z)")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_KEY = re.compile(r"^(?P<key>[A-Za-z_][\w.-]*)[ \t]*:(?=[ \t\n]|\Z)", re.MULTILINE)
_SIMPLE = frozenset(
    {"phase", "plan", "type", "wave", "depends_on", "depends-on", "files_modified", "requirements", "autonomous"}
)
_LISTS = frozenset({"depends_on", "depends-on", "files_modified", "requirements"})
_PLACES = frozenset({"phase", "plan", "wave", "depends_on", "depends-on"})  # what the plan is, and what it waits for
_ITEM = re.compile(r"[ \t]*-[ \t]+(?P<item>\S.*)")
_NOT_YAML = "front matter is not YAML that can be read: "
_HINT = "put such a value in 'single quotes'"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The keys as read, where each stands in the file (offsets), and where the body begins."""

    values: Mapping[str, object] = field(default_factory=dict)
    offsets: Mapping[str, int] = field(default_factory=dict)
    body_offset: int = 0


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
        values, lines = parse_yaml(source.text[start:end])
    except Refused as refused:
        reader = _KeyByKey(source, start, end)
        if not refused.is_syntax or not reader.can_read():
            source.error(_place(source, start, end, refused), _NOT_YAML + refused.message)
            return FrontMatter(body_offset=body_offset)
        return FrontMatter(*reader.read(), body_offset)
    offsets = {key: source.offset(Position(line + 2)) for key, line in lines.items()}
    return FrontMatter(values, offsets, body_offset)


def _place(source: Source, start: int, end: int, refused: Refused) -> int:
    """The offset of what was refused in the text that begins at `start`, a line of its own."""
    first = source.position(start).line
    return min(source.offset(Position(first + refused.line, refused.column + 1)), end)


class _KeyByKey:
    """Front matter that is not YAML as a whole, one top-level key with its value at a time."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source = source
        self._keys = list(_KEY.finditer(source.text, start, end))
        self._ends = [*(key.start() for key in self._keys[1:]), end]
        self._values: dict[str, object] = {}
        self._offsets: dict[str, int] = {}

    def can_read(self) -> bool:
        """Whether there are keys, and no more than a person would write."""
        return 0 < len(self._keys) <= MAX_KEYS

    def read(self) -> tuple[dict[str, object], dict[str, int]]:
        """The values that can be read, and where their keys stand; everything else has been noted."""
        for match, end in zip(self._keys, self._ends, strict=True):
            key, start = match["key"], match.start()
            if key in self._offsets:
                message = f"{_NOT_YAML}the key `{shortened(key)}` stands here a second time"
                self._source.error(start, message)
                continue
            self._offsets[key] = start
            try:
                self._values[key] = parse_yaml(self._source.text[start:end])[0].get(key)
            except Refused as refused:
                self._repair(
                    key, self._source.text[match.end() : end], refused, _place(self._source, start, end, refused)
                )
        return self._values, {key: self._offsets[key] for key in self._values}

    def _repair(self, key: str, text: str, refused: Refused, offset: int) -> None:
        """Take what a person reads there, where that is plain; warn of it either way."""
        if not refused.is_syntax:
            self._source.error(offset, _NOT_YAML + refused.message)
            return
        value = _as_a_person_reads(text) if key in _SIMPLE else None
        if value is None or (isinstance(value, list) and key not in _LISTS):
            message = f"{_NOT_YAML}{refused.message}; `{shortened(key)}` is left out"
            note = self._source.error if key in _PLACES else self._source.warn
            note(offset, message, hint=_HINT)
            return
        self._values[key] = value
        shown = shortened(value if isinstance(value, str) else ", ".join(value))
        self._source.warn(offset, f"{_NOT_YAML}{refused.message}; `{key}` is read as `{shown}`", hint=_HINT)


def _as_a_person_reads(text: str) -> str | list[str] | None:
    """One line of text, or a list; None where it is neither, or empty."""
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) == 1 and text.split("\n")[0].strip():
        value = lines[0].strip()
        if value.startswith("["):
            return [_unquoted(item) for item in value[1:].partition("]")[0].split(",") if item.strip()]
        return _unquoted(value) or None
    items = [_ITEM.fullmatch(line) for line in lines]
    return [_unquoted(item["item"]) for item in items if item] if items and all(items) else None


def _unquoted(text: str) -> str:
    """`"a" (note)` and `'a` as `a`: up to the quote that ends it, else without the one that begins it."""
    text = text.strip()
    if text[:1] in ("'", '"', "`"):
        return text[1:].partition(text[0])[0].strip()
    return re.sub(r"\s#.*$", "", text).strip()
