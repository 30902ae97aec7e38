"""Turns at the lock of a database: many writes in a row, and nobody is overtaken for longer than a turn."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bursar.database.lock import lock_file, unlock_file
from bursar.database.turns import Turns, _turn
from bursar.errors import LedgerBusy
from tests.integration.descriptors import opened_below


@pytest.fixture
def lock(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def in_turn(turns: Turns) -> Turns:
    """As one that has just come to its turn, however slow the machine is."""
    turns._turn_ends = float("inf")
    return turns


def past_turn(turns: Turns) -> Turns:
    turns._turn_ends = 0.0
    return turns


def test_whoever_is_alone_makes_no_queue(lock: str) -> None:
    turns = Turns(lock)
    for _ in range(3):
        unlock_file(past_turn(turns).take(5))
    assert not os.path.exists(lock + ".queue")


def test_in_its_turn_a_process_takes_the_lock_before_the_one_who_is_next(lock: str) -> None:
    turns = Turns(lock)
    is_next = lock_file(lock + ".queue", 5)
    for _ in range(3):
        unlock_file(in_turn(turns).take(5))
    unlock_file(is_next)


def test_after_its_turn_a_process_waits_behind_the_one_who_is_next(lock: str) -> None:
    turns = past_turn(Turns(lock))
    is_next = lock_file(lock + ".queue", 5)
    with pytest.raises(LedgerBusy, match="/lock`"):
        turns.take(0.02)
    unlock_file(is_next)
    unlock_file(turns.take(5))


def test_the_one_who_is_next_gets_the_lock_and_the_others_wait_for_it(lock: str) -> None:
    first, second = Turns(lock), Turns(lock)
    held, has_lock, may_go = first.take(5), threading.Event(), threading.Event()

    def wait() -> None:
        taken = second.take(60)
        has_lock.set()
        may_go.wait(60)
        unlock_file(taken)

    waiting = threading.Thread(target=wait)
    waiting.start()
    unlock_file(held)
    assert has_lock.wait(60)
    with pytest.raises(LedgerBusy):
        in_turn(first).take(0.02)
    may_go.set()
    unlock_file(first.take(60))
    waiting.join()


def test_a_turn_begins_anew_for_whoever_has_waited(lock: str) -> None:
    turns = past_turn(Turns(lock))
    unlock_file(turns.take(5))
    assert turns._turn_ends > 0.0


def test_a_queue_that_is_a_symlink_is_not_followed(lock: str, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.touch()
    Path(lock + ".queue").symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        Turns(lock).take(5)


def test_who_gives_up_leaves_no_descriptor_open_and_holds_nobody_up(lock: str) -> None:
    holder = lock_file(lock, 5)
    before = opened_below(Path(lock).parent)
    for _ in range(9):
        with pytest.raises(LedgerBusy):
            Turns(lock).take(0.01)
    assert opened_below(Path(lock).parent) == before
    unlock_file(holder)
    unlock_file(Turns(lock).take(5))


def test_the_fewer_there_are_the_longer_a_turn() -> None:
    """Each knows how many there are by how long it has waited: all of them settle on one length, and nobody starves."""
    rounds = {}
    for number in (1, 4, 16, 64):
        turns = [0.003] * number
        for _ in range(20 * number):
            turns = [*turns[1:], _turn(sum(turns[1:]))]
        rounds[number] = sum(turns)
        assert max(turns) < 1.05 * min(turns), number
    assert rounds[1] == 0.032
    assert rounds[16] > 3 * 16 * 0.003
    assert max(rounds.values()) <= 0.25


def test_however_long_the_wait_there_is_a_turn() -> None:
    assert _turn(3600.0) == 0.003
