"""What can still be read of a damaged SQLite file: every record of every page that makes sense, and nothing believed.

SQLite itself stops at the first thing that is wrong. This goes page by page, by no index and no schema, so one that is
broken costs no other. What a record means, and whether it is true, is for whoever knows the tables.

Source: https://www.sqlite.org/fileformat2.html, checked 2026-11-21.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

Value = int | float | str | bytes | None

_PAGE_SIZES = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
_USUAL_SIZE = 4096
_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF = 2, 5, 10, 13
_RECORDS = (_INDEX_INTERIOR, _INDEX_LEAF, _TABLE_LEAF)
_MAGIC = b"SQLite format 3\x00"
_WAL_HEADER, _FRAME_HEADER = 32, 24
_WAL_MAGIC = 0x377F0682
_LARGEST_PAYLOAD = 1 << 24
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Record(NamedTuple):
    """One record. `rowid` is None where it is of a table or an index without one.

    Attributes:
        is_current: it is on the page as it was written last; else on one that has been replaced since.
    """

    rowid: int | None
    values: tuple[Value, ...]
    is_current: bool


class Salvage:
    """The pages of a database file and of its write-ahead log, as they were committed last.

    Attributes:
        is_log_whole: every frame of the log that belongs to it can be believed.
    """

    def __init__(self, path: str) -> None:
        """Reads both files.

        Raises:
            OSError: the file cannot be read.
        """
        with open(path, "rb") as file:
            self._content = file.read()
        self._size = _page_size(self._content)
        self._log: dict[int, bytes] = {}
        self.is_log_whole = True
        self._read_log(path + "-wal")

    @property
    def identity(self) -> tuple[int, int] | None:
        """The owner's number and the schema's version; None where the first page does not begin as it must."""
        page = self._page(1)
        if len(page) < 100 or not page.startswith(_MAGIC):
            return None
        return int.from_bytes(page[68:72], "big"), int.from_bytes(page[60:64], "big")

    def schema(self) -> list[tuple[Value, ...]]:
        """Type, name, table, first page and text of everything in the schema that can be read."""
        found: list[list[Record | None]] = []
        self._walk(1, found, set())
        return [each.values for leaf in found for each in leaf if each is not None and len(each.values) == 5]

    def records(self) -> Iterator[Record]:
        """Every record that can be read, of tables and of indices, from the first page to the last."""
        in_file = range(1, len(self._content) // self._size + 1)
        for number in sorted({*in_file, *self._log}):  # a damaged log may name a page far beyond all others
            page = self._page(number)
            yield from (Record(*each, True) for each in self._records_of(number, page))
            if number in self._log:
                replaced = self._file_page(number)
                if replaced != page:
                    yield from (Record(*each, False) for each in self._records_of(number, replaced))

    def leaves(self, table: str) -> tuple[list[list[Record | None]], bool]:
        """The rows of that table by the tree that leads to them, leaf by leaf, None for one that cannot be read.

        The second answer is true when the whole tree makes sense: then these are all the rows that there are.
        """
        roots = [each[3] for each in self.schema() if each[:2] == ("table", table)]
        root = roots[0] if len(roots) == 1 else None
        found: list[list[Record | None]] = []
        is_whole = isinstance(root, int) and self._walk(root, found, set())
        return found, is_whole

    def _walk(self, number: int, found: list[list[Record | None]], seen: set[int]) -> bool:
        """Whether everything below that page makes sense; its leaves are in `found`."""
        page, start = self._page(number), _start_of(number)
        if number in seen or len(page) < self._size:
            return False
        seen.add(number)
        if page[start] == _TABLE_LEAF:
            leaf = self._leaf(number)
            found.append(leaf or [])
            return leaf is not None and None not in leaf
        if page[start] != _TABLE_INTERIOR:
            return False
        pointers = _pointers(page, start)
        if pointers is None:
            return False
        children = [int.from_bytes(page[each : each + 4], "big") for each in pointers]
        children.append(int.from_bytes(page[start + 8 : start + 12], "big"))
        is_whole = [self._walk(child, found, seen) for child in children]
        return all(is_whole)

    def _leaf(self, number: int) -> list[Record | None] | None:
        """The rows of a leaf; None where its own head cannot be right."""
        page, start = self._page(number), _start_of(number)
        pointers = _pointers(page, start)
        if pointers is None or page[start] != _TABLE_LEAF:
            return None
        lowest = int.from_bytes(page[start + 5 : start + 7], "big") or 65536
        if pointers and number > 1 and min(pointers) != lowest:
            return None  # a cell that nothing points to any more
        rows = (self._record(page, _TABLE_LEAF, pointer) for pointer in pointers)
        return [None if row is None else Record(*row, True) for row in rows]

    def _records_of(self, number: int, page: bytes) -> Iterator[tuple[int | None, tuple[Value, ...]]]:
        start = _start_of(number)
        if len(page) != self._size or page[start] not in _RECORDS:
            return
        for pointer in _pointers(page, start) or ():
            record = self._record(page, page[start], pointer)
            if record is not None:
                yield record

    def _record(self, page: bytes, kind: int, at: int) -> tuple[int | None, tuple[Value, ...]] | None:
        try:
            if kind == _INDEX_INTERIOR:
                at += 4
            size, at = _varint(page, at)
            rowid = None
            if kind == _TABLE_LEAF:
                rowid, at = _varint(page, at)
            if size > _LARGEST_PAYLOAD:
                return None
            return rowid, _values(self._payload(page, kind, at, size))
        except (IndexError, ValueError, struct.error):
            return None

    def _payload(self, page: bytes, kind: int, at: int, size: int) -> bytes:
        """The record's bytes, with those that lie on further pages."""
        usable = self._size
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return _slice(page, at, size)
        least = (usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (usable - 4)
        here = here if here <= most else least
        payload = _slice(page, at, here)
        following = int.from_bytes(_slice(page, at + here, 4), "big")
        while len(payload) < size:
            further = self._page(following)
            payload += _slice(further, 4, min(size - len(payload), usable - 4))
            following = int.from_bytes(further[:4], "big")
        return payload

    def _page(self, number: int) -> bytes:
        """The page as it was committed last; empty where there is none."""
        return self._log.get(number) or self._file_page(number)

    def _file_page(self, number: int) -> bytes:
        return self._content[(number - 1) * self._size : number * self._size] if number > 0 else b""

    def _read_log(self, path: str) -> None:
        """The pages of committed transactions are known.

        After a frame that is damaged those that follow are taken too: who knows what was in it knows better than to
        believe it blindly, and better than to forget it.
        """
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            log = file.read()
        if len(log) < _WAL_HEADER + _FRAME_HEADER:
            return
        magic, size = struct.unpack(">I4xI", log[:12])
        order = ">" if magic & 1 else "<"
        sums = _checksum(log[:24], order, (0, 0))
        is_header_right = magic & ~1 == _WAL_MAGIC and size == self._size
        self.is_log_whole = is_header_right and struct.pack(">II", *sums) == log[24:32]
        salts = log[16:24] if self.is_log_whole else log[_WAL_HEADER + 8 : _WAL_HEADER + 16]
        waiting = dict[int, bytes]()
        step = _FRAME_HEADER + self._size
        for at in range(_WAL_HEADER, len(log) - step + 1, step):
            head, page = log[at : at + _FRAME_HEADER], log[at + _FRAME_HEADER : at + step]
            if head[8:12] != salts[:4] and head[12:16] != salts[4:]:
                break  # of an earlier turn of the log, in which both were others
            sums = _checksum(page, order, _checksum(head[:8], order, sums))
            if head[8:16] != salts or struct.pack(">II", *sums) != head[16:24]:
                self.is_log_whole = False
                sums = struct.unpack(">II", head[16:24])
            number, after = struct.unpack(">II", head[:8])
            waiting[number] = page
            if after:
                self._log |= waiting
                waiting = {}


def _page_size(content: bytes) -> int:
    """What the header says, where that can be; else the usual."""
    told = int.from_bytes(content[16:18], "big")
    size = 65536 if told == 1 else told
    return size if size in _PAGE_SIZES and len(content) % size == 0 else _USUAL_SIZE


def _start_of(number: int) -> int:
    """Where the head of that page is: before that of the first stands the head of the file."""
    return 100 if number == 1 else 0


def _pointers(page: bytes, start: int) -> list[int] | None:
    """Where the page's cells are; None where that cannot be."""
    if len(page) < start + 12:
        return None
    head = 12 if page[start] in (_INDEX_INTERIOR, _TABLE_INTERIOR) else 8
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    first = start + head
    if first + 2 * count > len(page):
        return None
    return [int.from_bytes(page[at : at + 2], "big") for at in range(first, first + 2 * count, 2)]


def _values(payload: bytes) -> tuple[Value, ...]:
    """The values of a record. A text that is no UTF-8 keeps its bytes, as surrogates.

    Raises:
        ValueError: it is no record, or shorter or longer than it says.
    """
    head_size, at = _varint(payload, 0)
    kinds = []
    while at < head_size:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    at = head_size
    for kind in kinds:
        size = _size_of(kind)
        values.append(_value(kind, _slice(payload, at, size)))
        at += size
    if at != len(payload):
        raise ValueError("bytes are left over")
    return tuple(values)


def _size_of(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    return 8 if kind == 7 else _INTEGERS.get(kind, 0)


def _value(kind: int, content: bytes) -> Value:
    if kind in _INTEGERS:
        return int.from_bytes(content, "big", signed=True)
    if kind >= 12:
        return content.decode("utf-8", "surrogateescape") if kind & 1 else content
    if kind in (10, 11):
        raise ValueError("reserved")
    constants: Mapping[int, Value] = {0: None, 8: 0, 9: 1}
    return struct.unpack(">d", content)[0] if kind == 7 else constants[kind]


def _slice(content: bytes, at: int, size: int) -> bytes:
    found = content[at : at + size]
    if len(found) != size:
        raise ValueError("it ends too soon")
    return found


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """The number at that place, and the place after it."""
    number = 0
    for count in range(8):
        byte = content[at + count]
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            return number, at + count + 1
    number = number << 8 | content[at + 8]
    return (number - (1 << 64) if number >> 63 else number), at + 9


def _checksum(content: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
