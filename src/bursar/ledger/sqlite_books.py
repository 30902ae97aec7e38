"""The rows of a ledger in an SQLite file, within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

import apsw

from bursar.budget import Balance, Budget, LastPeriod, is_selected
from bursar.ledger import rows
from bursar.ledger.books import Mark, PhaseSum, Standing
from bursar.ledger.entries import FIRST_HASH, format_instant, run_and_task_of
from bursar.ledger.holding import Holding
from bursar.ledger.types import CallRecord, Entry, State

_MOST_KNOWN = 1000

_LATEST_ATTEMPT = (
    "SELECT attempt FROM reservations WHERE run = ? AND task = ? AND place = ? ORDER BY attempt DESC LIMIT 1"
)

read_holding = partial(rows.parse, rows.read_holding)
read_standing = partial(rows.parse, rows.read_standing)
read_balance = partial(rows.parse, rows.read_balance)
_read_call = partial(rows.parse, rows.read_call)
_read_phase = partial(rows.parse, rows.read_phase)


class Known:
    """What a process has read or written last. Good for as long as nobody else has written.

    Attributes:
        head: number and hash of the last entry.
        holdings: open ones, by key.
        standings: by name of the budget.
        names: of the budgets that were found by a run and a task, in order.
        attempts: the latest one, by place.
    """

    def __init__(self) -> None:
        self.head: tuple[int, str] | None = None
        self.holdings: dict[str, Holding] = {}
        self.standings: dict[str, Standing] = {}
        self.names: dict[tuple[str, str], list[str]] = {}
        self.attempts: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """It has grown larger than is of use to anybody."""
        return len(self.holdings) + len(self.names) + len(self.attempts) > _MOST_KNOWN

    def take_holding(self, holding: Holding) -> None:
        """The holding is as given. One that has ended is hardly asked for again."""
        if holding.state is State.HELD:
            self.holdings[holding.key] = holding
        else:
            self.holdings.pop(holding.key, None)
        if holding.place in self.attempts:
            self.attempts[holding.place] = max(holding.attempt, self.attempts[holding.place])

    def take_balance(self, balance: Balance) -> None:
        """The figures of that budget in that period are as given."""
        name = balance.budget.name
        if self.is_latest(name, balance.period_id):
            self.standings[name] = Standing(balance.budget, balance)

    def is_latest(self, budget: str, period: str) -> bool:
        """That period is known to be the latest in which something was put on the budget."""
        standing = self.standings.get(budget)
        return standing is not None and standing.latest is not None and standing.latest.period_id == period

    def forget_standings(self) -> None:
        """They are to be read again."""
        self.standings.clear()
        self.names.clear()


class SqliteBooks:
    """The rows, on a connection with an open transaction. Every statement finds its rows by an index.

    Args:
        known: what need not be read again.
    """

    def __init__(self, connection: apsw.Connection, known: Known) -> None:
        self._connection = connection
        self._known = known

    def holding(self, key: str) -> Holding | None:
        known = self._known.holdings.get(key)
        if known is not None:
            return known
        row = self._row(f"{rows.SELECT_HOLDINGS} WHERE key = ?", key)
        return None if row is None else read_holding(row)

    def put_holding(self, holding: Holding, *, is_new: bool) -> None:
        if is_new:
            self._connection.execute(rows.INSERT_HOLDING, rows.write_holding(holding))
        else:
            self._connection.execute(rows.UPDATE_HOLDING, (*rows.write_changed(holding), holding.key))
        self._known.take_holding(holding)

    def latest_attempt(self, place: str) -> int:
        attempts = self._known.attempts
        if place not in attempts:
            row = self._row(_LATEST_ATTEMPT, *run_and_task_of(place), place)
            attempts[place] = 0 if row is None else row[0]
        return attempts[place]

    def call(self, key: str, call_id: str, sequence: int) -> CallRecord | None:
        where = " WHERE reservations.key = ? AND call_id = ? AND sequence = ?"
        row = self._row(rows.SELECT_CALLS + where, key, call_id, sequence)
        return None if row is None else _read_call(row)[1]

    def add_call(self, key: str, call: CallRecord) -> None:
        self._connection.execute(rows.INSERT_CALL, rows.write_call(key, call))

    def held(self, labels: Mapping[str, str]) -> Sequence[Holding]:
        return select_holdings(self._connection.execute, labels, State.HELD)

    def standing(self, name: str) -> Standing | None:
        known = self._known.standings.get(name)
        if known is not None:
            return known
        row = self._row(f"{rows.SELECT_STANDINGS} WHERE name = ?", name)
        if row is None:
            return None
        standing = self._known.standings[name] = read_standing(row)
        return standing

    def matching(self, labels: Mapping[str, str]) -> Sequence[Standing]:
        """Budgets are found by the run and the task of their selectors; of those few, the rest is compared here."""
        run_and_task = rows.run_and_task(labels)
        names = self._known.names.get(run_and_task)
        if names is None:
            where = " WHERE run IN ('', ?) AND task IN ('', ?) ORDER BY name"
            found = list(map(read_standing, self._connection.execute(rows.SELECT_STANDINGS + where, run_and_task)))
            self._known.standings.update({each.budget.name: each for each in found})
            self._known.names[run_and_task] = [each.budget.name for each in found]
        else:
            found = [self._known.standings[name] for name in names]
        return [each for each in found if is_selected(each.budget.selector, labels)]

    def every(self) -> Sequence[Standing]:
        return list(map(read_standing, self._connection.execute(f"{rows.SELECT_STANDINGS} ORDER BY name")))

    def balance(self, budget: Budget, period_id: str) -> Balance | None:
        row = self._row(f"{rows.SELECT_BALANCES} WHERE name = ? AND period_id = ?", budget.name, period_id)
        return None if row is None else read_balance(row)

    def put_budget(self, budget: Budget, *, is_new: bool) -> None:
        if is_new:
            self._connection.execute(rows.INSERT_BUDGET, rows.write_budget(budget))
        else:
            self._connection.execute(rows.UPDATE_BUDGET, rows.write_definition(budget))
        self._known.forget_standings()

    def put_balance(self, balance: Balance) -> None:
        self._connection.execute(rows.PUT_BALANCE, rows.write_balance(balance))
        self._known.take_balance(balance)

    def put_last(self, budget: str, last: LastPeriod) -> None:
        if not self._known.is_latest(budget, last.id):
            self._connection.execute(rows.UPDATE_LAST_PERIOD, (last.id, budget, last.id))
            self._known.forget_standings()

    def marks(self, budget: str, period: str) -> Collection[int]:
        found = self._connection.execute(
            "SELECT percent FROM alerts WHERE budget = ? AND period_id = ? AND is_over = 0", (budget, period)
        )
        return {row[0] for row in found}

    def marked(self, budget: str) -> Collection[tuple[str, int]]:
        sql = "SELECT period_id, percent FROM alerts WHERE budget = ? AND is_over = 0 ORDER BY id"
        found: list[rows.Row] = self._connection.execute(sql, (budget,)).fetchall()
        return [(row[0], row[1]) for row in found]

    def rearm(self, budget: str, period: str, percent: int) -> None:
        where = "budget = ? AND period_id = ? AND percent = ? AND is_over = 0"
        self._connection.execute(f"UPDATE alerts SET is_over = 1 WHERE {where}", (budget, period, percent))

    def add_mark(self, mark: Mark) -> None:
        self._connection.execute(rows.INSERT_MARK, rows.write_mark(mark))

    def phase(self, session: str, phase: str) -> PhaseSum | None:
        row = self._row(f"{rows.SELECT_PHASES} WHERE session = ? AND phase = ?", session, phase)
        return None if row is None else _read_phase(row)

    def phases(self, session: str) -> Sequence[PhaseSum]:
        found = self._connection.execute(f"{rows.SELECT_PHASES} WHERE session = ? ORDER BY first", (session,))
        return list(map(_read_phase, found))

    def put_phase(self, phase: PhaseSum, *, is_new: bool) -> None:
        if is_new:
            self._connection.execute(rows.INSERT_PHASE, rows.write_phase(phase))
        else:
            self._connection.execute(rows.UPDATE_PHASE, (phase.tokens, phase.session, phase.phase))

    def head(self) -> tuple[int, str]:
        if self._known.head is None:
            row = self._row("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1")
            self._known.head = (0, FIRST_HASH) if row is None else (row[0], row[1])
        return self._known.head

    def add_entry(self, entry: Entry, body: str) -> None:
        at = format_instant(entry.at)
        row = (entry.number, at, entry.kind, entry.key, body, entry.previous_hash, entry.hash)
        self._connection.execute(rows.INSERT_ENTRY, row)
        self._known.head = entry.number, entry.hash

    def _row(self, sql: str, *parameters: str | int) -> rows.Row | None:
        for row in self._connection.execute(sql, parameters).fetchall():
            return row
        return None


def select_holdings(
    query: Callable[[str, Sequence[str]], Iterable[rows.Row]], labels: Mapping[str, str], state: State | None
) -> list[Holding]:
    """Oldest first; found by run, task and being held, and compared label by label here."""
    select, (where, parameters) = rows.SELECT_HOLDINGS, by_run_and_task(labels)
    if state is State.HELD:
        select += " INDEXED BY reservations_held"  # of all, hardly any are
        where.append("state = 'held'")
    elif state is not None:
        where.append("state = ?")
        parameters.append(state.value)
    found = query(f"{select} WHERE {' AND '.join(where)} ORDER BY id", parameters)
    return [holding for holding in map(read_holding, found) if is_selected(labels, holding.labels)]


def by_run_and_task(labels: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Conditions that an index can serve, and what they compare with."""
    where, parameters = ["1"], []
    for name in ("run", "task"):
        if name in labels:
            where.append(f"{name} = ?")
            parameters.append(labels[name])
    return where, parameters
