"""Thresholds that have fired, and those that a raised limit has put out of reach again, as entries tell of them."""

from __future__ import annotations

from bursar.ledger.folded import Fold, FoldedMark, Line


def add_marks(folded: Fold, line: Line) -> None:
    """The thresholds that the entry marks have fired, or were passed over for a higher one."""
    for mark in line.body.get("marks", ()):
        name, period, alert = mark["budget"], mark["period"], mark["alert"] or {}
        if folded.budgets[name].definition["period"] == "always":
            period = "always"  # the release before called that one period `run`
        _add_mark(
            folded, line, FoldedMark((name, period, mark["percent"]), line.at, alert.get("level"), alert.get("message"))
        )


def _add_mark(folded: Fold, line: Line, mark: FoldedMark) -> None:
    if mark.name in folded.in_force and not folded.repeats:
        folded.problems.append(f"entry {line.number} fires a threshold of `{mark.name[0]}` a second time")
    folded.marks.append(mark)
    folded.in_force[mark.name] = mark


def rearm(folded: Fold, line: Line, period: str, percent: int) -> None:
    """That threshold of the budget may fire again."""
    mark = folded.in_force.pop((line.key, period, percent), None)
    if mark is not None:
        mark.is_over = True
    elif not folded.repeats:
        folded.problems.append(f"entry {line.number} rearms a threshold of `{line.key}` that has not fired")
