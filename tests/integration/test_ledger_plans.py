"""What an operation costs does not grow with the books: every statement finds its rows by an index."""

from __future__ import annotations

from pathlib import Path

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit
from bursar.ledger import CallRecord, ReserveRequest, State, open_ledger
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock

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
    ledger.balance("run")
    ledger.balances(LABELS)
    ledger.alerts(LABELS)
    ledger.usage(LABELS)
    ledger.reservation("a")
    ledger.reservations({"run": "r"})
    ledger.reservations(LABELS, state=State.SETTLED)
    ledger.reservations({}, state=State.HELD)
    list(ledger.entries(after=2))
    connection.exec_trace = None

    reading = sorted(sql for sql in seen if sql.startswith(("SELECT", "UPDATE", "INSERT")) and sql != LAST_ENTRY)
    assert len(reading) > 15
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
