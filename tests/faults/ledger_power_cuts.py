"""Ledgers on a disk whose power goes, again and again, and what must be true of them when it is back."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bursar.errors import BursarError
from bursar.ledger import SqliteLedger, open_ledger
from bursar.testing.power_cut import Disk
from tests.faults.ledger_authors import Author, JumpingClock, Story, check_books, define_all

CUTS_PER_LEDGER = 12


@dataclass
class Tally:
    """What the cuts met.

    Attributes:
        written: cuts in the middle of an operation that was there afterwards.
        unwritten: cuts in the middle of one that was not.
        loss: what was lost of what was acknowledged; a ledger that cannot be opened any more counts.
    """

    cuts: int = 0
    written: int = 0
    unwritten: int = 0
    loss: str = ""


def open_at(folder: Path, seed: int) -> SqliteLedger:
    return open_ledger(folder / "state" / "ledger.db", JumpingClock(seed), busy_seconds=5)


def cut_many(
    folder: Path, cuts: int, seed: int, *, is_lying: bool = False, synchronous: str = "FULL", stop_at_loss: bool = False
) -> Tally:
    """So many cuts, of one ledger after the other; each ledger lives through a few of them, its making among them.

    Args:
        is_lying: the disk acknowledges syncs that it does not do.
        stop_at_loss: a loss is counted, and is the end; else it is raised.
    """
    tally, dice = Tally(), random.Random(seed)
    number = 0
    while tally.cuts < cuts and not tally.loss:
        number += 1
        home = folder / f"ledger-{number}"
        try:
            _live_through(home, min(CUTS_PER_LEDGER, cuts - tally.cuts), dice, tally, is_lying, synchronous)
        except (AssertionError, BursarError) as error:
            tally.loss = str(error)
            if not stop_at_loss:
                print(f"ledger {number} of seed {seed}: {tally}")
                raise
        shutil.rmtree(home)
    return tally


def _live_through(home: Path, cuts: int, dice: random.Random, tally: Tally, is_lying: bool, synchronous: str) -> None:
    story = Story()
    here = home / "0"
    here.mkdir(parents=True, mode=0o700)
    for number in range(1, cuts + 1):
        with Disk(str(here), dice, sector=dice.choice((512, 4096)), is_lying=is_lying) as disk:
            disk.cut_at(dice.choice((dice.randint(1, 40), dice.randint(1, 400))))
            _write_until_it_is_dark(here, dice, story, f"{number}", synchronous)
            assert disk.is_off
            there = home / str(number)
            disk.leave(str(there))
        tally.cuts += 1
        is_in_flight = bool(story.begun)
        ledger = open_at(there, dice.getrandbits(32))
        try:
            is_written = bool(story.check(ledger))
            if story.done:
                check_books(ledger)
            story.settle_down(ledger)
        finally:
            ledger.close()
        tally.written += is_in_flight and is_written
        tally.unwritten += is_in_flight and not is_written
        here = there


def _write_until_it_is_dark(here: Path, dice: random.Random, story: Story, name: str, synchronous: str) -> None:
    """Two openings of one ledger take turns, with a log so short that it is copied back often."""
    with _dark_in_the_end(), _opened(here, dice, synchronous) as one, _opened(here, dice, synchronous) as two:
        define_all(one)
        authors = [Author(each, f"{name}{label}", dice, story.hear) for each, label in ((one, "a"), (two, "b"))]
        while True:
            dice.choice(authors).write_one()


@contextmanager
def _dark_in_the_end() -> Iterator[None]:
    try:
        yield
    except BursarError:
        return


@contextmanager
def _opened(here: Path, dice: random.Random, synchronous: str) -> Iterator[SqliteLedger]:
    ledger = open_at(here, dice.getrandbits(32))
    try:
        connection = ledger._database._connection
        connection.pragma("wal_autocheckpoint", dice.choice((2, 20, 200)))
        connection.pragma("synchronous", synchronous)
        yield ledger
    finally:
        ledger.close()
