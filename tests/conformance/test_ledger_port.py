"""What every store shows: reservations, usage, alerts, the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bursar.budget import RUN_THRESHOLDS, Amount, Budget, Limit, Unit
from bursar.errors import StoreError, UserError
from bursar.ledger import CallRecord, Denial, Ledger, Reservation, ReserveRequest, State
from bursar.usage import Usage
from tests.conformance.ledgers import STORES, make_ledger

USAGE = Usage(input_tokens=1, cache_read_tokens=2, cache_write_5m_tokens=3, cache_write_1h_tokens=4, output_tokens=5)


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made = make_ledger(request.param, tmp_path)
    yield made
    made.close()


def hold(ledger: Ledger, key: str, tokens: int = 10, **labels: str) -> Reservation:
    answer = ledger.reserve(ReserveRequest(key=key, labels=labels or {"run": "r"}, amount=Amount(tokens, None)))
    assert isinstance(answer, Reservation)
    return answer


def call(call_id: str = "c", sequence: int = 1, model: str = "m", usage: Usage = USAGE) -> CallRecord:
    return CallRecord(call_id=call_id, sequence=sequence, model=model, usage=usage, nano_usd=7)


def test_a_reservation_says_what_it_is(ledger: Ledger) -> None:
    ledger.define(Budget(name="run", limit=Limit(100, Unit.TOKENS), selector={"run": "r"}))
    request = ReserveRequest(key="a", labels={"run": "r", "model": "m"}, amount=Amount(60, 9), attempt=3)
    answer = ledger.reserve(request)
    assert answer == Reservation(
        key="a",
        state=State.HELD,
        labels={"run": "r", "model": "m"},
        held=Amount(60, 9),
        metered=Amount(0, 0),
        charged=None,
        unknown=Amount(0, 0),
        attempt=3,
        budgets=("run",),
    )
    assert ledger.reservation("a") == answer
    assert ledger.reservation("b") is None


def test_a_denial_names_every_budget_that_stood_in_the_way_in_order_of_name(ledger: Ledger) -> None:
    for name, quantity, unit in (("z", 5, Unit.TOKENS), ("a", 3, Unit.USD), ("m", 100, Unit.TOKENS)):
        ledger.define(Budget(name=name, limit=Limit(quantity, unit)))
    answer = ledger.reserve(ReserveRequest(key="k", labels={}, amount=Amount(6, 4)))
    assert isinstance(answer, Denial)
    assert [(each.balance.budget.name, each.wanted) for each in answer.shortfalls] == [("a", 4), ("z", 6)]
    assert ledger.reservation("k") is None
    assert [entry.kind for entry in ledger.entries()] == ["defined"] * 3 + ["denied"]


def test_reservations_are_found_by_labels_and_state_oldest_first(ledger: Ledger) -> None:
    hold(ledger, "z", run="r", task="t", model="x")
    hold(ledger, "b", run="r", task="u")
    hold(ledger, "a", run="q", task="t")
    ledger.release("b")
    found = {
        "all": ledger.reservations({}),
        "run": ledger.reservations({"run": "r"}),
        "task": ledger.reservations({"task": "t"}),
        "both": ledger.reservations({"run": "r", "task": "t"}),
        "model": ledger.reservations({"model": "x"}),
        "held": ledger.reservations({}, state=State.HELD),
        "held run": ledger.reservations({"run": "r"}, state=State.HELD),
        "released": ledger.reservations({}, state=State.RELEASED),
        "none": ledger.reservations({"run": "r", "model": "y"}),
    }
    assert {name: [each.key for each in each_found] for name, each_found in found.items()} == {
        "all": ["z", "b", "a"],
        "run": ["z", "b"],
        "task": ["z", "a"],
        "both": ["z"],
        "model": ["z"],
        "held": ["z", "a"],
        "held run": ["z"],
        "released": ["b"],
        "none": [],
    }


def test_usage_is_summed_per_model_in_five_counters(ledger: Ledger) -> None:
    hold(ledger, "a", run="r", task="t")
    hold(ledger, "b", run="r", task="u")
    hold(ledger, "c", run="q", task="t")
    ledger.record("a", call())
    ledger.record("a", call())
    ledger.record("a", call(sequence=2))
    ledger.record("a", call("d", model="n"))
    ledger.record("b", call())
    ledger.record("c", call())
    assert ledger.usage({"run": "r"}) == {"m": USAGE + USAGE + USAGE, "n": USAGE}
    assert ledger.usage({"run": "r", "task": "t"}) == {"m": USAGE + USAGE, "n": USAGE}
    assert ledger.usage({"task": "t"})["m"] == USAGE + USAGE + USAGE
    assert ledger.usage({"run": "nowhere"}) == {}


def test_metered_cost_is_unknown_once_a_call_has_no_price(ledger: Ledger) -> None:
    hold(ledger, "a", 100)
    assert ledger.record("a", call()).metered == Amount(15, 7, fresh_tokens=13, output_tokens=5)
    unpriced = ledger.record("a", replace(call("d"), nano_usd=None))
    assert unpriced.metered == Amount(30, None, fresh_tokens=26, output_tokens=10)


def test_alerts_are_kept_and_come_only_once(ledger: Ledger) -> None:
    for name, run in (("one", "r"), ("two", "q")):
        budget = Budget(name=name, limit=Limit(100, Unit.TOKENS), selector={"run": run}, thresholds=RUN_THRESHOLDS)
        ledger.define(budget)
    hold(ledger, "a", 79)
    hold(ledger, "b", 21)
    hold(ledger, "c", 99, run="q")
    fired = [
        ledger.settle("a", Amount(79, None)).alerts,
        ledger.settle("b", Amount(1, None)).alerts,
        ledger.settle("b", Amount(1, None)).alerts,
        ledger.settle("c", Amount(99, None)).alerts,
    ]
    assert [[(alert.budget, alert.percent) for alert in alerts] for alerts in fired] == [
        [],
        [("one", 80)],
        [],
        [("two", 95)],
    ]
    assert tuple(ledger.alerts({"run": "r"})) == fired[1]
    assert tuple(ledger.alerts({"run": "q"})) == fired[3]
    assert list(ledger.alerts({})) == []
    assert fired[1][0].message == "budget `one` has reached 80 % of 100 tokens: 80 tokens"


def test_the_journal_is_a_chain_that_anybody_can_check(ledger: Ledger) -> None:
    ledger.define(Budget(name="grün", limit=Limit(100, Unit.TOKENS)))
    hold(ledger, "a")
    ledger.record("a", call(call_id='"\n\x00'))
    ledger.settle("a", Amount(15, None))
    previous = "0" * 64
    for number, entry in enumerate(ledger.entries(), start=1):
        fields = {
            "number": number,
            "at": entry.at.isoformat(timespec="microseconds"),
            "kind": entry.kind,
            "key": entry.key,
            "body": entry.body,
            "previous_hash": previous,
        }
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert (entry.number, entry.previous_hash) == (number, previous)
        assert entry.hash == hashlib.sha256(text.encode()).hexdigest()
        previous = entry.hash
    assert [entry.kind for entry in ledger.entries()] == ["defined", "reserved", "recorded", "settled"]
    assert [entry.number for entry in ledger.entries(after=2)] == [3, 4]
    assert list(ledger.entries(after=4)) == []


def test_a_repeat_writes_nothing_into_the_journal(ledger: Ledger) -> None:
    budget = Budget(name="run", limit=Limit(100, Unit.TOKENS))
    for _ in range(3):
        ledger.define(budget)
        hold(ledger, "a")
        ledger.extend("a", Amount(20, None))
        ledger.record("a", call())
    for _ in range(3):
        ledger.settle("a", Amount(15, None))
        hold(ledger, "a")
        ledger.record("a", call())
    assert [entry.kind for entry in ledger.entries()] == ["defined", "reserved", "extended", "recorded", "settled"]


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "a\x7f", "\x9b", "\ud800", "x" * 4097])
def test_names_that_cannot_be_read_are_refused(ledger: Ledger, name: str) -> None:
    limit, amount = Limit(100, Unit.TOKENS), Amount(1, None)
    with pytest.raises(UserError):
        ledger.define(Budget(name=name, limit=limit))
    with pytest.raises(UserError):
        ledger.define(Budget(name="run", limit=limit, selector={"run": name}))
    with pytest.raises(UserError):
        ledger.reserve(ReserveRequest(key=name, labels={}, amount=amount))
    with pytest.raises(UserError):
        ledger.reserve(ReserveRequest(key="k", labels={name: "x"}, amount=amount))
    with pytest.raises(UserError):
        ledger.reserve(ReserveRequest(key="k", labels={"run": name}, amount=amount))
    assert list(ledger.entries()) == []


@pytest.mark.parametrize("text", ["", "\ud800"])
def test_a_call_is_refused_only_where_its_texts_cannot_be_stored(ledger: Ledger, text: str) -> None:
    hold(ledger, "a")
    for broken in (replace(call(), call_id=text), replace(call(), model=text), replace(call(), provenance=text)):
        with pytest.raises(UserError):
            ledger.record("a", broken)
    with pytest.raises(UserError):
        ledger.record("a", call(usage=Usage(input_tokens=-1, output_tokens=2)))
    assert ledger.record("a", call(call_id="\x00\x1b[31m", model="ü" * 9000)).metered.tokens == 15


def test_a_frozen_budget_says_so(ledger: Ledger) -> None:
    budget = Budget(name="run", limit=Limit(100, Unit.TOKENS))
    ledger.define(budget)
    hold(ledger, "a", 90)
    ledger.settle("a", Amount(90, None))
    balance = ledger.define(replace(budget, limit=Limit(50, Unit.TOKENS)))
    assert (balance.is_frozen, balance.available, balance.overrun) == (True, 0, 40)
    assert ledger.balance("run") == balance
    assert ledger.balances({}) == [balance]


def test_an_unknown_reservation_is_no_reservation(ledger: Ledger) -> None:
    writes: tuple[Callable[[], object], ...] = (
        lambda: ledger.extend("x", Amount(1, None)),
        lambda: ledger.record("x", call()),
        lambda: ledger.settle("x", Amount(1, None)),
        lambda: ledger.release("x"),
        lambda: ledger.forfeit("x"),
        lambda: ledger.credit("x", Amount(1, None), evidence="e"),
    )
    for write in writes:
        with pytest.raises(StoreError, match="no reservation `x`"):
            write()
    assert list(ledger.entries()) == []
