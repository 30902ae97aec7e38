"""What was charged to the phases of a session, on every store."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.errors import StoreError
from bursar.ledger import Ledger, ReserveRequest
from tests.conformance.ledgers import STORES, make_ledger

SEED = 20260301


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made = make_ledger(request.param, tmp_path)
    yield made
    made.close()


def hold(ledger: Ledger, key: str, tokens: int, **labels: str) -> None:
    ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(tokens, None)))


def end(ledger: Ledger, key: str, how: int) -> None:
    if how == 0:
        ledger.release(key)
    elif how == 1:
        ledger.forfeit(key)
    else:
        ledger.settle(key, Amount(60, None))


def test_a_phase_has_what_was_charged_to_it(ledger: Ledger) -> None:
    hold(ledger, "a", 10, session="s", phase="two")
    hold(ledger, "b", 10, session="s", phase="one")
    assert dict(ledger.phases("s")) == {"two": 0, "one": 0}
    ledger.settle("b", Amount(25, None), unknown=Amount(5, None))
    ledger.settle("a", Amount(7, None))
    ledger.charge("c", {"session": "s", "phase": "one"}, Amount(100, None))
    ledger.charge("d", {"session": "s", "phase": "ü" * 4000}, Amount(1, None))
    assert list(ledger.phases("s").items()) == [("two", 7), ("one", 130), ("ü" * 4000, 1)]
    assert ledger.verify() == []


def test_what_is_given_back_or_credited_counts_no_more(ledger: Ledger) -> None:
    for key in "abc":
        hold(ledger, key, 10, session="s", phase="p")
    ledger.release("a")
    ledger.forfeit("b")
    assert dict(ledger.phases("s")) == {"p": 10}
    ledger.credit("b", Amount(4, None), evidence="log")
    ledger.credit("b", Amount(4, None), evidence="log")
    ledger.forfeit_open({"session": "s"})
    assert dict(ledger.phases("s")) == {"p": 14}
    assert ledger.verify() == []


def test_only_operations_with_both_labels_count(ledger: Ledger) -> None:
    ledger.charge("a", {"session": "s"}, Amount(1, None))
    ledger.charge("b", {"phase": "p"}, Amount(1, None))
    ledger.charge("c", {"session": "t", "phase": "p"}, Amount(1, None))
    assert dict(ledger.phases("s")) == {}
    assert dict(ledger.phases("t")) == {"p": 1}
    assert dict(ledger.phases("")) == {}


def test_a_sum_that_no_store_can_count_is_refused(ledger: Ledger) -> None:
    labels = {"session": "s", "phase": "p"}
    ledger.charge("a", labels, Amount(2**63 - 2, None))
    entries = len(list(ledger.entries()))
    with pytest.raises(StoreError, match="nothing was written"):
        ledger.charge("b", labels, Amount(2, None))
    assert len(list(ledger.entries())) == entries
    ledger.charge("b", labels, Amount(1, None))
    assert dict(ledger.phases("s")) == {"p": 2**63 - 1}
    assert ledger.verify() == []


def test_they_are_the_sums_over_all_reservations(ledger: Ledger) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for number in range(120):
        key = f"k{chance.randrange(number + 1)}"
        known = ledger.reservation(key)
        if known is None:
            hold(ledger, key, chance.randint(1, 50), session=f"s{number % 2}", phase=chance.choice("abc"))
        elif known.charged is None:
            end(ledger, key, chance.randrange(3))
    for session in ("s0", "s1"):
        sums: dict[str, int] = {}
        for each in ledger.reservations({"session": session}):
            charged = 0 if each.charged is None else each.charged.tokens
            sums[each.labels["phase"]] = sums.get(each.labels["phase"], 0) + charged
        assert list(ledger.phases(session).items()) == list(sums.items())
    assert ledger.verify() == []


def test_balances_of_each_phase_are_those_of_all_of_them_once(ledger: Ledger) -> None:
    labels = {"run": "r", "session": "s"}
    for name, match in (("all", {}), ("p1", {"phase": "1"}), ("p2", {"phase": "2"}), ("other", {"run": "q"})):
        ledger.define(Budget(name=name, limit=Limit(100, Unit.TOKENS), selector=match))
    ledger.charge("a", labels | {"phase": "2"}, Amount(7, None))
    found = ledger.balances_of_each(labels, "phase", iter(("2", "1", "3", "2")))
    assert [(each.budget.name, each.spent) for each in found] == [("all", 7), ("p1", 0), ("p2", 7)]
    assert ledger.balances_of_each(labels, "phase", ()) == ledger.balances(labels)
