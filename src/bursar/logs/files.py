"""Log files in folders, and which of them have changed. Imports nothing: most often, none has."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


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

    Attributes:
        files: how many there are.
        unreadable: folders that cannot be listed, and why.
    """

    def __init__(self, suffixes: tuple[str, ...], seen: Mapping[str, tuple[int, int]]) -> None:
        self._suffixes = suffixes
        self._seen = seen
        self._root = ""
        self._changed: list[LogFile] = []
        self.files = 0
        self.unreadable: dict[str, str] = {}

    def changed_in(self, root: str) -> list[LogFile]:
        """Files below `root` whose size or time is not what was seen, in order of path. Folders are no links."""
        self._root, self._changed = root, []
        self._look(root)
        return sorted(self._changed, key=lambda file: file.path)

    def changed_databases(self, folder: str) -> list[LogFile]:
        """Those in the folder itself that have changed, or whose log of writes has."""
        changed = []
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".db") and _is_text(name))
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
        """Asked of every file at every report, so what has not changed is passed over with as little as can be."""
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
                        continue  # gone by now, or a link to nowhere
                    self.files += 1
                    if seen.get(entry.path) != (status.st_size, status.st_mtime_ns):
                        self._add(entry, status)
        except OSError as error:
            self.unreadable[folder] = error.strerror or str(error)
        for inner in folders:
            self._look(inner)

    def _add(self, entry: os.DirEntry[str], status: os.stat_result) -> None:
        if not entry.is_file():
            return
        if _is_text(entry.path):
            self._changed.append(LogFile(entry.path, self._root, status.st_size, status.st_mtime_ns))
        else:
            self.unreadable[entry.path] = "its name is not UTF-8"


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


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
