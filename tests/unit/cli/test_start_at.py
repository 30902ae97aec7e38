"""`--start-at`: what a person calls a time, as an instant; days on which clocks are changed included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.cli.start_at import parse_start, wait_until
from bursar.errors import UserError

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "now", "start"),
    [
        ("2am", "2026-11-21T10:00", "2026-11-22T01:00"),
        ("14:30", "2026-11-21T10:00", "2026-11-21T13:30"),
        ("14:30", "2026-11-21T13:30", "2026-11-22T13:30"),
        ("12am", "2026-11-21T10:00", "2026-11-21T23:00"),
        ("12PM", "2026-11-21T10:00", "2026-11-21T11:00"),
        ("2:05 pm", "2026-11-21T10:00", "2026-11-21T13:05"),
        ("2026-11-22 02:00", "2026-11-21T10:00", "2026-11-22T01:00"),
        ("2026-11-22T2am", "2026-11-21T10:00", "2026-11-22T01:00"),
        ("2:30", "2026-03-29T00:00", "2026-03-29T01:30"),  # does not occur: clocks go from 2:00 to 3:00
        ("2:30", "2026-10-25T00:00", "2026-10-25T00:30"),  # occurs twice: clocks go from 3:00 to 2:00
        ("2:30", "2026-10-25T00:45", "2026-10-25T01:30"),
        ("2:30", "2026-10-25T01:45", "2026-10-26T01:30"),
        ("2026-10-25 2:30", "2026-10-25T00:45", "2026-10-25T01:30"),
    ],
)
def test_in_berlin(text: str, now: str, start: str) -> None:
    assert parse_start(text, at(now), BERLIN) == at(start)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "is no time") for text in ("", "2", "soon", "25:00", "2:60", "13pm", "0am", "2 am later", "-1:00")),
        ("2026-02-30 1:00", "is no date of the calendar"),
        ("2026-11-20 1:00", "is over"),
        ("0001-01-01 0:00", "is over"),
        ("2028-01-01 0:00", "is more than a year ahead"),
        ("9999-12-31 23:59", "is more than a year ahead"),
    ],
)
def test_what_is_no_start(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_start(text, at("2026-11-21T10:00"), BERLIN)


zones = st.sampled_from(
    [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")]
)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.times(), zones)
def test_a_time_of_day_lies_ahead_within_two_days(now: datetime, time: object, zone: ZoneInfo) -> None:
    moment = now.replace(tzinfo=UTC)
    start = parse_start(f"{time:%H:%M}", moment, zone)
    assert moment < start <= moment + timedelta(days=2)
    shown = start.astimezone(zone)
    skipped = shown.utcoffset() != (start - timedelta(hours=3)).astimezone(zone).utcoffset()
    assert f"{shown:%H:%M}" == f"{time:%H:%M}" or skipped


class HandClock:
    """A clock whose hands are turned by whoever sleeps."""

    def __init__(self, now: datetime) -> None:
        self.time = now
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        raise AssertionError("the wall clock decides")

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        jump = timedelta(hours=1) if len(self.sleeps) == 2 else timedelta()  # the clock is put forward meanwhile
        self.time += timedelta(seconds=seconds) + jump


def test_waiting_asks_the_wall_clock_again_and_again() -> None:
    clock = HandClock(at("2026-11-21T10:00"))
    wait_until(at("2026-11-21T11:01"), clock, clock.sleep)
    assert clock.sleeps == [20.0, 20.0, 20.0]
    wait_until(at("2026-11-21T11:01"), clock, clock.sleep)
    assert len(clock.sleeps) == 3
