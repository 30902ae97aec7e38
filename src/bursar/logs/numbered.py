"""Tables of what calls have in common: a number for each session, each model."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import apsw


class NumberedRows:
    """The numbers of a table's rows, as far as they were asked for; to be forgotten when others have written."""

    def __init__(self, connection: apsw.Connection, table: str, columns: str) -> None:
        rows: Any = connection.execute(f"SELECT max(id) FROM {table}").fetchall()
        self._last: int = rows[0][0] or 0
        self._is_complete = not self._last
        self._connection = connection
        marks = ", ".join("?" * len(columns.split(", ")))
        self._select = f"SELECT id FROM {table} WHERE ({columns}) = ({marks})"
        self._insert = f"INSERT INTO {table} (id, {columns}) VALUES (?, {marks})"
        self._numbers: dict[Hashable, int] = {}
        self._waiting: list[tuple[Any, ...]] = []

    def number(self, values: tuple[Any, ...]) -> int:
        """The number of the row with these values, made if there is none."""
        return self._numbers.get(values) or self._find(values)

    def _find(self, values: tuple[Any, ...]) -> int:
        rows: Any = [] if self._is_complete else self._connection.execute(self._select, values).fetchall()
        if rows:
            found = int(rows[0][0])
        else:
            found = self._last = self._last + 1
            self._waiting.append((found, *values))
        self._numbers[values] = found
        return found

    def flush(self, connection: apsw.Connection) -> None:
        """Every row is in the table."""
        connection.executemany(self._insert, self._waiting)
        self._waiting.clear()
