"""The periodic status: every figure from the books, the same words with and without bars and colour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from bursar.budget import Amount, Budget, Limit, OnLimit, Unit
from bursar.journal import AttemptState, TaskState
from bursar.reports import RunStatus, build_run_status, render_status
from bursar.reports.status_view import duration_text, render_bar
from bursar.reports.words import painter
from tests.unit.reports.books import END, START, Books, open_books

NOW = datetime.fromisoformat("2026-03-01T10:01:12.000+00:00")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    opened = open_books(tmp_path)
    yield opened
    opened.journal.close()


def status(books: Books, tools: Mapping[str, int] | None = None, *names: str) -> RunStatus:
    run = books.journal.run("r")
    assert run is not None
    return build_run_status(books.journal, books.ledger, run, NOW, budgets=names, tools=tools)


def make_mixed(books: Books) -> None:
    """One done, one running, one stopped by its own budget, one waiting; budgets at 72, 95 and 0 percent."""
    books.begin("analyze-api", "analyze-web", "review-everything-in-the-repository", "late", workspace="/w")
    books.limit(10_000)
    books.limit(500, task="3")
    for name, command, limit in (("/analyze", "/analyze", 1_000), ("/late", "/late", 700)):
        selector = {"run": "r", "command": command}
        books.ledger.define(
            Budget(
                name=f"run-r/command{name}", selector=selector, limit=Limit(limit, Unit.TOKENS), on_limit=OnLimit.WARN
            )
        )
    done = books.attempt("1", hold=Amount(1000, 9000), labels={"command": "/analyze"})
    books.call(done, 400, 1_500_000)
    books.end(done, commit=None)
    running = books.attempt("2", hold=Amount(2000, 9000), labels={"command": "/analyze"}, start=END)
    books.call(running, 550, 1_500_000)
    stopped = books.attempt("3", hold=Amount(500, 9000))
    books.call(stopped, 6_250, 1_500_000)
    books.end(stopped, AttemptState.STOPPED, TaskState.STOPPED, commit=None, note="limit")


GOLDEN = """\
status of 08-02 · run r · 1m 12s · 4 instances: 1 running, 1 waiting, 1 done, 1 not done
  overall   ██████████████░░░░░░  72 %  7,200 of 10,000 tokens, 1,450 more held
  /analyze  ███████████████████░  95 %  950 of 1,000 tokens, 1,450 more held, only warns
  /late     ░░░░░░░░░░░░░░░░░░░░   0 %  0 of 700 tokens, only warns
  #  instance                  state    model   time  tokens  cache  tools  budget
  1  analyze-api               done     sonnet   30s     400    0 %      3
  2  analyze-web               running  sonnet   42s     550    0 %      0  holds 2,000
  3  review-everything-in-th…  stopped  sonnet   30s   6,250    0 %         1250 % of 500
  4  late                      waiting"""


def test_status_with_bars(books: Books) -> None:
    make_mixed(books)
    assert render_status(status(books, {"1": 3, "2": 0}, "run-r/command/late")) == GOLDEN


def test_status_without_bars(books: Books) -> None:
    make_mixed(books)
    found = render_status(status(books, {"1": 3, "2": 0}, "run-r/command/late"), with_bars=False)
    assert found == re.sub("[█░]+ ", "", GOLDEN)


def test_colour_adds_nothing_but_colour(books: Books) -> None:
    make_mixed(books)
    coloured = render_status(status(books, {"1": 3, "2": 0}, "run-r/command/late"), in_colour=True)
    assert re.sub("\x1b\\[[0-9]+m", "", coloured) == GOLDEN
    bars = re.findall("\x1b\\[([0-9]+)m█+", coloured)
    assert bars == ["33", "31"]


@pytest.mark.parametrize(
    ("used", "style"), [(0, "32"), (700, "32"), (701, "33"), (900, "33"), (901, "31"), (1_000, "31"), (5_000, "31")]
)
def test_bars_are_yellow_over_70_and_red_over_90_percent(used: int, style: str) -> None:
    bar = render_bar(used, 1_000, painter(in_colour=True))
    assert bar.startswith(f"\x1b[{style}m")
    assert len(re.sub("\x1b\\[[0-9]+m", "", bar)) == 20


def test_before_anything_has_begun(books: Books) -> None:
    books.begin("a")
    assert render_status(status(books)) == (
        "status of 08-02 · run r · 1m 12s · 1 task: 0 running, 1 waiting, 0 done\n"
        "  #  task  state    model  time  tokens  cache  tools  budget\n"
        "  1  a     waiting"
    )


def test_names_cannot_steer_a_terminal(books: Books) -> None:
    books.begin("\x1b[2Jboo\n")
    assert "\x1b" not in render_status(status(books))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59.9, "59s"), (60, "1m 00s"), (3_599, "59m 59s"), (3_720, "1h 02m")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_an_attempt_that_runs_has_worked_since_it_began(books: Books) -> None:
    books.begin("a")
    books.attempt("1", start=START)
    assert [line.seconds for line in status(books).lines] == [72.0]
