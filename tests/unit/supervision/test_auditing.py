"""What a process writes into the ledger, and nothing else, is in the audit log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bursar.budget import Amount, Budget, Level, Limit, Threshold, Unit
from bursar.clock import SystemClock
from bursar.ledger import CallRecord, Denial, MemoryLedger, Reservation, ReserveRequest
from bursar.notify import AuditLog
from bursar.supervision import keep_audit
from bursar.usage import Usage

LABELS = {"run": "r", "task": "1"}


class Books:
    """A ledger with one budget of 100 tokens, its alert at 80 %, and the audit log of its writes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.jsonl"
        self.ledger = MemoryLedger(SystemClock())
        self.ledger.define(
            Budget(
                name="b",
                selector={"run": "r"},
                limit=Limit(100, Unit.TOKENS),
                thresholds=(Threshold(80, Level.WARNING),),
            )
        )
        keep_audit(self.ledger, AuditLog(str(self.path), SystemClock()))

    def reserve(self, key: str, tokens: int, attempt: int = 1) -> Reservation | Denial:
        request = ReserveRequest(key=key, labels=LABELS, amount=Amount(tokens, None), attempt=attempt)
        return self.ledger.reserve(request)

    def record(self, key: str, sequence: int, tokens: int) -> None:
        call = CallRecord(
            call_id="msg", sequence=sequence, model="haiku", usage=Usage(output_tokens=tokens), nano_usd=tokens * 2
        )
        self.ledger.record(key, call)

    @property
    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    @property
    def kinds(self) -> list[str]:
        return [event["event"] for event in self.audit]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


def test_holding_and_giving_back_use_nothing(books: Books) -> None:
    books.reserve("a", 60)
    assert isinstance(books.reserve("b", 60), Denial)
    books.ledger.release("a")
    assert books.audit == []


def test_calls_an_alert_and_the_end(books: Books) -> None:
    books.reserve("a", 100)
    books.record("a", 1, 50)
    books.record("a", 2, 40)
    books.ledger.settle("a", Amount(90, 180))
    first, second, alert, end = books.audit
    assert [(each["event"], each["tokens"], each["nano_usd"]) for each in (first, second)] == [
        ("usage", 50, 100),
        ("usage", 40, 80),
    ]
    assert (first["key"], first["call"], first["model"], first["labels"]) == ("a", "msg", "haiku", LABELS)
    assert first["usage"]["output_tokens"] == 50
    assert (alert["event"], alert["budget"], alert["threshold_percent"]) == ("alert", "b", 80)
    assert (end["event"], end["state"], end["charged"]["tokens"]) == ("settled", "settled", 90)


def test_a_repeat_is_not_told_again(books: Books) -> None:
    books.reserve("a", 100)
    for _ in range(3):
        books.record("a", 1, 10)
    for _ in range(3):
        books.ledger.settle("a", Amount(10, 20))
    assert books.kinds == ["usage", "settled"]


def test_what_nobody_reported_is_told_apart(books: Books) -> None:
    books.reserve("a", 30)
    books.record("a", 1, 10)
    books.ledger.forfeit("a")
    end = books.audit[-1]
    assert (end["state"], end["charged"]["tokens"], end["unknown"]["tokens"]) == ("forfeited", 30, 20)


def test_what_others_write_is_theirs_to_tell(books: Books, tmp_path: Path) -> None:
    keep_audit(MemoryLedger(SystemClock()), AuditLog(str(tmp_path / "other.jsonl"), SystemClock()))
    books.reserve("a", 100)
    books.record("a", 1, 10)
    assert not (tmp_path / "other.jsonl").exists()


def test_a_log_that_cannot_be_written_is_not_the_ledgers_trouble(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    books = Books(tmp_path)
    books.reserve("a", 100)
    books.record("a", 1, 10)
    assert books.ledger.settle("a", Amount(10, 20)).charged is not None
