"""Git's index as a value: the files of a checkout, each as it would stand in a tree. Pure.

Only the plain form of an index is read. Whatever else one can say (unmerged files, files that are not checked out or
not looked at, parts of it in other files) is for git to judge.

Source: gitformat-index(5)
"""

from __future__ import annotations

import hashlib
from struct import Struct

from bursar.worktrees.trees import Entry

_HEADER = Struct(">4sII")
_VERSION = 2  # later ones are written where entries have more flags, or on request
_MODE, _ID = 24, 40  # where an entry has them; all other numbers before its name are of the file when it was looked at
_PLAIN = 0x0FFF  # the flags of a plain entry are the length of its path, if that is smaller
_MOST_DEPTH = 100
_HASHES = {20: hashlib.sha1, 32: hashlib.sha256}


def parse_index(content: bytes, id_bytes: int) -> dict[bytes, Entry] | None:
    """The files by path; None for an index that is not plain, not whole or empty. Ids are raw, `id_bytes` long."""
    end = len(content) - id_bytes
    if end < _HEADER.size or _HASHES[id_bytes](content[:end]).digest() != content[end:]:
        return None
    signature, version, count = _HEADER.unpack_from(content)
    if signature != b"DIRC" or version != _VERSION or not count:
        return None
    files: dict[bytes, Entry] = {}
    at = _HEADER.size
    for _ in range(count):
        name_at = at + _ID + id_bytes + 2
        length = int.from_bytes(content[name_at - 2 : name_at], "big")
        path = content[name_at : name_at + length]
        if name_at > end or length >= _PLAIN or path.count(b"/") > _MOST_DEPTH:
            return None
        mode = int.from_bytes(content[at + _MODE : at + _MODE + 4], "big")
        files[path] = Entry(b"%o" % mode, content[at + _ID : name_at - 2])
        at += (name_at + length - at + 8) & ~7  # padded with at least one zero
    return files if _ends_plainly(content, at, end) else None


def _ends_plainly(content: bytes, at: int, end: int) -> bool:
    """From `at` to `end` there is nothing but extensions that one need not know: their names begin with a capital."""
    while at < end and content[at : at + 1].isupper():
        at += 8 + int.from_bytes(content[at + 4 : at + 8], "big")
    return at == end
