"""What SQLite itself finds wrong with a file, looked for beside whatever else is being done.

Imported only where somebody checks: everything else starts quicker without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

import apsw

from bursar.database.store import store_error


class Checking:
    """A `with` block beside which the whole file is checked, on another processor: SQLite needs no Python for it.

    Where the file is damaged, that explains what is raised in the block, and it is raised no further.

    Attributes:
        problems: at the end of the block, what SQLite finds wrong; empty when nothing is.
    """

    def __init__(self, path: str, connect: Callable[[], apsw.Connection]) -> None:
        self.problems: list[str] = []
        self._path = path
        self._connect = connect
        self._is_left = False
        self._thread = threading.Thread(target=self._check, name="bursar-check", daemon=True)

    def __enter__(self) -> Checking:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> bool:
        self._is_left = kind is not None and not issubclass(kind, Exception)
        self._thread.join()
        return not self._is_left and bool(self.problems)

    def _check(self) -> None:
        try:
            connection = self._connect()
        except apsw.Error as error:
            self.problems = [store_error(self._path, error).message]
            return
        try:
            connection.set_progress_handler(lambda: self._is_left, 100_000)
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
            self.problems = [] if found == ["ok"] else found
        except apsw.Error as error:
            self.problems = [store_error(self._path, error).message]
        finally:
            connection.close()
