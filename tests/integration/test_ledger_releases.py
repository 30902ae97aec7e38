"""A ledger that an earlier release wrote: it opens, says the same as before, and goes on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import apsw
import pytest

from bursar.budget import ALWAYS, RUN_THRESHOLDS, Amount, Budget, Counting, Limit, Unit
from bursar.errors import KeyReused, StoreError
from bursar.ledger import CallRecord, Denial, ReserveRequest, SqliteLedger, State, open_ledger
from bursar.usage import Usage
from tests.conformance.ledgers import SteppingClock

FIXTURES = Path(__file__).parent.parent / "fixtures"
FIXTURE = FIXTURES / "ledger_of_release_1.sql"
EVERYTHING = "alles für «q»"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make(tmp_path, FIXTURE)


def make(folder: Path, fixture: Path) -> Path:
    made = folder / "state" / "ledger.db"
    made.parent.mkdir(mode=0o700)
    connection = apsw.Connection(str(made))
    connection.execute(fixture.read_text(encoding="utf-8"))
    connection.close()
    made.chmod(0o600)
    return made


def open_at(path: Path) -> SqliteLedger:
    return open_ledger(path, SteppingClock())


def figures(ledger: SqliteLedger, name: str) -> tuple[int, ...]:
    balance = ledger.balance(name)
    assert balance is not None
    assert balance.period_id == "always"
    return balance.spent, balance.reserved, balance.metered, balance.unpriced, balance.exempt


def test_it_says_what_it_said_and_verifies(path: Path) -> None:
    ledger = open_at(path)
    assert list(ledger.verify()) == []
    assert figures(ledger, "run-r") == (606, 300, 196, 0, 0)
    assert figures(ledger, "task-1") == (576, 0, 0, 0, 0)
    assert figures(ledger, "usd") == (2029, 120, 5, 1, 0)
    assert figures(ledger, EVERYTHING) == (606, 300, 196, 0, 0)
    fired = [(alert.budget, alert.percent, alert.period_id) for alert in ledger.alerts({"run": "r", "task": "1"})]
    assert fired == [("task-1", 90, "always"), ("task-1", 95, "always"), ("run-r", 80, "always")]
    states = {each.key: each.state for each in ledger.reservations({})}
    assert states == {
        "a": State.OVERRUN,
        "b": State.HELD,
        "c": State.CREDITED,
        "d": State.RELEASED,
        "e": State.HELD,
        "f": State.FORFEITED,
    }
    assert [entry.kind for entry in ledger.history(3)] == ["credited", "recorded", "forfeited"]
    ledger.close()


def test_what_its_calls_metered_is_known_in_every_counting(path: Path) -> None:
    ledger = open_at(path)
    metered = {each.key: each.metered for each in ledger.reservations({})}
    assert metered["a"] == Amount(556, 1700, fresh_tokens=156, output_tokens=130)
    assert metered["e"] == Amount(158, 5, fresh_tokens=8, output_tokens=4)
    assert metered["d"] == Amount(0, 0)
    ledger.close()


def test_its_open_holds_go_on(path: Path) -> None:
    ledger = open_at(path)
    usage = Usage(cache_read_tokens=50, output_tokens=2)
    ledger.record("e", CallRecord(call_id="z", sequence=2, model="claude-x", usage=usage, nano_usd=9))
    assert ledger.settle("e", Amount(210, 14)).state is State.OVERRUN
    assert ledger.forfeit("b").charged == Amount(100, None)
    assert figures(ledger, "run-r") == (916, 0, 0, 0, 0)
    answer = ledger.reserve(ReserveRequest(key="g", labels={"run": "r"}, amount=Amount(1, 1)))
    assert isinstance(answer, Denial)
    assert ledger.credit("f", Amount(0, 0), evidence="log").charged == Amount(0, 0)
    assert list(ledger.verify()) == []
    ledger.close()


def test_its_budgets_are_still_the_same_budgets(path: Path) -> None:
    ledger = open_at(path)
    known = Budget(name="run-r", limit=Limit(900, Unit.TOKENS), selector={"run": "r"}, thresholds=RUN_THRESHOLDS)
    before = len(list(ledger.entries()))
    assert ledger.define(known).spent == 606
    assert len(list(ledger.entries())) == before
    assert known.period == ALWAYS
    with pytest.raises(KeyReused):
        ledger.define(Budget(name="run-r", limit=known.limit, selector={"run": "r"}, counts=Counting.FRESH))
    ledger.close()


def test_its_keys_are_still_taken(path: Path) -> None:
    ledger = open_at(path)
    labels = {"run": "r", "task": "2", "project": "/p ü"}
    again = ledger.reserve(ReserveRequest(key="b", labels=labels, amount=Amount(100, None), minimum=Amount(1, None)))
    assert not isinstance(again, Denial)
    assert again.metered.tokens == 38
    with pytest.raises(KeyReused):
        ledger.reserve(ReserveRequest(key="b", labels=labels, amount=Amount(100, None)))
    with pytest.raises(KeyReused):
        ledger.charge("b", labels, Amount(100, None))
    ledger.close()


def test_its_entries_are_left_as_they_were(path: Path) -> None:
    before = _entries(path)
    open_at(path).close()
    assert _entries(path) == before
    previous = "0" * 64
    for number, at, kind, key, body, previous_hash, digest in before:
        fields = {"at": at, "body": json.loads(str(body)), "key": key, "kind": kind, "number": number}
        fields["previous_hash"] = previous_hash
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert (previous_hash, digest) == (previous, hashlib.sha256(text.encode()).hexdigest())
        previous = str(digest)


def test_only_a_writer_brings_it_up_to_date(path: Path) -> None:
    with pytest.raises(StoreError, match="earlier release"):
        open_ledger(path, SteppingClock(), read_only=True)
    open_at(path).close()
    reader = open_ledger(path, SteppingClock(), read_only=True)
    assert list(reader.verify()) == []
    reader.close()


@pytest.mark.parametrize("change", ["spent = spent + 1", "period_id = 'run'", "exempt = 1"])
def test_a_balance_that_was_changed_afterwards_is_found(path: Path, change: str) -> None:
    open_at(path).close()
    connection = apsw.Connection(str(path))
    connection.execute(f"UPDATE balances SET {change} WHERE budget = 1")
    connection.close()
    ledger = open_at(path)
    assert list(ledger.verify()) != []
    ledger.close()


# The release after it.


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return make(tmp_path, FIXTURES / "ledger_of_release_2.sql")


def test_sessions_of_the_second_release_have_their_phases(second: Path) -> None:
    before = _entries(second)
    ledger = open_at(second)
    assert list(ledger.verify()) == []
    assert list(ledger.phases("session-21ba90ae50cb-1").items()) == [
        ("b", 150),
        ("a", 100),
        ("c", 0),
        ("é ü", 700),
        ("d", 33),
    ]
    assert dict(ledger.phases("session-21ba90ae50cb-2")) == {"a": 0}
    assert _entries(second) == before
    ledger.settle("token/session-21ba90ae50cb-2/hold/z", Amount(25, None))
    assert dict(ledger.phases("session-21ba90ae50cb-2")) == {"a": 25}
    assert list(ledger.verify()) == []
    ledger.close()


def test_the_fence_of_the_second_release_still_stands(second: Path) -> None:
    ledger = open_at(second)
    labels = {"run": "r", "task": "2", "phase": "04", "project": "/home/ü/p", "plan": "04-02"}
    old = ReserveRequest(key="r/2/again", labels=labels, amount=Amount(1, 1), attempt=1)
    with pytest.raises(StoreError, match="attempt 1 is over"):
        ledger.reserve(old)
    other_phase = ReserveRequest(key="r/2/other", labels=labels | {"phase": "05"}, amount=Amount(1, 1), attempt=1)
    assert not isinstance(ledger.reserve(other_phase), Denial)
    assert [each.key for each in ledger.reservations({"run": "r"}, state=State.HELD)] == ["r/2/2", "r/2/other"]
    ledger.close()


def _entries(path: Path) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path))
    try:
        return list(connection.execute("SELECT * FROM entries ORDER BY number"))
    finally:
        connection.close()
