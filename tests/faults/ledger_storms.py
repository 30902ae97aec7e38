"""Storms: many processes on small budgets, and the whole truth about it from the journal alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bursar.budget import Amount, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import Entry, Reservation, ReserveRequest, SqliteLedger, open_ledger
from tests.faults.ledger_crews import Crew


def open_at(path: Path) -> SqliteLedger:
    return open_ledger(path, SystemClock(), busy_seconds=120)


@dataclass
class Truth:
    """What the journal says, entry by entry; an account of its own that shares no code with the ledger.

    Attributes:
        overshoots: entries after which a budget was past its limit.
        false_refusals: denials of what would have fitted at that moment.
    """

    limits: dict[str, int]
    taken: Counter[str]
    granted: dict[str, int]
    grants: int = 0
    denials: int = 0
    overshoots: int = 0
    false_refusals: int = 0

    def read(self, entry: Entry) -> None:
        body = cast("dict[str, Any]", entry.body)
        if entry.kind == "defined":
            self.limits[entry.key] = body["quantity"]
            return
        budget = entry.key.partition("/")[0]
        if entry.kind == "denied":
            self.denials += 1
            self.false_refusals += self.taken[budget] + body["shortfalls"][0]["wanted"] <= self.limits[budget]
        elif entry.kind == "reserved":
            self.grants += 1
            self.granted[entry.key] = body["granted"][0]
            self.taken[budget] += self.granted[entry.key]
        else:
            assert entry.kind == "settled"
            self.taken[budget] += body["charged"][0] - self.granted[entry.key]
        self.overshoots += self.taken[budget] > self.limits[budget]


def read_truth(entries: Iterable[Entry]) -> Truth:
    truth = Truth({}, Counter(), {})
    for entry in entries:
        truth.read(entry)
    return truth


def storm(path: Path, seed: int, *, processes: int, calls: Iterable[int]) -> Truth:
    """Every process takes from every budget, in an order of its own, until one has nothing left.

    Each wish is first a whole one, of a size of its own; when that is denied, whatever there is. Of what was granted,
    a process at times uses less; so what it gives back must find somebody who takes it.
    """
    dice = random.Random(seed)
    sizes = {f"calls-{number}": dice.randint(2, 5000) for number in calls}
    limits = {name: int(name.partition("-")[2]) * size for name, size in sizes.items()}
    ledger = open_at(path)
    for name, limit in limits.items():
        ledger.define(Budget(name=name, limit=Limit(limit, Unit.TOKENS), selector={"run": name}))
    ledger.close()
    crew = Crew(processes, lambda number: _begin(path, seed * 1000 + number, str(number), sizes))
    crew.do(1)
    crew.end()
    ledger = open_at(path)
    truth = read_truth(ledger.entries())
    assert list(ledger.verify()) == []
    ledger.close()
    return truth


def _begin(path: Path, seed: int, name: str, sizes: dict[str, int]) -> Callable[[int], None]:
    ledger, dice = open_at(path), random.Random(seed)

    def work(_: int) -> None:
        for budget in dice.sample(sorted(sizes), len(sizes)):
            _take_all(ledger, dice, f"{budget}/{name}", budget, sizes[budget])

    return work


def _take_all(ledger: SqliteLedger, dice: random.Random, name: str, budget: str, size: int) -> None:
    count, minimum = 0, None
    while True:
        count += 1
        wish = Amount(dice.randint(size // 2, size), None)
        request = ReserveRequest(key=f"{name}/{count}", labels={"run": budget}, amount=wish, minimum=minimum)
        answer = ledger.reserve(request)
        if isinstance(answer, Reservation):
            held = answer.held.tokens
            ledger.settle(request.key, Amount(held if dice.randrange(3) else dice.randint(1, held), None))
        elif minimum is not None:
            return  # there is not one token left
        else:
            minimum = Amount(1, None)
