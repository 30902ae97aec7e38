"""A disk whose power can be cut, and which can be full or broken: an SQLite VFS over the ordinary one.

While a `Disk` is entered, every database that is opened goes through it. It passes everything on to the file system,
so that the program sees what it has written, and keeps beside it what a power cut would leave: of each file the bytes
that were synced and the writes that were not, of each directory the names that were synced. `leave` makes a folder of
that: of the writes that were not synced an arbitrary choice survives, in sectors, some of them torn; a later one may
be there without an earlier one; sizes, new names and removed names may be there or not. Nothing is really synced, so
this is quick.

    with Disk(folder, random.Random(seed)) as disk:
        disk.cut_at(17)                       # the 17th write, sync, truncation, creation or removal from now
        ...                                   # raises; so does everything that is written after it
        disk.leave(other_folder)

What it does not simulate: bytes next to a write that are damaged by it (SQLite is built to count on that not
happening), and bytes that were synced and are lost.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

import apsw

from bursar.testing.lost_writes import Change, Content, Losses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import HasFileno

__all__ = ["Disk", "PowerCut"]

_BASE = "unix"
_SYNCS_ITS_NAME = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
"""Of these files SQLite's own VFS syncs the directory together with their first sync."""


class PowerCut(apsw.IOError):
    """The disk has no power: nothing is written any more."""


class Disk:
    """The folder `root` and all that is below it, on a disk that may fail. To be entered; one at a time.

    Args:
        dice: decides what survives.
        sector: what the disk writes at once, in bytes; a torn sector is written in part.
        is_lying: it says that it has synced, and has not. For negative controls.
        is_forgetful: after a failed sync, what was not synced is lost in part, and no later sync brings it back, though
            a program that reads the file still finds it there: so the kernel does on some file systems.

    Attributes:
        steps: how many writes, syncs, truncations, creations and removals there were.
    """

    def __init__(
        self,
        root: str,
        dice: random.Random,
        *,
        sector: int = 512,
        is_lying: bool = False,
        is_forgetful: bool = False,
    ) -> None:
        self.steps = 0
        self._root = os.path.realpath(root)
        self._dice = dice
        self._losses = Losses(dice, sector)
        self._is_lying = is_lying
        self._is_forgetful = is_forgetful
        self._cut_at: int | None = None
        self._failing: Iterable[int] = ()
        self._failure: Callable[[], Exception] = PowerCut
        self._contents: dict[str, Content] = {}
        self._removed: dict[str, Content] = {}
        self._names = {each for each, _ in _walk(self._root)}
        self._plain = {each: _read(each) for each, is_folder in _walk(self._root) if not is_folder}

    def __enter__(self) -> Disk:
        self._vfs = _Vfs(self)
        self._fsync, os.fsync = os.fsync, self._plain_sync
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        os.fsync = self._fsync
        self._vfs.unregister()

    def cut_at(self, step: int) -> None:
        """The power goes in the middle of that step, counted from now (1 is the next one)."""
        self._cut_at = self.steps + step

    def fail_at(self, step: int, failure: Callable[[], Exception], *, times: int = 1) -> None:
        """That step and the next ones, `times` in all, fail with what `failure` makes; half a write may get through."""
        self._failing = range(self.steps + step, self.steps + step + times)
        self._failure = failure

    def be_well(self) -> None:
        """No step fails any more (but the power does not come back)."""
        self._failing = ()

    @property
    def is_off(self) -> bool:
        """The power is gone."""
        return self._cut_at is not None and self.steps >= self._cut_at

    def leave(self, target: str) -> None:
        """`target`, which is made, holds what the disk holds when the power is back."""
        os.mkdir(target, 0o700)
        for path, is_folder in sorted({*_walk(self._root), *((each, False) for each in self._removed)}):
            self._leave_one(path, target + path[len(self._root) :], is_folder=is_folder)

    def _leave_one(self, path: str, copy: str, *, is_folder: bool) -> None:
        if not os.path.isdir(os.path.dirname(copy)):
            return  # the name of its folder was lost
        if path not in self._names and not self._dice.randrange(2):
            if path in self._removed and self._dice.randrange(2):
                self._write(copy, self._losses.survivors(self._removed[path]))
        elif is_folder:
            os.mkdir(copy, 0o700)
        elif not os.path.lexists(path):
            if self._dice.randrange(2):
                self._write(copy, self._losses.survivors(self._removed[path]))
        else:
            self._write(copy, self._left_of(path))

    def _left_of(self, path: str) -> bytes:
        if path in self._contents:
            return self._losses.survivors(self._contents[path])
        if path.endswith("-shm"):
            return self._dice.randbytes(self._dice.choice((0, 3, 32768)))  # nobody ever syncs it
        return self._dice.choice((self._plain.get(path, b""), _read(path)))

    @staticmethod
    def _write(path: str, content: bytes) -> None:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(content)

    # What the files below tell it.

    def _step(self) -> None:
        """One more step; raises where the power is gone, or where it was to fail."""
        self.steps += 1
        if self.is_off:
            raise PowerCut("the power is gone")
        if self.steps in self._failing:
            raise self._failure()

    def _has(self, path: str) -> bool:
        return path.startswith(self._root + os.sep)

    def _opened(self, path: str, is_new: bool) -> Content:
        if is_new:
            self._names.discard(path)
        if is_new or path not in self._contents:
            self._contents[path] = Content(bytearray(_read(path)))
        return self._contents[path]

    def _changed(self, content: Content, change: Change) -> None:
        """The change is not synced. Where this very step fails, a part of it may have been made."""
        try:
            self._step()
        except (apsw.Error, OSError):
            content.pending.append(self._losses.torn(change))
            raise
        content.pending.append(change)

    def _synced(self, content: Content, path: str, *, with_names: bool) -> None:
        try:
            self._step()
        except (apsw.Error, OSError):
            if self._is_forgetful and not self.is_off:
                content.durable = bytearray(self._losses.survivors(content))
                content.pending.clear()
            raise
        if self._is_lying:
            return
        content.sync()
        if with_names:
            self._names_synced(os.path.dirname(path))

    def _names_synced(self, folder: str) -> None:
        self._names = {each for each in self._names if os.path.dirname(each) != folder}
        self._names |= {os.path.join(folder, name) for name in os.listdir(folder)}
        self._removed = {path: each for path, each in self._removed.items() if os.path.dirname(path) != folder}

    def _removing(self, path: str) -> None:
        self._step()
        content = self._contents.pop(path, None)
        if content is not None and path in self._names:
            self._removed[path] = content

    def _plain_sync(self, fd: int | HasFileno) -> None:
        """`os.fsync` of what Python itself has written."""
        number = fd if isinstance(fd, int) else fd.fileno()
        path = os.readlink(f"/proc/self/fd/{number}")
        if path != self._root and not self._has(path):
            self._fsync(fd)
            return
        try:
            self._step()
        except apsw.Error as error:
            raise OSError(errno.EIO, "no power") from error
        if self._is_lying:
            return
        if os.path.isdir(path):
            self._names_synced(path)
        else:
            self._plain[path] = _read(path)


class _Vfs(apsw.VFS):
    """The default of the process, as long as it is registered."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(f"power-cut-{id(disk)}", _BASE, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not self._disk._has(path):
            return apsw.VFSFile(_BASE, name, flags)
        is_new = not os.path.lexists(path)
        if is_new:
            self._disk._step()
        return _File(self._disk, name, path, flags, is_new=is_new)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        if self._disk._has(filename):
            self._disk._removing(filename)
        super().xDelete(filename, False)
        if syncdir and self._disk._has(filename):
            self._disk._names_synced(os.path.dirname(filename))


class _File(apsw.VFSFile):
    """One open file of the disk."""

    def __init__(
        self, disk: Disk, name: str | apsw.URIFilename | None, path: str, flags: list[int], *, is_new: bool
    ) -> None:
        asked = flags[0]
        super().__init__(_BASE, name, flags)
        self._disk = disk
        self._path = path
        self._content = disk._opened(path, is_new)
        self._syncs_its_name = bool(asked & apsw.SQLITE_OPEN_CREATE and asked & _SYNCS_ITS_NAME)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk._changed(self._content, Change(offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk._changed(self._content, Change(newsize, None))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk._synced(self._content, self._path, with_names=self._syncs_its_name)
        self._syncs_its_name = False


def _walk(root: str) -> Iterator[tuple[str, bool]]:
    """Every path below `root`, and whether it is a folder; folders before what is in them."""
    for folder, folders, names in os.walk(root):
        yield from ((os.path.join(folder, each), True) for each in folders)
        yield from ((os.path.join(folder, each), False) for each in names)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
