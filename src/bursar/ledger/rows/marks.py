"""Rows of thresholds that will not fire again, to values and back."""

from __future__ import annotations

from datetime import datetime

from bursar.budget import Alert, Level
from bursar.ledger.books import Mark
from bursar.ledger.entries import format_instant
from bursar.ledger.rows.common import Row

SELECT_MARKS = "SELECT budget, period_id, percent, at, level, message FROM alerts"
INSERT_MARK = "INSERT INTO alerts (budget, period_id, percent, at, level, message) VALUES (?, ?, ?, ?, ?, ?)"


def write_mark(mark: Mark) -> Row:
    """The parameters of `INSERT_MARK`."""
    level = None if mark.alert is None else mark.alert.level.value
    message = None if mark.alert is None else mark.alert.message
    return mark.budget, mark.period_id, mark.percent, format_instant(mark.at), level, message


def read_mark(row: Row) -> Mark:
    """The mark of a row of `SELECT_MARKS`."""
    budget, period_id, percent, at_text, level, message = row
    at = datetime.fromisoformat(at_text)
    alert = None
    if (level is None) is not (message is None):
        raise ValueError("an alert has a level and a message, or neither")
    if level is not None:
        alert = Alert(budget=budget, period_id=period_id, percent=percent, level=Level(level), at=at, message=message)
    return Mark(budget, period_id, percent, at, alert)
