"""The index of all logs in one SQLite file: each call once, sums over quarters of an hour, how far files were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bursar.database import load_migrations, open_database
from bursar.logs.call import LoggedCall, is_better

if TYPE_CHECKING:
    import os

    import apsw

    from bursar.database import Database

APPLICATION_ID = 0x6272736C  # "brsl"
QUARTER_MS = 15 * 60 * 1000
COUNTERS = "input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens"
_SUMS = (*COUNTERS.split(", "), "nano_usd", "unpriced")
_CALL_COLUMNS = f"session, model, message, request, at, is_sidechain, speed, {COUNTERS}, nano_usd"
_INSERT_CALL = f"INSERT INTO call ({_CALL_COLUMNS}) VALUES ({', '.join('?' * 13)})"
_SELECT_CALL = (
    f"SELECT id, session, model, message, request, at, is_sidechain, speed, {COUNTERS}, nano_usd FROM call"
    " WHERE message = ?"
)
_ADD_QUARTER = (
    f"INSERT INTO quarter (quarter, session, model, calls, {', '.join(_SUMS)}, first_at, last_at)"
    f" VALUES ({', '.join('?' * 13)}) ON CONFLICT (quarter, session, model) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in ("calls", *_SUMS))
    + ", first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)"
)
_FILE_COLUMNS = "path, device, inode, size, changed, offset, fingerprint"
_MARK_FILE = f"INSERT OR REPLACE INTO file ({_FILE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"

_SELECT_RATES = "SELECT day, data FROM rates WHERE library = ? ORDER BY day"


class CallPrices(Protocol):
    """What calls cost."""

    def load(self) -> None:
        """Everything is there; called before the first call of an update is priced."""
        ...

    def cost_nano_usd(self, call: LoggedCall) -> int | None:
        """What the call cost; None where nobody knows."""
        ...


class FileMark(NamedTuple):
    """How far a log file was read, and what it was then. `changed` in ns; `fingerprint`: see `0001_logs.sql`."""

    path: str
    device: int
    inode: int
    size: int
    changed: int
    offset: int
    fingerprint: bytes


class QuarterSum(NamedTuple):
    """What was used in a quarter of an hour, in one session and by one model, or over several."""

    at: int
    source: str
    project: str
    session: str
    model: str
    calls: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    nano_usd: int
    unpriced: int
    first_at: int
    last_at: int


def open_index(path: str | os.PathLike[str]) -> LogIndex:
    """The index at `path`, made if there is none.

    Raises:
        StoreError: the file is corrupt, foreign, of a later version, or cannot be written.
    """
    return LogIndex(open_database(path, migrations=load_migrations(__file__), application_id=APPLICATION_ID))


class LogIndex:
    """What is known of the logs so far. Nothing that was in a log once is ever forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._was_empty = not database.query("SELECT 1 FROM call LIMIT 1")
        self._written: set[int] = set()
        self._ids: dict[tuple[str, ...], int] = {}

    def marks(self) -> dict[str, FileMark]:
        """How far each file was read, by path."""
        rows = self._database.query(f"SELECT {_FILE_COLUMNS} FROM file")
        return {row[0]: FileMark(*row) for row in rows}

    @contextmanager
    def adding(self, prices: CallPrices) -> Iterator[Adding]:
        """A `with` block that is one durable transaction: calls and how far their files were read, or neither."""
        with self._database.write() as connection:
            adding = Adding(connection, prices, self._written, self._ids, is_new=self._was_empty)
            yield adding
            adding.flush()

    def rates(self, library: str) -> list[tuple[str, str]]:
        """Rate tables of that release of the price library, as JSON, each after the day from which on it holds."""
        return [(day, data) for day, data in self._database.query(_SELECT_RATES, (library,))]

    def keep_rates(self, library: str, tables: Sequence[tuple[str, str]]) -> None:
        """These are the rate tables from now on."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM rates")
            connection.executemany(
                "INSERT INTO rates (day, library, data) VALUES (?, ?, ?)",
                [(day, library, data) for day, data in tables],
            )

    def sums(self, since: int | None, until: int | None) -> list[QuarterSum]:
        """Sums from one instant to before another (ms, None: without an end), oldest first."""
        rows = self._database.query(
            "SELECT quarter * ?3, source, project, session.name, model.name, calls, input_tokens, cache_read_tokens,"
            " cache_write_5m_tokens + cache_write_1h_tokens, output_tokens, nano_usd, unpriced, first_at, last_at"
            " FROM quarter JOIN session ON session.id = session JOIN model ON model.id = model"
            " WHERE quarter >= ?1 AND quarter < ?2 ORDER BY quarter, session, model",
            (
                -(1 << 62) if since is None else -(-since // QUARTER_MS),
                1 << 62 if until is None else -(-until // QUARTER_MS),
                QUARTER_MS,
            ),
        )
        return [QuarterSum(*row) for row in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


class Adding:
    """Calls that are being added, within one transaction."""

    def __init__(
        self,
        connection: apsw.Connection,
        prices: CallPrices,
        written: set[int],
        ids: dict[tuple[str, ...], int],
        *,
        is_new: bool,
    ) -> None:
        self._connection = connection
        self._prices = prices
        self._written = written
        self._ids = ids
        self._is_new = is_new
        self._sums: dict[tuple[int, int, int], list[int]] = {}

    def mark(self, mark: FileMark) -> None:
        """The file was read so far."""
        self._connection.execute(_MARK_FILE, mark)

    def add(self, source: str, calls: Iterable[LoggedCall]) -> None:
        """Calls that were not known are; of those that were, the better record counts."""
        fresh: dict[tuple[str, str], LoggedCall] = {}
        for call in calls:
            key = (call.message, call.request)
            known = fresh.get(key)
            if not call.message:
                self._insert(source, call)
            elif known is None or is_better(call, known):
                fresh[key] = call
        for call in fresh.values():
            if self._makes_way(call):
                self._insert(source, call)

    def flush(self) -> None:
        """The sums are in the table."""
        self._connection.executemany(_ADD_QUARTER, [(*key, *sums) for key, sums in self._sums.items()])
        self._sums.clear()

    def _makes_way(self, call: LoggedCall) -> bool:
        """Nothing as good is known of that call; what was known of it is gone.

        Two requests with one message are two calls, but for what a sub-agent's log repeats.
        """
        mark = hash(call.message)
        if self._is_new and mark not in self._written:
            self._written.add(mark)
            return True
        rows: list[tuple[Any, ...]] = self._connection.execute(_SELECT_CALL, (call.message,)).fetchall()
        for row_id, session, model, *rest in rows:
            old = _known(rest)
            if old.request == call.request or old.is_sidechain or call.is_sidechain:
                if not is_better(call, old):
                    return False
                self._count(session, model, old, -1)
                self._connection.execute("DELETE FROM call WHERE id = ?", (row_id,))
        return True

    def _insert(self, source: str, call: LoggedCall) -> None:
        session = self._id("session", "source, project, name", (source, call.project, call.session))
        model = self._id("model", "name", (call.model,))
        priced = call if call.nano_usd is not None else call._replace(nano_usd=self._prices.cost_nano_usd(call))
        self._connection.execute(
            _INSERT_CALL,
            (
                session,
                model,
                call.message,
                call.request,
                call.at,
                call.is_sidechain,
                call.speed,
                *call[8:13],
                priced.nano_usd,
            ),
        )
        self._count(session, model, priced, 1)

    def _count(self, session: int, model: int, call: LoggedCall, sign: int) -> None:
        """The call is in the sums, or (`sign` -1) out of them."""
        key = (call.at // QUARTER_MS, session, model)
        changes = (1, *call[8:13], call.nano_usd or 0, call.nano_usd is None)
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = [*(sign * change for change in changes), call.at, call.at]
            return
        for index, change in enumerate(changes):
            sums[index] += sign * change
        sums[-2], sums[-1] = min(sums[-2], call.at), max(sums[-1], call.at)

    def _id(self, table: str, columns: str, values: tuple[str, ...]) -> int:
        """The number of the row with these values, made if there is none."""
        known = self._ids.get(values)
        if known is None:
            marks = ", ".join("?" * len(values))
            self._connection.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", values)
            where = f"SELECT id FROM {table} WHERE ({columns}) = ({marks})"
            rows: list[tuple[Any, ...]] = self._connection.execute(where, values).fetchall()
            known = self._ids[values] = rows[0][0]
        return known


def _known(row: Sequence[Any]) -> LoggedCall:
    """A call as the table has it; which project and session it is in does not matter here."""
    message, request, at, is_sidechain, speed, *rest = row
    return LoggedCall(message, request, at, "", "", "", bool(is_sidechain), speed, *rest)
