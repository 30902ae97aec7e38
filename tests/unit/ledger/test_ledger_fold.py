"""The fold follows entries alone, and says which of them break the law, however well they are chained."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.ledger import Entry
from bursar.ledger.audit import check_books
from bursar.ledger.entries import FIRST_HASH, build_entry, encode
from bursar.ledger.fold import fold
from bursar.ledger.folded import encode_quickly

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.lists(inner), st.dictionaries(st.text(), inner))


DEFINED = (
    "defined",
    "run",
    {
        "name": "run",
        "selector": {},
        "unit": "tokens",
        "quantity": 100,
        "period": "run",
        "thresholds": [],
        "on_limit": "block",
    },
)


def reserved(key: str, tokens: int, budgets: tuple[str, ...] = ("run",)) -> tuple[str, str, dict[str, Any]]:
    amount = [tokens, None]
    body: dict[str, Any] = {
        "labels": {},
        "amount": amount,
        "minimum": None,
        "attempt": 1,
        "granted": amount,
        "budgets": list(budgets),
    }
    return "reserved", key, body


def recorded(key: str, tokens: int, sequence: int = 1) -> tuple[str, str, dict[str, Any]]:
    body: dict[str, Any] = {
        "call_id": "c",
        "sequence": sequence,
        "model": "m",
        "usage": {"input_tokens": tokens},
        "nano_usd": None,
        "provenance": "streamed",
    }
    return "recorded", key, body


def settled(key: str, tokens: int, *, kind: str = "settled") -> tuple[str, str, dict[str, Any]]:
    amount = [tokens, None]
    body = {"actual": amount, "asked_unknown": [0, 0], "state": kind, "charged": amount, "unknown": [0, 0]}
    return kind, key, body


def journal(*steps: tuple[str, str, dict[str, Any]]) -> list[Entry]:
    entries: list[Entry] = []
    previous = FIRST_HASH
    for number, (kind, key, body) in enumerate(steps, start=1):
        entries.append(build_entry(number, AT, kind, key, body, previous))
        previous = entries[-1].hash
    return entries


def test_sums_follow_the_entries() -> None:
    folded = fold(
        journal(
            DEFINED,
            reserved("a", 30),
            reserved("b", 40),
            ("denied", "c", {}),
            recorded("a", 35),
            settled("b", 10),
            ("released", "x", {}),
        )
    )
    assert folded.budgets["run"].sums == (10, 35, 35, 0)
    assert [problem.split(":")[0] for problem in folded.problems] == ["entry 7 (released) cannot be followed"]


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([reserved("a", 101)], "grants `a` what budget `run` did not have"),
        ([reserved("a", 60), reserved("b", 41)], "grants `b` what budget `run` did not have"),
        ([reserved("a", 60), reserved("a", 10)], "reserves `a` a second time"),
        ([reserved("a", 60), ("extended", "a", {"held": [101, None]})], "grants `a` what budget `run` did not have"),
        ([reserved("a", 60), recorded("a", 9), recorded("a", 9)], "cannot be recorded"),
        ([reserved("a", 60), settled("a", 5), recorded("a", 9)], "cannot be recorded"),
        ([reserved("a", 60), settled("a", 5), settled("a", 5)], "ends `a` a second time"),
        ([reserved("a", 60), recorded("a", 9), settled("a", 8)], "less than it had metered"),
        (
            [reserved("a", 60), ("settled", "a", settled("a", 5)[2] | {"charged": [4, None]})],
            "another sum than it names",
        ),
        ([reserved("a", 60), recorded("a", 9), ("released", "a", {})], "less than it had metered"),
        ([reserved("a", 60), ("credited", "a", {"actual": [1, None], "evidence": "e"})], "cannot be credited so"),
        (
            [
                reserved("a", 60),
                settled("a", 60, kind="forfeited"),
                ("credited", "a", {"actual": [61, None], "evidence": "e"}),
            ],
            "cannot be credited so",
        ),
        ([reserved("a", 6, ("nowhere",))], "cannot be followed"),
        ([recorded("a", 6)], "cannot be followed"),
        ([("invented", "a", {})], "cannot be followed"),
        ([reserved("a", 60), ("settled", "a", {"charged": 5})], "cannot be followed"),
    ],
)
def test_an_entry_that_breaks_the_law_is_named(steps: list[tuple[str, str, dict[str, Any]]], problem: str) -> None:
    problems = fold(journal(DEFINED, *steps)).problems
    assert any(problem in found for found in problems), problems
    assert all(found.startswith("entry ") for found in problems)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        (0, 3, "entries are missing"),
        (1, "2026-01-01T00:00:00.000001+00:00", "has been changed"),
        (2, "denied", "has been changed"),
        (3, "b", "has been changed"),
        (4, "{}", "has been changed"),
        (4, "{", "cannot be read"),
        (1, "yesterday", "cannot be read"),
        (5, "f" * 64, "does not name the hash of the entry before it"),
        (6, "f" * 64, "has been changed"),
    ],
)
def test_one_changed_field_breaks_the_chain(field: int, value: object, problem: str) -> None:
    rows: list[Any] = []
    for entry in journal(DEFINED, reserved("a", 5)):
        at = entry.at.isoformat(timespec="microseconds")
        rows.append((entry.number, at, entry.kind, entry.key, encode(entry.body), entry.previous_hash, entry.hash))
    rows[1] = (*rows[1][:field], value, *rows[1][field + 1 :])
    assert any(problem in found for found in check_books(rows, [], [], [], []))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of the machine, not of the encoder
@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(), _nested, max_leaves=8))
def test_the_quick_encoder_writes_what_the_slow_one_does(value: object) -> None:
    assert encode_quickly(value) == encode(value)


def test_new_periods_are_followed_and_wrong_ones_named() -> None:
    daily = DEFINED[2] | {
        "period": "daily",
        "timezone": None,
        "counts": "total",
        "stop_percent": 95,
        "allows_unknown_price": False,
    }

    def on(key: str, tokens: int, *days: str) -> tuple[str, str, dict[str, Any]]:
        kind, name, body = reserved(key, tokens)
        return kind, name, body | {"budgets": [["run", day] for day in days]}

    steps = [("defined", "run", daily), on("a", 94, "2026-01-01"), on("b", 94, "2026-01-02"), settled("a", 94)]
    good = fold(journal(*steps))
    assert good.problems == []
    assert {day: balance.sums for day, balance in good.budgets["run"].periods.items()} == {
        "2026-01-01": (94, 0, 0, 0, 0),
        "2026-01-02": (0, 94, 0, 0, 0),
    }
    back = fold(journal(*steps, on("c", 1, "2026-01-01"))).problems
    assert any("in the wrong period `2026-01-01`" in found for found in back)
    over = fold(journal(*steps, on("c", 1, "2026-01-02"))).problems
    assert any("what budget `run` did not have" in found for found in over)
    other = fold(journal(*steps, ("defined", "run", daily | {"counts": "fresh"}))).problems
    assert any("makes another budget" in found for found in other)


@pytest.mark.parametrize(("state", "tokens"), [("settled", 100), ("overrun", 101)])
def test_a_charge_says_whether_it_passed_a_limit(state: str, tokens: int) -> None:
    def charged(said: str, sum_charged: int) -> tuple[str, str, dict[str, Any]]:
        amount = [tokens, None]
        body = {"labels": {}, "amount": amount, "state": said, "charged": [sum_charged, None], "unknown": [0, 0]}
        return "charged", "a", body | {"budgets": [["run", "always"]]}

    assert fold(journal(DEFINED, charged(state, tokens))).problems == []
    other = "overrun" if state == "settled" else "settled"
    assert any("an overrun" in found for found in fold(journal(DEFINED, charged(other, tokens))).problems)
    assert any("another sum" in found for found in fold(journal(DEFINED, charged(state, tokens - 1))).problems)
    twice = fold(journal(DEFINED, charged(state, tokens), charged(state, tokens))).problems
    assert any("a second time" in found for found in twice)
