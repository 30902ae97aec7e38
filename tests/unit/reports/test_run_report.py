"""Reports from real books: every number is the ledger's, and unknown is never 0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bursar.budget import Amount, Budget, Limit, Period, PeriodKind, Unit
from bursar.journal import AttemptState, RunState, TaskState
from bursar.reports import build_run_status, render_report, report_as_data
from bursar.reports.status_view import render_bar
from bursar.reports.words import painter
from tests.unit.reports.books import END, START, Books, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    opened = open_books(tmp_path)
    yield opened
    opened.journal.close()


def make_mixed(books: Books) -> None:
    """Two tasks done (one at the second attempt), one stopped, one skipped."""
    books.begin("Add login", "Add a profile page", "Write docs", "Tests", limit="2k tokens", state=RunState.STOPPED)
    books.limit(2000)
    books.limit(500, task="3")
    first = books.attempt("1")
    books.call(first, 400, 1_500_000)
    books.end(first)
    failed = books.attempt("2", hold=Amount(100, 900))
    books.call(failed, 100, 200_000)
    books.end(failed, AttemptState.FAILED, TaskState.FAILED, commit=None, note="exit code 3")
    again = books.attempt("2", 2, hold=Amount(300, 900), start=END)
    books.call(again, 300, 700_000)
    books.end(again, commit="fedcba9876543210")
    stopped = books.attempt("3", hold=Amount(500, 900))
    books.call(stopped, 550, 800_000)
    books.end(
        stopped, AttemptState.STOPPED, TaskState.STOPPED, commit=None, note="limit", unknown=Amount(700, 3_000_000)
    )
    books.journal.set_task("r", "4", TaskState.SKIPPED, note="it depends on task 3")


GOLDEN = """\
08-02 stopped by a budget · 2 of 4 tasks
  ✓   1  Add login           sonnet           400 tokens  012345678
  ✓   2  Add a profile page  sonnet           400 tokens  fedcba987
         1: sonnet, 100 tokens, 0.0002 USD, failed
         2: sonnet, 300 tokens, 0.0007 USD, succeeded
  ■   3  Write docs          sonnet           550 tokens  limit
  –   4  Tests                                            it depends on task 3

metered 1,350 tokens (0.0032 USD at list price) in 4 attempts
of that in 1 failed attempt: 100 tokens, 0.0002 USD
charged for unknown outcomes: 700 tokens, on top of what was metered
budget run-r  ████████████████████████ 102 %  2,050 tokens of 2,000 tokens spent
budget run-r/task-3  ████████████████████████ 250 %  1,250 tokens of 500 tokens spent
budget run-r was passed by 50 tokens
budget run-r/task-3 was passed by 750 tokens
limit: bounded, metered from the agents' own reports; one call in flight per running agent may pass it\
 (here at most 3 calls at a time)"""


def test_the_report_as_text(books: Books) -> None:
    make_mixed(books)
    assert render_report(books.report()) == GOLDEN


def test_colour_changes_no_word(books: Books) -> None:
    import re

    make_mixed(books)
    coloured = render_report(books.report(), in_colour=True)
    assert "\033[1m08-02 stopped" in coloured
    assert "\033[32m✓\033[0m" in coloured
    assert "\033[31mbudget run-r was passed" in coloured
    assert re.sub(r"\033\[\d+m", "", coloured) == GOLDEN


def test_the_report_as_json(books: Books) -> None:
    make_mixed(books)
    data = json.loads(json.dumps(report_as_data(books.report())))
    assert (data["run"], data["plan"], data["state"], data["limit"]) == ("r", "08-02", "stopped", "2k tokens")
    assert (data["metered_tokens"], data["unknown_outcome_tokens"], data["cost_nano_usd"]) == (1350, 700, 3_200_000)
    assert [task["state"] for task in data["tasks"]] == ["merged", "merged", "stopped", "skipped"]
    assert [line["number"] for line in data["tasks"][1]["attempts"]] == [1, 2]
    assert data["tasks"][1]["attempts"][0]["wall_seconds"] == 30.0
    assert [line["cost_nano_usd"] for line in data["tasks"][1]["attempts"]] == [200_000, 700_000]
    assert data["usage_by_model"]["claude-sonnet"]["total_tokens"] == 1350
    run, task = data["budgets"]
    assert (run["name"], run["spent"], run["reserved"], run["overrun"], run["available"]) == ("run-r", 2050, 0, 50, 0)
    assert (task["name"], task["limit"]) == ("run-r/task-3", 500)
    assert {alert["budget"] for alert in data["alerts"]} >= {"run-r"}
    assert all(0 < alert["threshold"] <= 1.01 for alert in data["alerts"])


def test_an_unknown_cost_is_said_to_be_unknown(books: Books) -> None:
    books.begin("Add login", "More")
    priced, unpriced = books.attempt("1"), books.attempt("2")
    books.call(priced, 400, 1_500_000)
    books.end(priced)
    books.call(unpriced, 100, None, model="nobody-knows")
    books.ledger.settle(unpriced.key, Amount(100, None))
    report = books.report()
    data = report_as_data(report)
    assert "metered 500 tokens (unknown cost at list price)" in render_report(report)
    assert [data["cost_nano_usd"], *(task["cost_nano_usd"] for task in data["tasks"])] == [None, 1_500_000, None]


def test_colours_follow_the_share_and_not_its_whole_percents(books: Books) -> None:
    books.begin("Add login", limit="2k tokens")
    books.limit(2000)
    row = books.attempt("1", hold=Amount(1900, None))
    for used, colour in ((1400, "32"), (1, "33"), (399, "33"), (1, "31")):
        books.call(row, used, None)
        held = books.ledger.reservation(row.key)
        assert held is not None
        bar = render_bar(held.metered.tokens, 2000, painter(in_colour=True), cells=10)
        assert bar.startswith(f"\x1b[{colour}m"), held.metered.tokens
    books.end(row)
    report = books.report()
    assert "\x1b[31m█" in render_report(report, in_colour=True), "1,801 of 2,000 is over 90 percent"


def test_work_that_was_cut_off_is_said_to_be(books: Books) -> None:
    books.begin("Add login", "Add a page", state=RunState.INTERRUPTED)
    row = books.attempt("1")
    books.call(row, 400, 1_500_000)
    books.end(row, AttemptState.INTERRUPTED, TaskState.PENDING, commit=None)
    report = books.report()
    lines = render_report(report).splitlines()
    assert lines[1].endswith("400 tokens  interrupted")
    assert lines[2] == "  ·   2  Add a page"
    assert [task["outcome"] for task in report_as_data(report)["tasks"]] == ["interrupted", None]


def test_what_only_the_end_of_an_attempt_told_of_is_metered_too(books: Books) -> None:
    """The ledger was out of reach when a call was reported: the settling brought it in."""
    books.begin("Add login")
    row = books.attempt("1")
    books.call(row, 400, 1_500_000)
    books.ledger.settle(row.key, Amount(460, 1_700_000), unknown=Amount(40, 300_000))
    books.journal.end_attempt(row, AttemptState.SUCCEEDED, END, task=TaskState.MERGED, commit="c1", note="")
    report = books.report()
    assert (report.metered_tokens, report.nano_usd, report.unknown_tokens) == (460, 1_700_000, 40)
    charged = books.ledger.reservation(row.key)
    assert charged is not None
    assert charged.known + charged.unknown == Amount(500, 2_000_000)


def test_what_a_budget_leaves_out_for_want_of_a_price_is_said(books: Books) -> None:
    books.begin("Add login")
    books.limit(10**9, Unit.USD, warn=True)
    row = books.attempt("1", hold=Amount(100, None))
    books.call(row, 100, None)
    report = books.report()
    assert "(without 1 operation of unknown cost)" in render_report(report)
    assert report_as_data(report)["budgets"][0]["unpriced"] == 1


def test_a_budget_of_each_session_stands_as_it_does_for_what_is_in_none(books: Books) -> None:
    """A run is in no session; that somebody's script has one since then is not the run's."""
    books.begin("Add login")
    limit = Limit(4000, Unit.TOKENS)
    books.ledger.define(Budget(name="each", limit=limit, period=Period(PeriodKind.SESSION)))
    books.call(books.attempt("1"), 100, 10)
    books.ledger.charge("k", {"session": "s-1"}, Amount(3000, None))
    run = books.journal.run("r")
    assert run is not None
    status = build_run_status(books.journal, books.ledger, run, datetime.fromisoformat(END))
    shown = [*books.report().budgets, *status.budgets]
    assert [(each.budget.name, each.period_id, each.reserved) for each in shown] == [("each", "", 1000)] * 2


def test_a_run_without_a_budget_says_nothing_of_limits(books: Books) -> None:
    books.begin("Add login")
    text = render_report(books.report())
    assert text == (
        "08-02 running · 0 of 1 task\n  ·   1  Add login\n\nmetered 0 tokens (0.0000 USD at list price) in 0 attempts"
    )


def test_what_is_held_is_reserved_and_not_spent(books: Books) -> None:
    books.begin("Add login")
    books.limit(4000)
    books.call(books.attempt("1"), 100, 10)
    text = render_report(books.report())
    assert " 25 %  0 tokens of 4,000 tokens spent, 1,000 tokens reserved" in text
    assert "in 1 attempt\n" in text


def test_another_run_takes_no_part(books: Books) -> None:
    from bursar.ledger import Reservation, ReserveRequest

    make_mixed(books)
    other = ReserveRequest(key="q/1/1", labels={"run": "q", "task": "1"}, amount=Amount(9, 9))
    assert isinstance(books.ledger.reserve(other), Reservation)
    assert render_report(books.report()) == GOLDEN


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(0, 10)], 1),
        ([(0, 10), (5, 15), (20, 30)], 2),
        ([(0, 10), (10, 20)], 1),
        ([(0, None), (5, 6)], 2),
        ([(5, 5)], 1),
        ([(0, 10), (5, 5), (5, 5)], 3),
    ],
)
def test_the_most_attempts_at_once(books: Books, spans: list[tuple[int, int | None]], most: int) -> None:
    """One that was over within a millisecond counts, and two that only touch are not two at once."""

    def at(second: int) -> str:
        return START.replace("10:00:00", f"10:00:{second:02d}")

    books.begin(*(f"Task {number}" for number in range(len(spans))))
    for number, (start, end) in enumerate(spans, start=1):
        row = books.attempt(str(number), start=at(start))
        if end is not None:
            books.end(row, at=at(end))
    assert books.report().most_at_once == most
