"""Writers that are killed at any moment, and what must be true of the ledger afterwards.

Each writer is an author of its own process (see `ledger_authors`), and says on a pipe what it does.
"""

from __future__ import annotations

import os
import random
import select
import signal
from dataclasses import dataclass
from pathlib import Path

from bursar.ledger import SqliteLedger, open_ledger
from tests.faults.ledger_authors import Author, JumpingClock, Story, check_books, define_all


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
            story.hear(*line.split())
        return story


def open_at(path: Path, seed: int) -> SqliteLedger:
    return open_ledger(path, JumpingClock(seed), busy_seconds=60)


def make(path: Path, seed: int) -> None:
    ledger = open_at(path, seed)
    define_all(ledger)
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
    def say(word: str, key: str, state: str) -> None:
        os.write(pipe, f"{word} {key} {state}\n".encode())

    author = Author(open_at(path, seed), name, random.Random(seed), say)
    while True:
        author.write_one()


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
    make(path, seed)
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
    ledger = open_at(path, 0)
    try:
        for story in stories:
            written = story.check(ledger)
            tally.written += written
            tally.unwritten += len(story.begun) - written
        if whole:
            check_books(ledger)
    finally:
        ledger.close()
