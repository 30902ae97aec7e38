"""Authors that write into a ledger, and the stories of what they have done: for tests that stop them at any moment.

An author says what it is about to do, does it, and says that it was done. What it said was done must be in the books,
what it never began must not be, and what it was doing when it was stopped may be there wholly or not at all.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bursar.budget import Amount, Budget, Limit, Unit, parse_period
from bursar.ledger import CallRecord, Denial, ReserveRequest, SqliteLedger, State
from bursar.usage import Usage

LARGE = 10**12
BUDGETS = (
    Budget(name="run", limit=Limit(LARGE, Unit.TOKENS), selector={"run": "r"}),
    Budget(name="usd", limit=Limit(LARGE, Unit.USD), selector={"run": "r"}),
    Budget(name="day", limit=Limit(LARGE, Unit.TOKENS), period=parse_period("daily", "Europe/Zurich")),
    Budget(name="window", limit=Limit(LARGE, Unit.USD), period=parse_period("5h")),
    Budget(name="session", limit=Limit(LARGE, Unit.TOKENS), period=parse_period("session")),
)

Say = Callable[[str, str, str], None]
"""Told `begin` or `done`, a key, and the state that the key is in then."""


class JumpingClock:
    """Each look is up to three hours later than the last, and at times up to two days earlier."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._now = datetime(2026, 3, 27, tzinfo=UTC)

    def now(self) -> datetime:
        hours = -self._dice.random() * 48 if self._dice.random() < 0.05 else self._dice.random() * 3
        self._now += timedelta(hours=hours)
        return self._now

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Story:
    """What one author said: for each key the last thing done, and the thing begun after it, if any."""

    done: dict[str, str] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)

    def hear(self, word: str, key: str, state: str) -> None:
        if word == "begin":
            self.begun[key] = state
        else:
            self.done[key] = state
            self.begun.pop(key, None)

    def check(self, ledger: SqliteLedger) -> int:
        """The books tell the same; the answer is how much of what was begun is in them: all of it, or nothing.

        Raises:
            AssertionError: something that was done is lost, or something half done is there.
        """
        for key, state in self.done.items():
            if key not in self.begun:
                assert state_of(ledger, key) == state, f"{key} is {state_of(ledger, key)}, but {state} was acknowledged"
        now = {key: state_of(ledger, key) for key in self.begun}
        before = {key: self.done.get(key, "none") for key in self.begun}
        assert now in (self.begun, before), f"{now}, but {before} was acknowledged, and {self.begun} begun"
        return len(now) if now == self.begun else 0

    def settle_down(self, ledger: SqliteLedger) -> None:
        """What was begun counts as done now, if it is in the books."""
        for key in self.begun:
            state = state_of(ledger, key)
            if state != "none":
                self.done[key] = state
        self.begun.clear()


def state_of(ledger: SqliteLedger, key: str) -> str:
    """`none`, `held:HELD:METERED`, or how it ended and what was charged."""
    found = ledger.reservation(key)
    if found is None:
        return "none"
    if found.charged is None:
        return f"{found.state}:{found.held.tokens}:{found.metered.tokens}"
    return f"{found.state}:{found.charged.tokens}"


def define_all(ledger: SqliteLedger) -> None:
    for budget in BUDGETS:
        ledger.define(budget)


@dataclass
class Author:
    """Writes one operation after the other: holds of every fate, charges, and at times the end of its session."""

    ledger: SqliteLedger
    name: str
    dice: random.Random
    say: Say
    session: int = 1
    count: int = 0
    open: dict[str, int] = field(default_factory=dict)

    def write_one(self) -> None:
        """One hold from its beginning to its end (or left open), one charge, or one reset."""
        self.count += 1
        kind = self.dice.choices(["hold", "charge", "reset"], [6, 2, 1])[0]
        if kind == "hold":
            self._hold(f"{self.name}-{self.count}")
        elif kind == "charge":
            self._charge(f"{self.name}-{self.count}")
        else:
            self._reset()

    def _labels(self, key: str) -> dict[str, str]:
        return {"run": "r", "task": key, "session": f"{self.name}/{self.session}"}

    def _charge(self, key: str) -> None:
        tokens = self.dice.randint(1, 1000)
        used: Amount | CallRecord = Amount(tokens, tokens * 3)
        if self.dice.randrange(2):
            used = _call("c", tokens)
        self.say("begin", key, f"settled:{tokens}")
        self.ledger.charge(key, self._labels(key), used)
        self.say("done", key, f"settled:{tokens}")

    def _reset(self) -> None:
        """Every hold that is open in the session is forfeited, all at once; a new session begins."""
        ended = {key: f"forfeited:{held}" for key, held in self.open.items()}
        for key, state in ended.items():
            self.say("begin", key, state)
        self.ledger.forfeit_open({"session": f"{self.name}/{self.session}"})
        for key, state in ended.items():
            self.say("done", key, state)
        self.open.clear()
        self.session += 1

    def _hold(self, key: str) -> None:
        tokens = self.dice.randint(1, 1000)
        request = ReserveRequest(key=key, labels=self._labels(key), amount=Amount(tokens, tokens * 3))
        self.say("begin", key, f"held:{tokens}:0")
        answer = self.ledger.reserve(request)
        assert not isinstance(answer, Denial)
        self.say("done", key, f"held:{tokens}:0")
        held, metered = tokens, 0
        for number in range(self.dice.randint(0, 2)):
            metered += tokens
            held = max(held, metered)
            self.say("begin", key, f"held:{held}:{metered}")
            self.ledger.record(key, _call(f"c{number}", tokens))
            self.say("done", key, f"held:{held}:{metered}")
        if self.dice.randrange(4) == 0:
            held += tokens
            self.say("begin", key, f"held:{held}:{metered}")
            self.ledger.extend(key, Amount(held, held * 3))
            self.say("done", key, f"held:{held}:{metered}")
            tokens = held
        self._end(key, tokens, held, metered)

    def _end(self, key: str, granted: int, held: int, metered: int) -> None:
        end = self.dice.choice(["settled", "forfeited", "held", "released"])
        if end == "held" or (end == "released" and metered):
            self.open[key] = held
            return
        if end == "forfeited":
            state = f"forfeited:{held}"
        elif end == "released":
            state = "released:0"
        else:
            state = f"{'overrun' if metered > granted else 'settled'}:{metered}"
        self.say("begin", key, state)
        if end == "forfeited":
            self.ledger.forfeit(key)
        elif end == "released":
            self.ledger.release(key)
        else:
            self.ledger.settle(key, Amount(metered, metered))
        self.say("done", key, state)


def _call(call_id: str, tokens: int) -> CallRecord:
    return CallRecord(call_id=call_id, sequence=1, model="m", usage=Usage(input_tokens=tokens), nano_usd=tokens)


def check_books(ledger: SqliteLedger) -> None:
    """Everything that `verify` looks at; each budget, over all its periods, is the plain sum of the reservations."""
    assert list(ledger.verify()) == []
    found = ledger.reservations({})
    sums: Counter[str] = Counter()
    for name, spent, reserved in ledger._database.query(
        "SELECT name, spent, reserved FROM balances JOIN budgets ON budgets.id = balances.budget"
    ):
        sums[f"{name} spent"] += spent
        sums[f"{name} reserved"] += reserved
    for budget in BUDGETS:
        unit = budget.limit.unit
        spent = sum(each.charged.of(unit) or 0 for each in found if each.charged is not None)
        held = sum(each.held.of(unit) or 0 for each in found if each.state is State.HELD)
        assert (sums[f"{budget.name} spent"], sums[f"{budget.name} reserved"]) == (spent, held)
