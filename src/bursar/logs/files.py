"""Log files in folders, and which of them have changed. Imports nothing: most often, none has."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_TICK_NS = 4_000_000_000
"""Some file systems tell times of change in steps of two seconds."""


class LogFile:
    """A log file as its folder lists it; `changed` in ns. `root`: the folder that was searched."""

    __slots__ = ("changed", "path", "root", "size")

    def __init__(self, path: str, root: str, size: int, changed: int) -> None:
        self.path = path
        self.root = root
        self.size = size
        self.changed = changed


class FolderSearch:
    """Looks for files that are not as they were.

    A folder that has not changed is not listed again: of the files that were seen in it, each is asked. A change that
    comes so soon after another that the file system cannot tell them apart is found, because a folder that has changed
    just now is listed the next time.

    Attributes:
        files: how many there are.
        unreadable: folders that cannot be listed, and why.
        listed: folders that were listed, and when they had changed, in ns; 0 for one that is to be listed again.
    """

    def __init__(
        self,
        suffixes: tuple[str, ...],
        seen: Mapping[str, tuple[int, int]],
        folders: Mapping[str, int] | None = None,
        now: int = 0,
    ) -> None:
        """`folders`: those that were listed before, as `listed` has them. `now` in ns."""
        self._suffixes = suffixes
        self._seen = seen
        self._folders = folders or {}
        self._files_in = _by_folder(path for path in seen if path.endswith(suffixes)) if folders else {}
        self._folders_in = _by_folder(self._folders)
        self._settled = now - _TICK_NS
        self._root = ""
        self._changed: list[LogFile] = []
        self.files = 0
        self.unreadable: dict[str, str] = {}
        self.listed: dict[str, int] = {}

    def changed_in(self, root: str) -> list[LogFile]:
        """Files below `root` whose size or time is not what was seen, in order of path. Folders are no links."""
        self._root, self._changed = root, []
        self._look(root)
        return sorted(self._changed, key=lambda file: file.path)

    def changed_databases(self, folder: str) -> list[LogFile]:
        """Those in the folder itself that have changed, or whose log of writes has."""
        changed = []
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".db") and is_utf8(name))
        except OSError as error:
            self.unreadable[folder] = error.strerror or str(error)
            names = []
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue  # a pipe would never be opened
            size, at = database_state(path)
            self.files += 1
            if self._seen.get(path) != (size, at):
                changed.append(LogFile(path, folder, size, at))
        return changed

    def _look(self, folder: str) -> None:
        """Asked of every folder at every report, so what has not changed is passed over with as little as can be."""
        known = self._folders.get(folder)
        try:
            changed = os.lstat(folder).st_mtime_ns if self._folders or self._settled > 0 else 0
        except OSError:
            return  # gone by now
        if known and known == changed and self._ask_files(folder):
            for inner in self._folders_in.get(folder, ()):
                self._look(inner)
        else:
            self.listed[folder] = changed if changed < self._settled else 0
            self._list(folder)

    def _ask_files(self, folder: str) -> bool:
        """Each file that was seen in the folder is looked at; False where one cannot be, and nothing is known then."""
        seen, known, changed, stat = self._seen, self._files_in.get(folder, ()), [], os.stat
        try:
            for path in known:
                status = stat(path)
                if seen[path] != (status.st_size, status.st_mtime_ns):
                    changed.append(LogFile(path, self._root, status.st_size, status.st_mtime_ns))
        except OSError:
            return False
        self.files += len(known)
        self._changed += changed
        return True

    def _list(self, folder: str) -> None:
        suffixes, seen, folders = self._suffixes, self._seen, []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.name.endswith(suffixes):
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        continue
                    try:
                        status = entry.stat()
                    except OSError:
                        self.listed[folder] = 0  # gone by now, or a link to where something may come
                        continue
                    self.files += not entry.is_dir()
                    if seen.get(entry.path) == (status.st_size, status.st_mtime_ns):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        self._add(entry, status)
        except OSError as error:
            self.unreadable[folder] = error.strerror or str(error)
            self.listed[folder] = 0
        for inner in folders:
            self._look(inner)

    def _add(self, entry: os.DirEntry[str], status: os.stat_result) -> None:
        if not entry.is_file():
            self.listed[os.path.dirname(entry.path)] = 0  # a link's end may become one
        elif is_utf8(entry.path):
            self._changed.append(LogFile(entry.path, self._root, status.st_size, status.st_mtime_ns))
        else:
            self.unreadable[entry.path] = "its name is not UTF-8"


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    return folders


def database_state(path: str) -> tuple[int, int]:
    """Size and time of change of a database with its log of writes; other figures where anything was written."""
    size = changed = 0
    for name in (path, path + "-wal"):
        try:
            status = os.stat(name)
        except OSError:
            continue
        size, changed = size + status.st_size, max(changed, status.st_mtime_ns)
    return size, changed


def is_utf8(path: str) -> bool:
    """The name is UTF-8, as the index needs it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
