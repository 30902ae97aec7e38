"""Reads logs into the index: a few here, many in processes of their own, one for each core."""

from __future__ import annotations

import _thread
import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import msgspec

from bursar.errors import BursarError
from bursar.logs.columns import PackedCalls, pack, to_columns
from bursar.logs.files import LogFile
from bursar.logs.index import FileMark, LogIndex
from bursar.logs.reading import NewCalls
from bursar.logs.updating import ReadingResult

if TYPE_CHECKING:
    from bursar.logs.prices import CallPrices
    from bursar.logs.stated import StatedPrices

_WORTH_WORKERS = 32 << 20
_PART_BYTES = 8 << 20
_TRANSACTION_BYTES = 512 << 20  # calls come in no order, so each transaction writes most pages of the table
_PIPE_BYTES = 1 << 20
_MOST_WORKERS = 8
_FEW = 20
_SIZE_BYTES = 8
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ

Job = tuple[str, LogFile, FileMark | None]


class FileRead(NamedTuple):
    """What came of reading one file: calls, or the reason why there are none."""

    source: str
    path: str
    new: NewCalls | None
    failure: str


def read_logs(
    index: LogIndex,
    changed: Sequence[tuple[str, LogFile]],
    prices: CallPrices | None,
    stated: StatedPrices,
    result: ReadingResult,
) -> None:
    """What is new in these files is in the index; `result` says what could not be read."""
    marks = index.marks() if len(changed) > _FEW else None
    jobs = [
        (source, file, index.mark(file.path) if marks is None else marks.get(file.path)) for source, file in changed
    ]
    gc_was_on = gc.isenabled()
    gc.disable()  # nothing here goes in circles, and there is much of it
    try:
        _read_and_add(index, jobs, prices, stated, result)
    finally:
        if gc_was_on:
            gc.enable()


def _read_and_add(
    index: LogIndex, jobs: Sequence[Job], prices: CallPrices | None, stated: StatedPrices, result: ReadingResult
) -> None:
    with _Reading(_parts(jobs, _PART_BYTES)) as reading:
        if prices is None and index.is_new:
            _make_index(index)
        from bursar.logs.adding import Adder  # here, so that it is imported while the workers read

        adder = Adder(index, _price_known_calls(index, stated) if prices is None else prices)
        read = iter(reading.results())
        for group in _parts(jobs, _TRANSACTION_BYTES):
            with adder.adding() as adding:
                for _ in group:
                    one = next(read)
                    if one.new is None:
                        result.unreadable[one.path] = one.failure
                        continue
                    adding.add_file(one.source, one.new)
                    if one.new.refused:
                        result.refused[one.path] = one.new.refused


def _make_index(index: LogIndex) -> None:
    """The index is made; while that waits for the disk, what adding to it needs is imported, and prices are read."""
    making = _thread.allocate_lock()

    def make() -> None:
        try:
            with suppress(BursarError):  # whoever needs the index is told what is wrong then
                _ = index.database
        finally:
            making.release()

    making.acquire()
    _thread.start_new_thread(make, ())
    import_module("bursar.logs.adding")
    import_module("bursar.logs.prices").price_history("claude-sonnet-4-5")  # any of the first provider
    making.acquire()


def _price_known_calls(index: LogIndex, stated: StatedPrices) -> CallPrices:
    """The prices that hold; calls that are in the index already are priced by them where that is due."""
    from bursar.logs.adding import Adder
    from bursar.logs.prices import LoggedPrices

    prices = LoggedPrices(index, stated)
    if prices.is_due:
        with Adder(index, prices).adding() as adding:
            adding.price_again(unpriced_only=not prices.is_stated_anew)
            prices.keep()
    return prices


def _parts(jobs: Sequence[Job], most_bytes: int) -> list[list[Job]]:
    """The jobs in their order, cut where what is to be read is more than `most_bytes`."""
    parts: list[list[Job]] = []
    left = 0
    for job in jobs:
        if left <= 0:
            parts.append([])
            left = most_bytes
        parts[-1].append(job)
        left -= max(4096, job[1].size - (job[2].offset if job[2] else 0))
    return parts


class _Reading:
    """Parts being read, in processes of their own where there is much; a `with` block, at whose end they are gone."""

    def __init__(self, parts: Sequence[list[Job]]) -> None:
        for name in {source for part in parts for source, _, _ in part}:
            _reader(name)  # before the fork, so that it is imported once
        self._parts = parts
        self._workers: list[tuple[int, IO[bytes]]] = []

    def __enter__(self) -> _Reading:
        count = min(len(os.sched_getaffinity(0)), len(self._parts), _MOST_WORKERS)
        if count > 1 and not _thread._count() and len(self._parts) * _PART_BYTES >= _WORTH_WORKERS:
            for number in range(count):
                self._workers.append(_start_worker(self._parts[number::count]))
        return self

    def __exit__(self, *_: object) -> None:
        for process, pipe in self._workers:
            pipe.close()  # one that is still writing ends by it
            os.waitpid(process, 0)

    def results(self) -> Iterator[FileRead]:
        """What came of each file, in the order of the files."""
        for number, part in enumerate(self._parts):
            yield from self._receive(number, part) if self._workers else _read_part(part)

    def _receive(self, number: int, part: list[Job]) -> list[FileRead]:
        """What a worker has made of the part; where it has died, the part is read here."""
        _, pipe = self._workers[number % len(self._workers)]
        try:
            size = int.from_bytes(pipe.read(_SIZE_BYTES), "big")
            return [_unpack(job, packed) for job, packed in zip(part, _packed.decode(pipe.read(size)), strict=True)]
        except (msgspec.MsgspecError, ValueError):
            return list(_read_part(part))


def _start_worker(parts: Sequence[list[Job]]) -> tuple[int, IO[bytes]]:
    """A process that reads the parts and writes what came of them into a pipe, one after the other."""
    receiving, sending = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(receiving)
            with open(sending, "wb") as pipe:
                for part in parts:
                    data = msgspec.msgpack.encode([_pack(read) for read in _read_part(part)])
                    pipe.write(len(data).to_bytes(_SIZE_BYTES, "big") + data)
        except BaseException:  # noqa: BLE001 — what it has not sent, its parent reads itself
            os._exit(1)
        os._exit(0)
    os.close(sending)
    _widen(receiving)
    return process, open(receiving, "rb")


def _widen(pipe: int) -> None:
    """A reader need not wait for the next part to be asked for; where the system says no, it waits."""
    import fcntl

    try:
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
    except OSError:
        pass


def _read_part(part: Sequence[Job]) -> Iterator[FileRead]:
    for source, file, mark in part:
        try:
            yield FileRead(source, file.path, _with_packed_calls(_reader(source)(file, mark)), "")
        except OSError as error:
            yield FileRead(source, file.path, None, error.strerror or str(error))


def _with_packed_calls(new: NewCalls) -> NewCalls:
    columns = to_columns(new.calls)
    return new if columns is None else new._replace(calls=[], packed=pack(columns))


def _reader(source: str) -> Any:
    """What reads a log of that agent."""
    return import_module(f"bursar.logs.{source}").read


class _Packed(msgspec.Struct, array_like=True, gc=False):
    """A `FileRead` on its way; who receives it knows the file."""

    failure: str
    after: tuple[Any, ...] = ()
    calls: list[tuple[Any, ...]] = []
    refused: int = 0
    limits: list[tuple[Any, ...]] = []
    calls_packed: PackedCalls | None = None


_packed = msgspec.msgpack.Decoder(list[_Packed])


def _pack(read: FileRead) -> _Packed:
    new = read.new
    if new is None:
        return _Packed(read.failure)
    return _Packed("", new.after.row(), new.calls, new.refused, list(new.limits), new.packed)


def _unpack(job: Job, packed: _Packed) -> FileRead:
    source, file, mark = job
    if not packed.after:
        return FileRead(source, file.path, None, packed.failure)
    new = NewCalls(mark, FileMark(*packed.after), packed.calls, packed.refused, packed.limits, packed.calls_packed)
    return FileRead(source, file.path, new, "")
