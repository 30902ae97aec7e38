"""What an operation costs does not grow with the books: every statement finds its rows by an index."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit, parse_period
from bursar.ledger import CallRecord, ReserveRequest, State, open_ledger
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock, clock_of

LABELS = {"run": "r", "task": "t", "model": "m"}
LAST_ENTRY = "SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1"  # a scan of one row


def test_no_statement_scans_a_table(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db", SteppingClock())
    connection = ledger._database._connection
    seen: set[str] = set()

    def see(_: object, sql: str, __: object) -> bool:
        seen.add(sql)
        return True

    connection.exec_trace = see
    ledger.define(Budget(name="run", limit=Limit(100, Unit.TOKENS), selector={"run": "r"}, thresholds=RUN_THRESHOLDS))
    for key in ("a", "b", "c"):
        ledger.reserve(ReserveRequest(key=key, labels=LABELS, amount=Amount(30, None)))
    ledger.reserve(ReserveRequest(key="d", labels=LABELS, amount=Amount(30, None)))
    ledger.extend("a", Amount(35, None))
    usage = Usage(output_tokens=34)
    ledger.record("a", CallRecord(call_id="c", sequence=1, model="m", usage=usage, nano_usd=None))
    ledger.settle("a", Amount(80, None))
    ledger.forfeit("b")
    ledger.credit("b", Amount(1, None), evidence="bill")
    ledger.release("c")
    for name, period in (("day", "daily"), ("window", "5h"), ("session", "session")):
        limit = Limit(10, Unit.TOKENS)
        ledger.define(Budget(name=name, limit=limit, period=parse_period(period), thresholds=RUN_THRESHOLDS))
    for days in range(3):
        clock_of(ledger).set(datetime(2026, 4, 1 + days, tzinfo=UTC))
        ledger.charge(f"charge-{days}", LABELS | {"session": f"s{days}"}, Amount(9, None))
        ledger.reserve(ReserveRequest(key=f"late-{days}", labels=LABELS, amount=Amount(1, None)))
    ledger.balance("session", labels={"session": "s1"})
    ledger.forfeit_open(LABELS)
    ledger.balance("run")
    ledger.balances(LABELS)
    ledger.alerts(LABELS)
    ledger.usage(LABELS)
    ledger.reservation("a")
    ledger.reservations({"run": "r"})
    ledger.reservations(LABELS, state=State.SETTLED)
    ledger.reservations({}, state=State.HELD)
    ledger.reservations({"run": "r"}, state=State.HELD)
    ledger.phases("s1")
    ledger.history(labels={"project": "p"})
    list(ledger.entries(after=2))
    connection.exec_trace = None

    reading = sorted(sql for sql in seen if sql.startswith(("SELECT", "UPDATE", "INSERT")) and sql != LAST_ENTRY)
    assert len(reading) > 18
    scans = {
        sql: row[3]
        for sql in reading
        for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))
        if row[3].startswith("SCAN") and "CONSTANT" not in row[3]
    }
    held = "WHERE 1 AND state = 'held' ORDER BY id"
    assert {sql: plan for sql, plan in scans.items() if not sql.endswith(held)} == {}
    assert [plan for sql, plan in scans.items() if sql.endswith(held)] == [
        "SCAN reservations USING INDEX reservations_held"
    ]
    ledger.close()
