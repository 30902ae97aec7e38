"""What `<files>` names: paths as data, cleaned of notes. Nothing here touches the file system."""

from __future__ import annotations

import re

from bursar.plan.source import decode_entities

_PLAIN_PATH = re.compile(r"[\w./][\w./-]*\.\w{1,10}")
_BLANKS = re.compile(r"\s{2,}")
_MARKS = re.compile(r"`{2,}")
_BULLET = re.compile(r"^(?:(?:[-*+•]|\d{1,3}[.)])\s+)?(?:\[[ xX]\]\s+)?")
_NOTHING = re.compile(
    r"(?:none|n/?a|nothing|no\s+(?:new\s+)?(?:files?|changes?)|tbd|-+|—|–|无|無)(?=$|[\s,;:—–(（]|[.-](?:\s|$))",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s+\([^()]*(?:\([^()]*\)[^()]*)*\)(?=\s|$)|\s*（[^（）]*）")
_NOTE_AFTER_SUFFIX = re.compile(r"(?<=\.\w{1})\([^()/]*\)$|(?<=\.\w{2})\([^()/]*\)$|(?<=\.\w{3})\([^()/]*\)$")
_ALL_NOTE = re.compile(r"[(（][^()（）]*[)）]\.?")
_REMARK = re.compile(r"\s+[—–-]\s+.*$|:\s+.*$", re.DOTALL)
_RENAME = re.compile(r"\s*(?:->|→|=>)\s*")
_QUOTED = re.compile(r"`([^`]+)`|(?<!\S)\"([^\"]+)\"|(?<!\S)'([^']+)'")
_JOINED = re.compile(r"\s+(?:and|&|\+)\s+")
_HAS_SUFFIX = re.compile(r"\.\w{1,10}$")
_STRUCTURE = re.compile(r"[(\[{（)\]}）,，、;]")
_OPENING, _CLOSING = "([{（", ")]}）"


def parse_files(text: str) -> tuple[str, ...]:
    """The paths that a `<files>` text names, each once, in order; prose and "None" name nothing."""
    paths: dict[str, None] = {}
    for line in decode_entities(text).split("\n"):
        entries = [entry for part in line.split(",") if (entry := part.strip())]
        if all(map(_PLAIN_PATH.fullmatch, entries)):  # as most are
            paths.update(dict.fromkeys(entries))
            continue
        line = _MARKS.sub("`", _BLANKS.sub(" ", line)).strip()
        for entry in _split_at_commas(_BULLET.sub("", line)):
            paths.update(dict.fromkeys(_paths_of(entry)))
    return tuple(paths)


def leaves_checkout(path: str) -> bool:
    """Whether a path is absolute, begins in a home directory or climbs out with `..`."""
    parts = re.split(r"[/\\]", path)
    if parts[0] in ("", "~") or re.fullmatch(r"[A-Za-z]:", parts[0]):
        return True
    depth = 0
    for part in parts:
        depth += -1 if part == ".." else 0 if part in (".", "") else 1
        if depth < 0:
            return True
    return False


def _split_at_commas(line: str) -> list[str]:
    """The entries of a line; a comma within brackets belongs to its entry."""
    entries, start, depth = [], 0, 0
    for match in _STRUCTURE.finditer(line):
        index, character = match.start(), match[0]
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        elif depth == 0:
            entries.append(line[start:index])
            start = index + 1
    entries.append(line[start:])
    return [entry.strip() for entry in entries if entry.strip()]


def _paths_of(entry: str) -> list[str]:
    if _NOTHING.match(entry) or _ALL_NOTE.fullmatch(entry):
        return []
    bare = _NOTE_AFTER_SUFFIX.sub("", _NOTE.sub("", entry)).strip()
    quoted = [next(filter(None, match)).strip() for match in _QUOTED.findall(bare)]
    if quoted:
        return [path for path in quoted if path]
    return [path for part in _RENAME.split(_REMARK.sub("", bare)) for path in _plain_paths(part.strip())]


def _plain_paths(part: str) -> list[str]:
    """The paths of a part without quotes: one, a few joined by "and", or none where it is prose."""
    if not part:
        return []
    if not re.search(r"\s", part):
        return [part]
    joined = _JOINED.split(part)
    if len(joined) > 1 and all(_looks_like_path(piece) for piece in joined):
        return joined
    if re.search(r"[/\\]", part.split()[0]) and _HAS_SUFFIX.search(part) and not _looks_like_path(part.split()[0]):
        return [part]  # a path with blanks, such as `C:\\My Files\\a.txt`
    first = part.split()[0]
    return [first] if _looks_like_path(first) else []


def _looks_like_path(text: str) -> bool:
    is_directory = text.endswith("/") and len(text) > 1
    return not re.search(r"\s", text) and (is_directory or _HAS_SUFFIX.search(text) is not None or "*" in text)
