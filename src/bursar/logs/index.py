"""The index of all logs in one SQLite file: each call once, sums over quarters of an hour, how far files were read.

`bursar usage` is asked again and again, so this imports next to nothing; what adds to it is in `adding`.
"""

from __future__ import annotations

import os

from bursar.database import load_migrations, open_database

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bursar.database import Database

APPLICATION_ID = 0x6272736C  # "brsl"
QUARTER_MS = 15 * 60 * 1000
DAY_MS = 96 * QUARTER_MS


class FileMark:
    """How far a log file was read, and what it was then. `changed` in ns; for the others see `0001_logs.sql`."""

    __slots__ = ("changed", "device", "fingerprint", "inode", "offset", "path", "size", "state")

    def __init__(
        self,
        path: str,
        size: int,
        changed: int,
        device: int = 0,
        inode: int = 0,
        offset: int = 0,
        fingerprint: bytes = b"",
        state: str = "",
    ) -> None:
        self.path = path
        self.size = size
        self.changed = changed
        self.device = device
        self.inode = inode
        self.offset = offset
        self.fingerprint = fingerprint
        self.state = state

    def row(self) -> tuple[Any, ...]:
        """The row of the table `file`."""
        return (
            self.path, self.size, self.changed, self.device, self.inode, self.offset, self.fingerprint, self.state
        )  # fmt: skip


def open_index(path: str | os.PathLike[str]) -> LogIndex:
    """The index at `path`. If there is none, one is made when it is first needed, and what goes wrong is raised then.

    Raises:
        StoreError: the file is corrupt, foreign, of a later version, or cannot be written.
    """
    index = LogIndex(os.path.abspath(path))
    if not index.is_new:
        _ = index.database
    return index


class LogIndex:
    """What is known of the logs so far. Nothing that was in a log once is ever forgotten."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._database: Database | None = None

    @property
    def is_new(self) -> bool:
        """There is none yet. To make one is mostly waiting for the disk, in which logs can be read."""
        try:
            return self._database is None and os.stat(self._path).st_size == 0
        except OSError:
            return True

    @property
    def database(self) -> Database:
        """The database that it is in, opened when it is first asked for.

        Raises:
            StoreError: see `open_index`.
        """
        if self._database is None:
            self._database = open_database(
                self._path, migrations=load_migrations(__file__), application_id=APPLICATION_ID
            )
            # What a power cut takes away was in the logs a moment before, and will be read there again.
            self._database.query("PRAGMA synchronous = NORMAL")
        return self._database

    @property
    def state_dir(self) -> str:
        """The folder that it lies in."""
        return os.path.dirname(self._path)

    def seen(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of each file when it was read, by path."""
        if self.is_new:
            return {}
        rows = self.database.query("SELECT path, size, changed FROM file")
        return {path: (size, changed) for path, size, changed in rows}

    def folders(self) -> dict[str, dict[str, int]]:
        """Folders that were listed for logs, by agent, and when they had changed (ns); 0 for one to be listed again."""
        folders: dict[str, dict[str, int]] = {}
        if not self.is_new:
            for source, path, changed in self.database.query("SELECT source, path, changed FROM folder"):
                folders.setdefault(source, {})[path] = changed
        return folders

    def keep_folders(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """Agent, path and time of each of these are as `folders` gives them."""
        if rows:
            with self.database.write() as connection:
                connection.executemany("INSERT OR REPLACE INTO folder VALUES (?, ?, ?)", rows)

    def mark(self, path: str) -> FileMark | None:
        """How far that file was read; None if it never was."""
        if self.is_new:
            return None
        rows = self.database.query("SELECT * FROM file WHERE path = ?", (path,))
        return FileMark(*rows[0]) if rows else None

    def marks(self) -> dict[str, FileMark]:
        """How far each file was read, by path."""
        if self.is_new:
            return {}
        return {row[0]: FileMark(*row) for row in self.database.query("SELECT * FROM file")}

    def calls_after(self, at: int) -> int:
        """How many calls are dated after a time in ms, to a quarter of an hour."""
        rows = self.database.query("SELECT coalesce(sum(calls), 0) FROM quarter WHERE quarter > ?", (at // QUARTER_MS,))
        return int(rows[0][0])

    def prices(self, library: str) -> dict[str, str]:
        """What is kept of that release of the price library, as JSON, by model."""
        return dict(self.database.query("SELECT model, data FROM price WHERE library = ?", (library,)))

    def keep_price(self, library: str, model: str, data: str) -> None:
        """That is what the release says of the model. Within a write."""
        self.database.query(
            "INSERT OR REPLACE INTO price (model, library, data) VALUES (?, ?, ?)", (model, library, data)
        )

    def forget_prices(self, library: str) -> None:
        """What is kept is that release's alone. Within a write."""
        self.database.query("DELETE FROM price WHERE library <> ?", (library,))

    def stated_prices(self) -> tuple[str, str]:
        """The mark and the digest of the prices that the user stated when calls were priced; empty for none."""
        rows = self.database.query("SELECT mark, digest FROM stated_prices")
        return rows[0] if rows else ("", "")

    def keep_stated_prices(self, mark: str, digest: str) -> None:
        """Calls are priced by these. Within a write."""
        self.database.query("INSERT OR REPLACE INTO stated_prices VALUES (1, ?, ?)", (mark, digest))

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None
