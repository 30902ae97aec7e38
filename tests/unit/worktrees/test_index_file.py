"""An index as a value: what is plain is read, and all else is left to git."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest

from bursar.worktrees.index_file import parse_index
from bursar.worktrees.trees import Entry

FILE, PROGRAM, LINK = 0o100644, 0o100755, 0o120000
FILES = {b"a": FILE, b"b/c/d": PROGRAM, b"b/e \xff\n": LINK, b"sub": 0o160000}


def id_of(path: bytes, id_bytes: int = 20) -> bytes:
    return hashlib.sha256(path).digest()[:id_bytes]


def render(
    files: Mapping[bytes, int] = FILES,
    *,
    version: int = 2,
    flags: int = 0,
    rest: bytes = b"",
    id_bytes: int = 20,
    signature: bytes = b"DIRC",
    count: int | None = None,
) -> bytes:
    """An index as gitformat-index(5) has it, with numbers of files that say nothing."""
    content = signature + version.to_bytes(4, "big") + (len(files) if count is None else count).to_bytes(4, "big")
    for path, mode in files.items():
        entry = bytes(range(1, 25)) + mode.to_bytes(4, "big") + bytes(range(1, 13)) + id_of(path, id_bytes)
        entry += (min(len(path), 0x0FFF) | flags).to_bytes(2, "big") + path
        content += entry + bytes(8 - len(entry) % 8)
    content += rest
    return content + {20: hashlib.sha1, 32: hashlib.sha256}[id_bytes](content).digest()


def extension(name: bytes, content: bytes = b"Some") -> bytes:
    return name + len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize("id_bytes", [20, 32])
@pytest.mark.parametrize("rest", [b"", extension(b"TREE"), extension(b"TREE", b"") + extension(b"REUC", b"link" * 5)])
def test_files_are_read_with_what_a_tree_says_of_them(id_bytes: int, rest: bytes) -> None:
    modes = {FILE: b"100644", PROGRAM: b"100755", LINK: b"120000", 0o160000: b"160000"}
    expected = {path: Entry(modes[mode], id_of(path, id_bytes)) for path, mode in FILES.items()}
    assert parse_index(render(rest=rest, id_bytes=id_bytes), id_bytes) == expected


@pytest.mark.parametrize("length", range(1, 30))
def test_paths_of_every_length_are_read(length: int) -> None:
    files = {b"a" * length: FILE, b"b": FILE}
    assert list(parse_index(render(files), 20) or ()) == list(files)


NOT_PLAIN = {
    "empty": render({}),
    "another version": render(version=4),
    "a file that was not merged": render(flags=0x2000),
    "a file with more flags": render(flags=0x4000),
    "a file that is not looked at": render(flags=0x8000),
    "a path of any length": render({b"x" * 0x0FFF: FILE}),
    "folders without end": render({b"x/" * 200 + b"x": FILE}),
    "a part that lies elsewhere": render(rest=extension(b"link")),
    "folders as entries": render(rest=extension(b"TREE") + extension(b"sdir", b"")),
    "half an extension": render(rest=b"TREE\0"),
    "more files than there are": render(count=len(FILES) + 1),
    "no index": render(signature=b"CRID"),
}


@pytest.mark.parametrize("content", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_what_is_not_plain_is_for_git(content: bytes) -> None:
    assert parse_index(content, 20) is None


def test_what_is_not_whole_is_for_git() -> None:
    whole = render(rest=extension(b"TREE"))
    assert all(parse_index(whole[:length], 20) is None for length in range(len(whole)))
    changed = (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole)))
    assert all(parse_index(each, 20) is None for each in changed)
