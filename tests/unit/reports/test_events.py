"""Events as lines for a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bursar.events import (
    AlertFired,
    AttemptEnded,
    AttemptStarted,
    CheckoutForwarded,
    ForecastChanged,
    RunEvent,
    RunStarted,
    StartWarned,
    SummaryWritten,
    TaskSkipped,
    TaskWaited,
)
from bursar.reports import render_event


def ended(outcome: str = "succeeded", **changes: object) -> AttemptEnded:
    values: dict[str, object] = {
        "task": "1",
        "name": "Add login",
        "outcome": outcome,
        "note": "",
        "commit": None,
        "metered_tokens": 1200,
        "unknown_tokens": 0,
        "nano_usd": 12_300_000,
        "wall_seconds": 2.04,
    }
    return AttemptEnded(**(values | changes))  # type: ignore[arg-type]


def started(run_limit: str | None, done: int, tasks: int) -> RunStarted:
    return RunStarted(run_id="r", plan_id="08-02", tasks=tasks, done_before=done, max_parallel=5, limit=run_limit)


def attempt(number: int, *, adopted: bool = False) -> AttemptStarted:
    return AttemptStarted(task="1", name="x", attempt=number, model="m", held_tokens=50_000, adopted=adopted)


def forwarded(commits: int, obstacle: str = "", branch: str | None = "main") -> CheckoutForwarded:
    left_on = "bursar/r/merged" if obstacle else None
    return CheckoutForwarded(
        branch=branch, commit="0123456789abcdef", commits=commits, obstacle=obstacle, left_on=left_on
    )


def forecast(needed: int | None) -> ForecastChanged:
    return ForecastChanged(
        open_tasks=7,
        budget="month",
        unit="usd",
        left=3_200_000_000,
        finishes=0.634,
        needed=needed,
        needed_to_pay=8_000_000_000,
        observations=40,
    )


LINES: list[tuple[RunEvent, str]] = [
    (started("200k tokens", 0, 7), "plan 08-02 · run r · 7 tasks · at most 5 at once · budget 200k tokens"),
    (
        started(None, 2, 1),
        "plan 08-02 · run r · 1 task, 2 done before · at most 5 at once · no budget: nothing will be stopped",
    ),
    (
        replace(started(None, 0, 1), learned_from=41),
        "plan 08-02 · run r · 1 task · at most 5 at once · no budget: nothing will be stopped, but attempts that are"
        " not worth going on with · routes learned from 41 attempts",
    ),
    (attempt(1), "  ▸ 1  x · m · holds 50,000 tokens"),
    (attempt(2), "  ▸ 1  x (attempt 2) · m · holds 50,000 tokens"),
    (attempt(1, adopted=True), "  ▸ 1  x · m · goes on by itself"),
    (ended(commit="0123456789abcdef"), "  ✓ 1  Add login · 1,200 tokens · 0.0123 USD · 2.0 s · 012345678"),
    (ended(), "  ✓ 1  Add login · 1,200 tokens · 0.0123 USD · 2.0 s"),
    (
        ended("failed", note="exit code 3", branch="bursar/r/1/1", nano_usd=None),
        "  ✗ 1  Add login · 1,200 tokens · unknown cost · 2.0 s · failed: exit code 3 · its work is on branch"
        " bursar/r/1/1",
    ),
    (
        ended("stopped", note="limit", unknown_tokens=5000),
        "  ■ 1  Add login · 1,200 tokens + 5,000 for unknown outcomes · 0.0123 USD · 2.0 s · stopped: limit",
    ),
    (TaskSkipped(task="2", name="x", because="it depends on task 1"), "  – 2  x · skipped: it depends on task 1"),
    (TaskWaited(task="2", name="x", because="no money"), "  ? 2  x · not started: no money"),
    (
        forecast(needed=7_100_000_000),
        "  ≈ 7 tasks still open: with 3.20 USD left in month this finishes with probability 0.63; it needs 7.10 USD"
        " for 0.9",
    ),
    (
        forecast(needed=None),
        "  ≈ 7 tasks still open: with 3.20 USD left in month this finishes with probability 0.63; no budget makes that"
        " 0.9, because tasks fail; 8.00 USD pays for what is begun",
    ),
    (StartWarned(task="2", name="x", because="it only warns"), "  ! 2  x · starts all the same: it only warns"),
    (AlertFired(level="warning", message="80 % of it"), "  ! warning: 80 % of it"),
    (forwarded(2), "  main: 2 new commits, now at 012345678"),
    (forwarded(0), "  main: nothing new"),
    (
        forwarded(1, "files in the way", branch=None),
        "  the detached HEAD was not moved: files in the way\n"
        "  the merged work is on branch bursar/r/merged: git merge bursar/r/merged",
    ),
    (SummaryWritten(path="/p/08-02-SUMMARY.md"), "  summary: /p/08-02-SUMMARY.md"),
]


@pytest.mark.parametrize(("event", "line"), LINES)
def test_each_event_is_said_in_words(event: RunEvent, line: str) -> None:
    assert render_event(event) == line


@pytest.mark.parametrize("event", [event for event, _ in LINES])
def test_colour_changes_no_word(event: RunEvent) -> None:
    assert re.sub(r"\033\[\d+m", "", render_event(event, in_colour=True)) == render_event(event)


@pytest.mark.parametrize(
    "event",
    [
        ended("failed", note="\x1b]0;owned\x07\x1b[2Jgone\rback\x9b31m"),
        TaskSkipped(task="2", name="x\x1b[31m\nfake line", because="b"),
        TaskWaited(task="2", name="x", because="\x1b[8m"),
        StartWarned(task="2", name="x", because="\x1b[8m"),
        AlertFired(level="info", message="\x1b[8m"),
    ],
)
def test_what_others_wrote_cannot_steer_the_terminal(event: RunEvent) -> None:
    line = render_event(event)
    assert not [character for character in line if not character.isprintable()]
