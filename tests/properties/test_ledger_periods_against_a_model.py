"""Both stores against a plain model of periods, countings and lanes, while the clock jumps about.

The model keeps operations only: on which budget, in which period, with which numbers. It adds them up anew at each look
and finds out by itself which period runs. What it knows of partial grants is nothing: it asks for all or nothing.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bursar.budget import Amount, Budget, Counting, Level, Limit, OnLimit, Threshold, Unit, parse_period
from bursar.errors import StoreError
from bursar.ledger import CallRecord, Denial, Ledger, Reservation, ReserveRequest
from bursar.usage import Usage
from tests.conformance.ledgers import clock_of, make_ledger

SEED = int(os.environ.get("BURSAR_SEED", "20260301"))
START = datetime(2026, 3, 28, 20, tzinfo=UTC)  # the day before summer time begins in Berlin
THRESHOLDS = (50, 90)
BLOCK, WARN = OnLimit.BLOCK, OnLimit.WARN


@dataclass(frozen=True)
class Kind:
    """A budget as the model knows it. `counts` is `usd` for one in dollars."""

    period: str
    counts: str
    limit: int
    on_limit: OnLimit = BLOCK
    zone: str | None = None
    stop: int | None = None
    allows: bool = False
    session: str | None = None


KINDS = {
    "day": Kind("daily", "total", 150, zone="Europe/Berlin"),
    "week": Kind("weekly", "fresh", 120),
    "month": Kind("monthly", "output", 40, WARN),
    "window": Kind("2h", "total", 90, stop=95),
    "session": Kind("session", "total", 100),
    "run": Kind("run", "fresh", 90),
    "usd": Kind("daily", "usd", 100),
    "dear": Kind("3h", "usd", 60, allows=True, session="two"),
}


@dataclass
class Numbers:
    """Total, fresh, output and cost (None: unknown) of something."""

    total: int = 0
    fresh: int = 0
    output: int = 0
    usd: int | None = 0

    def of(self, counts: str) -> int | None:
        found: int | None = getattr(self, counts)
        return found


@dataclass
class Operation:
    """What was held or charged. `accounts` are (budget, period); `exempt` those whose dollars are none."""

    accounts: list[tuple[str, str]]
    exempt: list[tuple[str, str]]
    held: Numbers
    session: str
    metered: Numbers = field(default_factory=Numbers)
    reports: int = 0
    charged: Numbers | None = None
    is_released: bool = False

    def on(self, counts: str) -> tuple[int, int]:
        """Spent and reserved."""
        metered = self.metered.of(counts) or 0
        if self.charged is not None:
            charged = self.charged.of(counts)
            return (metered if charged is None else charged), 0
        held = self.held.of(counts)
        return 0, metered if held is None else max(held, metered)


parts = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 15))  # cache reads, input, output
costs = st.one_of(st.none(), st.integers(0, 40))
sessions, runs = st.sampled_from(["", "one", "two"]), st.sampled_from(["", "r", "q"])
lanes = st.sampled_from(["", "api", "subscription", "unknown"])


def numbers_of(cache: int, fresh: int, output: int, usd: int | None) -> Numbers:
    return Numbers(cache + fresh + output, fresh + output, output, usd)


def amount_of(numbers: Numbers) -> Amount:
    return Amount(numbers.total, numbers.usd, numbers.fresh, numbers.output)


class PeriodMachine(RuleBasedStateMachine):
    """Every rule does one thing to both stores and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="bursar-ledger-")
        self.stores: list[Ledger] = [make_ledger(store, Path(self._folder.name)) for store in ("memory", "sqlite")]
        self.now = START
        self.operations: dict[str, Operation] = {}
        self.last: dict[str, str] = {}
        self.opened: dict[str, datetime] = {}
        self.spoken: dict[tuple[str, str], set[int]] = {}

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self._folder.cleanup()

    # What the model knows.

    def tick(self) -> None:
        """Every store will look at its clock once, and see `now`."""
        self.now += timedelta(seconds=1)
        for store in self.stores:
            clock_of(store).set(self.now - timedelta(seconds=1))

    def period(self, name: str, labels: dict[str, str]) -> str:
        kind = KINDS[name]
        if kind.period in ("session", "run"):
            return labels.get(kind.period, "")
        if kind.period[0].isdigit():
            opened = self.opened.get(name)
            if opened is not None and self.now < opened + timedelta(hours=int(kind.period[0])):
                return self.last[name]
            return self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        local = self.now.astimezone(ZoneInfo(kind.zone or "UTC"))
        form = {"daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m"}[kind.period]
        return max(local.strftime(form), self.last.get(name, ""))

    def accounts(self, labels: dict[str, str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        charged: list[tuple[str, str]] = []
        exempt: list[tuple[str, str]] = []
        for name in sorted(KINDS):
            kind = KINDS[name]
            if kind.session is not None and labels.get("session") != kind.session:
                continue
            is_fictional = kind.counts == "usd" and labels.get("lane") == "subscription"
            (exempt if is_fictional else charged).append((name, self.period(name, labels)))
        return charged, exempt

    def sums(self, name: str, period: str) -> tuple[int, int]:
        on = [each.on(KINDS[name].counts) for each in self.operations.values() if (name, period) in each.accounts]
        return sum(spent for spent, _ in on), sum(reserved for _, reserved in on)

    def fits(self, accounts: list[tuple[str, str]], wanted: Numbers) -> bool:
        for name, period in accounts:
            kind = KINDS[name]
            if kind.on_limit is WARN:
                continue
            spent, reserved = self.sums(name, period)
            ceiling = kind.limit if kind.stop is None else (kind.limit * kind.stop - 1) // 100
            more = wanted.of(kind.counts)
            if spent > ceiling:
                return False
            if more is None:
                if not kind.allows or spent + reserved >= ceiling:
                    return False
            elif more > max(0, ceiling - spent - reserved):
                return False
        return True

    def touch(self, operation: Operation) -> None:
        for name, period in operation.accounts + operation.exempt:
            if KINDS[name].period[0].isdigit() and self.last.get(name) != period:
                self.opened[name] = self.now
            self.last[name] = period

    def check_alerts(self, answer: Reservation, operation: Operation) -> None:
        expected = []
        for name, period in operation.accounts:
            kind, spoken = KINDS[name], self.spoken.setdefault((name, period), set())
            open_ones = [
                each for each in self.operations.values() if (name, period) in each.accounts and each.charged is None
            ]
            taken = self.sums(name, period)[0] + sum(each.metered.of(kind.counts) or 0 for each in open_ones)
            reached = {percent for percent in THRESHOLDS if taken * 100 >= percent * kind.limit}
            reached |= {101} if taken > kind.limit else set()
            new = reached - spoken
            if new and max(new) > max(spoken, default=0):
                expected.append((name, period, max(new)))
            spoken |= new
        assert [(alert.budget, alert.period_id, alert.percent) for alert in answer.alerts] == expected

    def do(self, act: str, *arguments: object) -> Reservation | Denial | str:
        answers: list[Reservation | Denial | str] = []
        self.tick()
        for store in self.stores:
            try:
                answers.append(getattr(store, act)(*arguments))
            except StoreError as error:
                answers.append(type(error).__name__)
        assert answers[0] == answers[1]
        return answers[0]

    @initialize()
    def define_all(self) -> None:
        for name, kind in KINDS.items():
            for store in self.stores:
                is_usd = kind.counts == "usd"
                store.define(
                    Budget(
                        name=name,
                        limit=Limit(kind.limit, Unit.USD if is_usd else Unit.TOKENS),
                        selector={} if kind.session is None else {"session": kind.session},
                        period=parse_period(kind.period, kind.zone),
                        thresholds=tuple(Threshold(percent, Level.INFO) for percent in THRESHOLDS),
                        on_limit=kind.on_limit,
                        counts=Counting.TOTAL if is_usd else Counting(kind.counts),
                        stop_percent=kind.stop,
                        allows_unknown_price=kind.allows,
                    )
                )

    @rule(minutes=st.one_of(st.integers(0, 200), st.integers(-3000, 3000), st.integers(-60_000, 60_000)))
    def turn_the_clock(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(parts=parts, usd=costs, session=sessions, run=runs, lane=lanes, says=st.booleans())
    def reserve(
        self, parts: tuple[int, int, int], usd: int | None, session: str, run: str, lane: str, says: bool
    ) -> None:
        wanted = numbers_of(*parts, usd)
        if not wanted.total:
            return
        key, labels = f"k{len(self.operations)}", _labels(session, run, lane)
        amount = amount_of(wanted) if says else Amount(wanted.total, usd)
        if not says:
            wanted = Numbers(wanted.total, wanted.total, wanted.total, usd)
        answer = self.do("reserve", ReserveRequest(key=key, labels=labels, amount=amount))
        accounts, exempt = self.accounts(labels)
        if not self.fits(accounts, wanted):
            assert isinstance(answer, Denial)
            return
        assert isinstance(answer, Reservation)
        assert answer.budgets == tuple(name for name, _ in accounts)
        assert answer.exempt == tuple(name for name, _ in exempt)
        self.operations[key] = Operation(accounts, exempt, wanted, session)
        self.touch(self.operations[key])

    @rule(parts=parts, usd=costs, session=sessions, run=runs, lane=lanes, is_call=st.booleans())
    def charge(
        self, parts: tuple[int, int, int], usd: int | None, session: str, run: str, lane: str, is_call: bool
    ) -> None:
        used, key, labels = numbers_of(*parts, usd), f"k{len(self.operations)}", _labels(session, run, lane)
        answer = self.do("charge", key, labels, _call(1, parts, usd) if is_call else amount_of(used))
        assert isinstance(answer, Reservation)
        accounts, exempt = self.accounts(labels)
        operation = self.operations[key] = Operation(accounts, exempt, used, session, charged=used)
        self.touch(operation)
        is_past = any(
            sum(self.sums(name, period)) > KINDS[name].limit and KINDS[name].on_limit is BLOCK
            for name, period in accounts
        )
        assert answer.state.value == ("overrun" if is_past else "settled")
        self.check_alerts(answer, operation)

    @rule(pick=st.integers(0, 50), parts=parts, usd=costs)
    def record(self, pick: int, parts: tuple[int, int, int], usd: int | None) -> None:
        key = self.pick(pick)
        if key is None:
            return
        operation = self.operations[key]
        operation.reports += 1
        answer = self.do("record", key, _call(operation.reports, parts, usd))
        assert isinstance(answer, Reservation)
        new, old = numbers_of(*parts, usd), operation.metered
        operation.metered = Numbers(
            old.total + new.total, old.fresh + new.fresh, old.output + new.output, (old.usd or 0) + (usd or 0)
        )
        self.check_alerts(answer, operation)

    @rule(pick=st.integers(0, 50), more=st.integers(0, 30), usd=st.integers(0, 30))
    def settle(self, pick: int, more: int, usd: int) -> None:
        key = self.pick(pick)
        if key is None:
            return
        operation, metered = self.operations[key], self.operations[key].metered
        cost = (metered.usd or 0) + usd
        answer = self.do("settle", key, Amount(metered.total + more, cost))
        assert isinstance(answer, Reservation)
        operation.charged = Numbers(metered.total + more, metered.fresh + more, metered.output + more, cost)
        self.check_alerts(answer, operation)

    @rule(pick=st.integers(0, 50))
    def release(self, pick: int) -> None:
        key = self.pick(pick)
        if key is None:
            return
        operation = self.operations[key]
        answer = self.do("release", key)
        if operation.reports:
            assert answer == "StoreError"
            return
        operation.charged, operation.is_released = Numbers(), True

    @rule(session=st.sampled_from(["one", "two"]))
    def forfeit_a_session(self, session: str) -> None:
        self.tick()
        answers = [store.forfeit_open({"session": session}) for store in self.stores]
        assert answers[0] == answers[1]
        open_ones = {
            key: each for key, each in self.operations.items() if each.charged is None and each.session == session
        }
        assert [each.key for each in answers[0]] == list(open_ones)
        for answer, operation in zip(answers[0], open_ones.values(), strict=True):
            held, metered = operation.held, operation.metered
            usd = None if held.usd is None else max(held.usd, metered.usd or 0)
            operation.charged = Numbers(
                max(held.total, metered.total), max(held.fresh, metered.fresh), max(held.output, metered.output), usd
            )
            self.check_alerts(answer, operation)

    def pick(self, number: int) -> str | None:
        """The key of an open operation."""
        keys = [key for key, each in self.operations.items() if each.charged is None]
        return keys[number % len(keys)] if keys else None

    @invariant()
    def balances_agree(self) -> None:
        for name, period in self.last.items():
            exempt = sum((name, period) in each.exempt and not each.is_released for each in self.operations.values())
            for store in self.stores:
                clock = clock_of(store)
                shown = store.balance(name, at=self.now)
                assert shown is not None
                clock.set(self.now)
                if shown.period_id == period:
                    assert (shown.spent, shown.reserved) == self.sums(name, period)
                    assert shown.exempt == exempt
                else:
                    assert KINDS[name].period[0].isdigit() or shown.period_id > period
                    assert (shown.spent, shown.reserved) == (0, 0)

    @invariant()
    def books_are_right(self) -> None:
        for store in self.stores:
            assert list(store.verify()) == []


def _labels(session: str, run: str, lane: str) -> dict[str, str]:
    labels = {"session": session, "run": run, "lane": lane}
    return {name: value for name, value in labels.items() if value}


def _call(sequence: int, parts: tuple[int, int, int], usd: int | None) -> CallRecord:
    cache, fresh, output = parts
    usage = Usage(cache_read_tokens=cache, input_tokens=fresh, output_tokens=output)
    return CallRecord(call_id="c", sequence=sequence, model="m", usage=usage, nano_usd=usd)


@pytest.mark.timeout(900)  # shrinking a failure takes its time
def test_both_stores_keep_the_law_of_periods() -> None:
    print(f"seed {SEED} (BURSAR_SEED sets another)")
    machine = seed(SEED)(PeriodMachine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
