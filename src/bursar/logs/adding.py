"""Calls go into the index: each once, priced, and into the sums. One transaction at a time."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from operator import mul
from typing import TYPE_CHECKING, Any

from bursar.logs.bundles import Bundle, Bundles, Rates
from bursar.logs.call import CallRow, LoggedCall, is_better
from bursar.logs.call_id import first_id, last_id, message_number
from bursar.logs.index import DAY_MS, QUARTER_MS
from bursar.logs.numbered import NumberedRows
from bursar.logs.places import RUNS
from bursar.logs.sums import COUNTERS, QuarterSums

if TYPE_CHECKING:
    import apsw

    from bursar.logs.columns import CallColumns, PackedCalls, Run
    from bursar.logs.index import LogIndex
    from bursar.logs.prices import CallPrices
    from bursar.logs.reading import NewCalls

_INSERT_CALL = (
    f"INSERT INTO call (id, session, model, message, request, at, is_sidechain, service_tier, {COUNTERS}, nano_usd,"
    " told_nano_usd) VALUES "
)
_COLUMNS = f"({', '.join('?' * 15)})"
_AT_ONCE = 8  # rows that one statement writes: a fifth quicker
_SELECT_CALLS = (
    f"SELECT id, session, model, message, request, at, is_sidechain, service_tier, {COUNTERS}, nano_usd FROM call"
    " WHERE id BETWEEN ? AND ?"
)
_SELECT_COSTS = (
    f"SELECT call.id, session, model, name, service_tier, at, nano_usd, told_nano_usd, {COUNTERS}"
    " FROM call JOIN model ON model.id = model"
)
_KEEP_LIMIT = (
    "INSERT INTO plan_limit VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, name, minutes) DO UPDATE SET"
    " percent = excluded.percent, resets_at = excluded.resets_at, at = excluded.at WHERE excluded.at >= at"
)
_MOST_REQUESTS = 64  # of one message; there are never more than a few
_FULL = -1
_MOST_ROWS = 20_000  # so many are kept to be written in order
_CACHE_KIB = 12_288  # most pages are written once, and the kernel keeps those that are not
_MARK_FILE = f"INSERT OR REPLACE INTO file VALUES ({', '.join('?' * 8)})"


class Known:
    """What those who add to an index remember from one transaction to the next.

    Attributes:
        taken: every number of a message that has a row; None where there are calls that this process has not written.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.sessions = NumberedRows(connection, "session", "source, project, name, is_own")
        self.models = NumberedRows(connection, "model", "name")
        self.bundles = Bundles(connection)
        rows = connection.execute("SELECT 1 FROM call UNION ALL SELECT 1 FROM bundle LIMIT 1").fetchall()
        self.taken: set[int] | None = None if rows else set()


class Adder:
    """Adds to an index, one durable transaction after the other."""

    def __init__(self, index: LogIndex, prices: CallPrices) -> None:
        self._database = index.database
        self._own_place = os.path.join(os.path.realpath(index.state_dir), RUNS, "")
        self._prices = prices
        self._known: Known | None = None

    @contextmanager
    def adding(self) -> Iterator[Adding]:
        """A `with` block that is one transaction: calls and how far their files were read, or neither."""
        self._database.query(f"PRAGMA cache_size = -{_CACHE_KIB}")
        with self._database.write() as connection:
            known, self._known = self._known, None  # what a transaction that failed has learned is not true
            if known is None or not self._database.is_unchanged:
                known = Known(connection)
            adding = Adding(connection, self._prices, known, self._own_place)
            yield adding
            adding.flush()
        self._known = known


class Adding:
    """Calls that are being added, within one transaction."""

    def __init__(self, connection: apsw.Connection, prices: CallPrices, known: Known, own_place: str) -> None:
        self._connection = connection
        self._prices = prices
        self._known = known
        self._own_place = own_place
        self._rows: list[tuple[Any, ...]] = []
        self._marks: list[tuple[Any, ...]] = []
        self._sums = QuarterSums()

    def add_file(self, source: str, new: NewCalls) -> None:
        """What was new in a file is in the index. Nothing is done where another process was quicker."""
        if self._is_as_before(new):
            is_own, packed = new.after.path.startswith(self._own_place), new.packed
            if packed is None:
                self.add(source, new.calls, is_own=is_own)
            elif not self._is_all_new(packed):
                self.add(source, packed.columns().rows(), is_own=is_own)
            else:
                self._keep_together(source, packed, is_own)
            self._marks.append(new.after.row())
            if len(self._rows) > _MOST_ROWS:
                self._write_rows()
            if new.limits:
                self._connection.executemany(_KEEP_LIMIT, [(source, *limit) for limit in new.limits])

    def _is_as_before(self, new: NewCalls) -> bool:
        if self._known.taken is not None and new.before is None:
            return True  # all that is in the index is from here, where each file is read once
        rows = self._connection.execute("SELECT * FROM file WHERE path = ?", (new.after.path,)).fetchall()
        return rows == ([] if new.before is None else [new.before.row()])

    def _is_all_new(self, packed: PackedCalls) -> bool:
        """No call of these is known."""
        taken, numbers = self._known.taken, array("I", packed.numbers)
        return taken is not None and taken.isdisjoint(numbers) and self._known.bundles.have_none_of(numbers)

    def add(self, source: str, calls: Iterable[CallRow], *, is_own: bool = False) -> None:
        """Calls that were not known are; of those that were, the better record counts."""
        taken, rows = self._known.taken, self._rows
        for call in calls:
            number = message_number(call[0]) if call[0] else None
            if taken is None or number is None or number in taken or number in self._known.bundles:
                row_id = self._room_for(call)
            else:
                taken.add(number)  # most often, nothing is there
                row_id = first_id(number)
            if row_id is not None:
                rows.append(self._row(source, call, row_id, is_own))

    def _keep_together(self, source: str, packed: PackedCalls, is_own: bool) -> None:
        """Calls of which none was known are a bundle, with no work for each where their prices allow it."""
        rates: list[Rates] = []
        for run in packed.runs:
            found = self._prices.whole_rates(run.model, run.service_tier, run.first_at // DAY_MS, run.most_input)
            if found is None:
                each = self._add_runs_by_call(source, packed, is_own)
                self._known.bundles.keep(self._connection, source, is_own, packed, each=each)
                return
            rates.append(found)
        for run, rate in zip(packed.runs, rates, strict=True):
            more = (run.end - run.start, *run.sums, sum(map(mul, rate, run.sums)), 0)
            self._sums.add_calls(self._sum_of(source, is_own, run), more, run.first_at, run.last_at)
        self._known.bundles.keep(self._connection, source, is_own, packed, rates=rates)

    def _add_runs_by_call(self, source: str, packed: PackedCalls, is_own: bool) -> list[int | None]:
        """The calls are in the sums, each priced alone; what each cost."""
        columns, costs = packed.columns(), list[int | None]()
        for run in columns.runs:
            found = self._costs_of(columns, run)
            costs += found
            more = (len(found), *run.sums, sum(filter(None, found)), found.count(None))
            self._sums.add_calls(self._sum_of(source, is_own, run), more, run.first_at, run.last_at)
        return costs

    def _sum_of(self, source: str, is_own: bool, run: Run) -> tuple[int, int, int]:
        return (run.quarter, self._place_of(source, run.project, run.session, is_own), self._model(run.model))

    def _costs_of(self, columns: CallColumns, run: Run) -> list[int | None]:
        part = slice(run.start, run.end)
        counts = zip(*[counter[part] for counter in columns.counts], strict=True)
        costs = self._prices.costs_nano_usd(run.model, run.service_tier, run.first_at // DAY_MS, counts)
        if columns.told:
            return [said if cost is None else cost for cost, said in zip(costs, columns.told[part], strict=True)]
        return costs

    def _write_bundle(self, bundle: Bundle) -> None:
        """The calls are rows; the sums have them already."""
        for call, cost in bundle.rows():
            message, request, at, name, project, session_name, is_sidechain, tier, *counts, told = call
            session = self._place_of(bundle.source, project, session_name, bundle.is_own)
            number = message_number(message)
            if self._known.taken is not None:
                self._known.taken.add(number)
            head = (first_id(number), session, self._model(name), message, request, at, is_sidechain, tier)
            self._rows.append((*head, *counts, cost, told))
        self._write_rows()

    def price_again(self, *, unpriced_only: bool) -> None:
        """Calls whose cost nobody knew have one, where it is known by now; or every call has the cost of today."""
        self._price_rows_again(_SELECT_COSTS + (" WHERE nano_usd IS NULL" if unpriced_only else ""))
        for bundle in self._known.bundles.all(self._connection, unpriced_only=unpriced_only):
            costs: list[int | None] = []
            for run in bundle.columns.runs:
                found, before = self._costs_of(bundle.columns, run), bundle.costs[run.start : run.end]
                costs += found
                if found != before:
                    key = self._sum_of(bundle.source, bundle.is_own, run)
                    self._sums.change_costs(key, before, found, run.first_at, run.last_at)
            if costs != bundle.costs:
                self._known.bundles.change_costs(self._connection, bundle, costs)

    def _price_rows_again(self, text: str) -> None:
        changed: list[tuple[int | None, int]] = []
        for row_id, session, model, name, tier, at, known, told, *counts in self._connection.execute(text):
            (cost,) = self._prices.costs_nano_usd(str(name), str(tier), int(at) // DAY_MS, [tuple(counts)])
            cost = told if cost is None else cost
            if cost != known:
                changed.append((cost, row_id))
                self._sums.change_costs((at // QUARTER_MS, session, model), [known], [cost], at, at)
        self._connection.executemany("UPDATE call SET nano_usd = ? WHERE id = ?", changed)

    def flush(self) -> None:
        """Everything is in the tables."""
        self._write_rows()
        self._known.bundles.flush(self._connection)
        for table in (self._known.sessions, self._known.models):
            table.flush(self._connection)
        self._sums.flush(self._connection)
        self._connection.executemany(_MARK_FILE, self._marks)
        self._marks.clear()

    def _write_rows(self) -> None:
        rows = self._rows
        rows.sort()  # neighbours in the table are written together
        whole = len(rows) - len(rows) % _AT_ONCE
        many = ", ".join([_COLUMNS] * _AT_ONCE)
        groups = zip(*[islice(rows, whole)] * _AT_ONCE, strict=True)
        self._connection.executemany(_INSERT_CALL + many, map(tuple, map(chain.from_iterable, groups)))
        self._connection.executemany(_INSERT_CALL + _COLUMNS, rows[whole:])
        rows.clear()

    def _room_for(self, call: CallRow) -> int | None:
        """The id that the call gets; None where something as good is known. What was known and is worse is gone.

        Two requests with one message are two calls, but for what a sub-agent's log repeats.
        """
        message, request, *_ = call
        if not message:
            return self._nameless_id()
        number = message_number(message)
        found = self._room_at(call, number)
        if found == _FULL:  # no provider's message: its requests are kept apart, so that not all are compared with all
            number = message_number(f"{message}\n{request}")
            found = self._room_at(call, number)
        if self._known.taken is not None:
            self._known.taken.add(number)
        return found

    def _room_at(self, call: CallRow, number: int) -> int | None:
        """As `_room_for`, of the calls with that number; `_FULL` where there are many, and none of them is this one."""
        bundle = self._known.bundles.take_with(self._connection, number)
        if bundle is not None:
            self._write_bundle(bundle)
        self._write_rows()
        first = first_id(number)
        rows: Sequence[tuple[Any, ...]] = self._connection.execute(_SELECT_CALLS, (first, last_id(first))).fetchall()
        new, is_known = LoggedCall(*call), False
        for row_id, session, model, message, *rest in rows:
            old = _known(message, rest)
            if message == new.message and (old.request == new.request or old.is_sidechain or new.is_sidechain):
                if not is_better(new, old):
                    return None
                self._sums.add_call(session, model, old.at, -1, old[8:13], old.nano_usd)
                self._connection.execute("DELETE FROM call WHERE id = ?", (row_id,))
                is_known = True
        if len(rows) >= _MOST_REQUESTS and not is_known:
            return _FULL
        return int(rows[-1][0]) + 1 if rows else first

    def _nameless_id(self) -> int:
        self._write_rows()
        rows: Any = self._connection.execute("SELECT min(id) FROM call").fetchall()
        return min(rows[0][0] or 0, 0) - 1

    def _row(self, source: str, call: CallRow, row_id: int, is_own: bool) -> tuple[Any, ...]:
        """The call as a row of the table; it is in the sums."""
        message, request, at, name, project, session_name, is_sidechain, service_tier, *counts, told = call
        session, model = self._place_of(source, project, session_name, is_own), self._model(name)
        (cost,) = self._prices.costs_nano_usd(name, service_tier, at // DAY_MS, [call[8:13]])
        cost = told if cost is None else cost
        self._sums.add_call(session, model, at, 1, counts, cost)
        return (row_id, session, model, message, request, at, is_sidechain, service_tier, *counts, cost, told)

    def _place_of(self, source: str, project: str, session: str, is_own: bool) -> int:
        return self._known.sessions.number((source, project, session, is_own))

    def _model(self, name: str) -> int:
        return self._known.models.number((name,))


def _known(message: str, row: Sequence[Any]) -> LoggedCall:
    """A call as the table has it; which project and session it is in does not matter here."""
    request, at, is_sidechain, service_tier, *rest = row
    return LoggedCall(message, request, at, "", "", "", bool(is_sidechain), service_tier, *rest)
