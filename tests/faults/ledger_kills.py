"""Writers that are killed at any moment, and what must be true of the ledger afterwards.

A writer says on a pipe what it is about to do, does it, and says that it was done. What it said was done must be in the
books, what it never began must not be, and what it was doing when it died may be there wholly or not at all.
"""

from __future__ import annotations

import os
import random
import select
import signal
from dataclasses import dataclass, field
from pathlib import Path

from bursar.budget import Amount, Balance, Budget, Limit, Unit
from bursar.clock import SystemClock
from bursar.ledger import CallRecord, Denial, ReserveRequest, SqliteLedger, State, open_ledger
from bursar.usage import Usage

BUDGET = 10**12


@dataclass
class Story:
    """What one writer said: for each key the last thing done, and the thing begun after it, if any."""

    done: dict[str, str] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        word, key, state = line.split()
        if word == "begin":
            self.begun[key] = state
        else:
            self.done[key] = state
            self.begun.pop(key, None)

    def may_be(self, key: str) -> set[str]:
        """The states that the key may be in: `none`, `held:N` (N metered), or how it ended."""
        return {self.done.get(key, "none"), self.begun.get(key, self.done.get(key, "none"))}


@dataclass
class Writer:
    """A forked child that writes until it is killed."""

    pid: int
    pipe: int
    heard: str = ""

    def listen(self, seconds: float | None) -> bool:
        """Something more was heard within that time."""
        if not select.select([self.pipe], [], [], seconds)[0]:
            return False
        said = os.read(self.pipe, 65536).decode()
        self.heard += said
        return bool(said)

    def kill(self) -> Story:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        while self.listen(None):
            pass
        os.close(self.pipe)
        story = Story()
        for line in self.heard.splitlines():
            story.hear(line)
        return story


def open_at(path: Path) -> SqliteLedger:
    return open_ledger(path, SystemClock(), busy_seconds=60)


def make(path: Path) -> None:
    ledger = open_at(path)
    for name, unit in (("run", Unit.TOKENS), ("usd", Unit.USD)):
        ledger.define(Budget(name=name, limit=Limit(BUDGET, unit), selector={"run": "r"}))
    ledger.close()


def start_writer(path: Path, name: str, seed: int) -> Writer:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            write_for_ever(path, name, seed, writing)
        finally:
            os._exit(1)
    os.close(writing)
    return Writer(pid, reading)


def write_for_ever(path: Path, name: str, seed: int, pipe: int) -> None:
    ledger, dice, count = open_at(path), random.Random(seed), 0
    while True:
        count += 1
        write_one(ledger, dice, f"{name}-{count}", pipe)


def write_one(ledger: SqliteLedger, dice: random.Random, key: str, pipe: int) -> None:
    """One reservation from its beginning to one of its ends, or left open."""
    tokens = dice.randint(1, 1000)
    amount, labels = Amount(tokens, tokens * 3), {"run": "r", "task": key}
    _say(pipe, "begin", key, "held:0")
    answer = ledger.reserve(ReserveRequest(key=key, labels=labels, amount=amount))
    assert not isinstance(answer, Denial)
    _say(pipe, "done", key, "held:0")
    metered = 0
    for number in range(dice.randint(0, 2)):
        _say(pipe, "begin", key, f"held:{metered + tokens}")
        usage = Usage(input_tokens=tokens)
        ledger.record(key, CallRecord(call_id=f"c{number}", sequence=1, model="m", usage=usage, nano_usd=tokens))
        metered += tokens
        _say(pipe, "done", key, f"held:{metered}")
    end = dice.choice(["settled", "forfeited", "held", "released"])
    if end == "held" or (end == "released" and metered):
        return
    if end == "settled" and metered > tokens:
        end = "overrun"
    _say(pipe, "begin", key, end)
    if end == "forfeited":
        ledger.forfeit(key)
    elif end == "released":
        ledger.release(key)
    else:
        ledger.settle(key, Amount(metered, metered))
    _say(pipe, "done", key, end)


def _say(pipe: int, word: str, key: str, state: str) -> None:
    os.write(pipe, f"{word} {key} {state}\n".encode())


@dataclass
class Tally:
    """How the kills fell: in the middle of a write that then was there, or was not; the rest between two writes."""

    kills: int = 0
    written: int = 0
    unwritten: int = 0


def kill_many(path: Path, kills: int, seed: int, *, at_once: int = 2, look_every: int = 200) -> Tally:
    """Start and kill writers, `at_once` at a time, looking at the books after each round and at all of them often."""
    tally = Tally()
    dice = random.Random(seed)
    make(path)
    killed = 0
    while killed < kills:
        names = [f"w{killed + number}" for number in range(at_once)]
        writers = [start_writer(path, name, dice.getrandbits(32)) for name in names]
        patience = dice.choice([0, 1, 2, 5, 20])
        while sum(writer.heard.count("\n") for writer in writers) < patience:
            writers[dice.randrange(at_once)].listen(0.001)
        select.select([], [], [], dice.random() * dice.choice([0.0005, 0.002, 0.01]))
        stories = [writer.kill() for writer in writers]
        before, killed = killed, killed + at_once
        whole = killed // look_every != before // look_every or killed >= kills
        check_stories(path, stories, tally, whole=whole)
    tally.kills = killed
    return tally


def check_stories(path: Path, stories: list[Story], tally: Tally, *, whole: bool) -> None:
    ledger = open_at(path)
    try:
        for story in stories:
            for key in story.done | story.begun:
                state = state_of(ledger, key)
                assert state in story.may_be(key), f"{key} is {state}, not one of {story.may_be(key)}"
                if key in story.begun:
                    tally.written += state == story.begun[key]
                    tally.unwritten += state != story.begun[key]
        if whole:
            assert list(ledger.verify()) == []
            check_sums(ledger)
    finally:
        ledger.close()


def state_of(ledger: SqliteLedger, key: str) -> str:
    found = ledger.reservation(key)
    if found is None:
        return "none"
    return f"held:{found.metered.tokens}" if found.state is State.HELD else found.state.value


def check_sums(ledger: SqliteLedger) -> None:
    """Both budgets are the plain sums of the reservations, neither more nor less."""
    found = ledger.reservations({})
    for name, unit in (("run", Unit.TOKENS), ("usd", Unit.USD)):
        balance = ledger.balance(name)
        assert isinstance(balance, Balance)
        assert balance.spent == sum(each.charged.of(unit) or 0 for each in found if each.charged is not None)
        assert balance.reserved == sum(each.held.of(unit) or 0 for each in found if each.charged is None)
