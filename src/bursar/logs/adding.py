"""Calls go into the index: each once, priced, and into the sums. One transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from bursar.logs.call import CallRow, LoggedCall, is_better
from bursar.logs.call_id import first_id, last_id
from bursar.logs.index import QUARTER_MS

if TYPE_CHECKING:
    import apsw

    from bursar.logs.index import LogIndex
    from bursar.logs.reading import NewCalls

COUNTERS = "input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens"
_SUMS = ("calls", *COUNTERS.split(", "), "nano_usd", "unpriced")
_INSERT_CALL = (
    f"INSERT INTO call (id, session, model, message, request, at, is_sidechain, speed, {COUNTERS}, nano_usd)"
    f" VALUES ({', '.join('?' * 14)})"
)
_SELECT_CALLS = (
    f"SELECT id, session, model, message, request, at, is_sidechain, speed, {COUNTERS}, nano_usd FROM call"
    " WHERE id BETWEEN ? AND ?"
)
_ADD_QUARTER = (
    f"INSERT INTO quarter (quarter, session, model, {', '.join(_SUMS)}, first_at, last_at)"
    f" VALUES ({', '.join('?' * 13)}) ON CONFLICT (quarter, session, model) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)
    + ", first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)"
)
_KEEP_LIMIT = (
    "INSERT INTO plan_limit VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, name, minutes) DO UPDATE SET"
    " percent = excluded.percent, resets_at = excluded.resets_at, at = excluded.at WHERE excluded.at >= at"
)
_MOST_REQUESTS = 64  # of one message; there are never more than a few
_FULL = -1
_MARK_FILE = f"INSERT OR REPLACE INTO file VALUES ({', '.join('?' * 8)})"


class CallPrices(Protocol):
    """What calls cost."""

    def cost_nano_usd(self, call: CallRow) -> int | None:
        """What the call cost; None where nobody knows."""
        ...


class Known:
    """What those who add to an index remember from one transaction to the next.

    Attributes:
        taken: every first id that has a row; None where there are rows that this process has not written.
    """

    def __init__(self, *, is_empty: bool) -> None:
        self.sessions: dict[tuple[str, str, str], int] = {}
        self.models: dict[str, int] = {}
        self.taken: set[int] | None = set() if is_empty else None


class Adder:
    """Adds to an index, one durable transaction after the other."""

    def __init__(self, index: LogIndex, prices: CallPrices) -> None:
        self._database = index.database
        self._prices = prices
        self._known: Known | None = None

    @contextmanager
    def adding(self) -> Iterator[Adding]:
        """A `with` block that is one transaction: calls and how far their files were read, or neither."""
        with self._database.write() as connection:
            known, self._known = self._known, None  # what a transaction that failed has learned is not true
            if known is None or not self._database.is_unchanged:
                known = Known(is_empty=not connection.execute("SELECT 1 FROM call LIMIT 1").fetchall())
            adding = Adding(connection, self._prices, known)
            yield adding
            adding.flush()
        self._known = known


class Adding:
    """Calls that are being added, within one transaction."""

    def __init__(self, connection: apsw.Connection, prices: CallPrices, known: Known) -> None:
        self._connection = connection
        self._prices = prices
        self._known = known
        self._rows: list[tuple[Any, ...]] = []
        self._marks: list[tuple[Any, ...]] = []
        self._sums: dict[tuple[int, int, int], list[int]] = {}

    def add_file(self, source: str, new: NewCalls) -> None:
        """What was new in a file is in the index. Nothing is done where another process was quicker."""
        rows = self._connection.execute("SELECT * FROM file WHERE path = ?", (new.after.path,)).fetchall()
        if rows == ([] if new.before is None else [new.before.row()]):
            self.add(source, new.calls)
            self._marks.append(new.after.row())
            self._connection.executemany(_KEEP_LIMIT, [(source, *limit) for limit in new.limits])

    def add(self, source: str, calls: Iterable[CallRow]) -> None:
        """Calls that were not known are; of those that were, the better record counts."""
        taken, rows = self._known.taken, self._rows
        for call in calls:
            row_id = first_id(call[0]) if call[0] else None
            if taken is None or row_id is None or row_id in taken:
                row_id = self._room_for(call)
            else:
                taken.add(row_id)  # most often, nothing is there
            if row_id is not None:
                rows.append(self._row(source, call, row_id))

    def flush(self) -> None:
        """Everything is in the tables."""
        self._write_rows()
        self._connection.executemany(_ADD_QUARTER, [(*key, *sums) for key, sums in sorted(self._sums.items())])
        self._sums.clear()
        self._connection.executemany(_MARK_FILE, self._marks)
        self._marks.clear()

    def _write_rows(self) -> None:
        self._rows.sort()  # neighbours in the table are written together
        self._connection.executemany(_INSERT_CALL, self._rows)
        self._rows.clear()

    def _room_for(self, call: CallRow) -> int | None:
        """The id that the call gets; None where something as good is known. What was known and is worse is gone.

        Two requests with one message are two calls, but for what a sub-agent's log repeats.
        """
        message, request, *_ = call
        if not message:
            return self._nameless_id()
        self._write_rows()
        found = self._room_at(call, first_id(message))
        if found == _FULL:  # no provider's message: its requests are kept apart, so that not all are compared with all
            found = self._room_at(call, first_id(f"{message}\n{request}"))
        return found

    def _room_at(self, call: CallRow, first: int) -> int | None:
        """As `_room_for`, of the calls from `first` on; `_FULL` where there are many, and none of them is this one."""
        rows: Sequence[tuple[Any, ...]] = self._connection.execute(_SELECT_CALLS, (first, last_id(first))).fetchall()
        new, is_known = LoggedCall(*call), False
        for row_id, session, model, message, *rest in rows:
            old = _known(message, rest)
            if message == new.message and (old.request == new.request or old.is_sidechain or new.is_sidechain):
                if not is_better(new, old):
                    return None
                self._count(session, model, old.at, -1, old[8:13], old.nano_usd)
                self._connection.execute("DELETE FROM call WHERE id = ?", (row_id,))
                is_known = True
        if len(rows) >= _MOST_REQUESTS and not is_known:
            return _FULL
        return int(rows[-1][0]) + 1 if rows else first

    def _nameless_id(self) -> int:
        self._write_rows()
        rows: Any = self._connection.execute("SELECT min(id) FROM call").fetchall()
        return min(rows[0][0] or 0, 0) - 1

    def _row(self, source: str, call: CallRow, row_id: int) -> tuple[Any, ...]:
        """The call as a row of the table; it is in the sums."""
        known = self._known
        message, request, at, name, project, session_name, is_sidechain, speed, *counts, nano_usd = call
        session = known.sessions.get((source, project, session_name)) or self._session(source, call)
        model = known.models.get(name) or self._model(name)
        price = self._prices.cost_nano_usd(call)
        nano_usd = nano_usd if price is None else price
        self._count(session, model, at, 1, counts, nano_usd)
        return (row_id, session, model, message, request, at, is_sidechain, speed, *counts, nano_usd)

    def _count(self, session: int, model: int, at: int, sign: int, counts: Sequence[int], nano_usd: int | None) -> None:
        """The call is in the sums, or (`sign` -1) out of them."""
        key = (at // QUARTER_MS, session, model)
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = [0, 0, 0, 0, 0, 0, 0, 0, at, at]
        fresh, read, short, long, output = counts
        sums[0] += sign
        sums[1] += sign * fresh
        sums[2] += sign * read
        sums[3] += sign * short
        sums[4] += sign * long
        sums[5] += sign * output
        if nano_usd is None:
            sums[7] += sign
        else:
            sums[6] += sign * nano_usd
        if at < sums[8]:
            sums[8] = at
        elif at > sums[9]:
            sums[9] = at

    def _session(self, source: str, call: CallRow) -> int:
        key = (source, call[4], call[5])
        return self._new_id("session", "(source, project, name)", key, self._known.sessions)

    def _model(self, name: str) -> int:
        found = self._new_id("model", "(name)", (name,), {})
        self._known.models[name] = found
        return found

    def _new_id(self, table: str, columns: str, values: tuple[str, ...], known: dict[Any, int]) -> int:
        """The number of the row with these values, made if there is none."""
        marks = f"({', '.join('?' * len(values))})"
        self._connection.execute(f"INSERT OR IGNORE INTO {table} {columns} VALUES {marks}", values)
        rows: Any = self._connection.execute(f"SELECT id FROM {table} WHERE {columns} = {marks}", values).fetchall()
        found = known[values] = int(rows[0][0])
        return found


def _known(message: str, row: Sequence[Any]) -> LoggedCall:
    """A call as the table has it; which project and session it is in does not matter here."""
    request, at, is_sidechain, speed, *rest = row
    return LoggedCall(message, request, at, "", "", "", bool(is_sidechain), speed, *rest)
