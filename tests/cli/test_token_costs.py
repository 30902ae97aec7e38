"""What a `bursar token` command makes SQLite do: no more in a long session than in a short one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from bursar.budget import Amount
from bursar.clock import SystemClock
from bursar.ledger import Reservation, ReserveRequest, SqliteLedger, open_ledger
from bursar.session import current_session
from tests.cli.conftest import Bursar

SHORT, LONG = 40, 1200
COMMANDS = (
    ("reserve", "10", "phase-1"),
    ("record", "5", "phase-1"),
    ("record", "5", "phase-9"),
    ("reserve", "10", "phase-2", "--key", "mine"),
    ("settle", "mine", "7"),
    ("reserve", "10", "phase-3", "--key", "other"),
    ("release", "other"),
    ("report",),
)


@contextmanager
def counted() -> Iterator[list[int]]:
    """In the block, the steps of SQLite's machine that every statement took on any connection are added up."""
    steps = [0]

    def count(event: dict[str, Any]) -> None:
        steps[0] += event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def hook(connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, count)

    apsw.connection_hooks.append(hook)
    try:
        yield steps
    finally:
        apsw.connection_hooks.remove(hook)


def lengthen(place: Path, state: Path, operations: int, phases: int = 7) -> None:
    """That many operations of the session have ended, in so many phases, and four are open."""
    ledger = open_ledger(state / "ledger.db", SystemClock())
    assert isinstance(ledger, SqliteLedger)
    ledger._database._connection.execute("PRAGMA synchronous = OFF")
    session = current_session(ledger, str(place))
    assert session is not None
    for number in range(operations):
        labels = session.labels_of(f"phase-{number % phases}")
        key = f"token/{session.id}/hold/long-{operations}-{number}"
        assert isinstance(ledger.reserve(ReserveRequest(key=key, labels=labels, amount=Amount(3, None))), Reservation)
        if number >= 4:
            ledger.settle(key, Amount(2, None))
    ledger.close()


def steps_of(bursar: Bursar) -> dict[str, int]:
    found = {}
    for number, words in enumerate(COMMANDS):
        with counted() as steps:
            said = bursar("token", *words)
        assert said.code == 0, said.err
        found[f"{number} {words[0]}"] = steps[0]
    return found


@pytest.mark.parametrize("settings", [False, True])
def test_a_long_session_costs_what_a_short_one_costs(
    bursar: Bursar, place: Path, tmp_path: Path, settings: bool
) -> None:
    if settings:
        (place / "bursar.toml").write_text('[[budget]]\nname = "day"\nlimit = "9M tokens"\nperiod = "daily"\n', "utf-8")
    state = tmp_path / "state"
    bursar("token", "init", "--max-tokens", "1000000")
    lengthen(place, state, SHORT)
    short = steps_of(bursar)
    bursar("token", "reset")
    lengthen(place, state, LONG)
    long = steps_of(bursar)
    assert all(short.values())
    dearer = {name: (steps, long[name]) for name, steps in short.items() if long[name] > 1.5 * steps + 100}
    assert not dearer


def test_a_phase_more_costs_no_more_than_its_line_in_the_report(bursar: Bursar, place: Path, tmp_path: Path) -> None:
    """Scripts that call each of their steps by a name of its own have many phases."""
    state = tmp_path / "state"
    bursar("token", "init", "--max-tokens", "1000000")
    lengthen(place, state, SHORT)
    short = steps_of(bursar)
    bursar("token", "reset")
    lengthen(place, state, 400, phases=400)
    long = steps_of(bursar)
    dearer = {name: (steps, long[name]) for name, steps in short.items() if long[name] > 1.5 * steps + 30 * 400}
    assert not dearer
