"""Periods: what is one, which one runs, and that ids only grow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.budget import ALWAYS, LastPeriod, Period, PeriodKind, check_period, parse_period, period_id
from bursar.errors import UserError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "zone", "period", "shown"),
    [
        ("always", None, ALWAYS, "always"),
        ("session", None, Period(PeriodKind.SESSION), "session"),
        ("run", None, Period(PeriodKind.RUN), "run"),
        ("daily", None, Period(PeriodKind.DAILY), "daily"),
        ("weekly", "UTC", Period(PeriodKind.WEEKLY), "weekly"),
        ("monthly", "Europe/Berlin", Period(PeriodKind.MONTHLY, timezone="Europe/Berlin"), "monthly"),
        ("5h", None, Period(PeriodKind.ROLLING, 5 * 3600), "5h"),
        ("90m", None, Period(PeriodKind.ROLLING, 90 * 60), "90m"),
        ("120m", None, Period(PeriodKind.ROLLING, 2 * 3600), "2h"),
        ("7d", None, Period(PeriodKind.ROLLING, 7 * 86400), "7d"),
        ("366d", None, Period(PeriodKind.ROLLING, 366 * 86400), "366d"),
        ("1m", None, Period(PeriodKind.ROLLING, 60), "1m"),
    ],
)
def test_a_period_is_read_and_shown(text: str, zone: str | None, period: Period, shown: str) -> None:
    found = parse_period(text, zone)
    assert (found, str(found)) == (period, shown)
    assert parse_period(str(found), found.timezone) == found


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("", None),
        ("hourly", None),
        ("Daily", None),
        (" daily", None),
        ("rolling", None),
        ("0h", None),
        ("00m", None),
        ("-5h", None),
        ("+5h", None),
        ("5", None),
        ("5s", None),
        ("5.5h", None),
        ("5 h", None),
        ("5h\n", None),
        ("٥h", None),
        ("367d", None),
        ("8785h", None),
        ("999999999d", None),
        ("9999999999h", None),
        ("5h", "Europe/Berlin"),
        ("session", "Europe/Berlin"),
        ("run", "Europe/Berlin"),
        ("always", "Europe/Berlin"),
        ("daily", ""),
        ("daily", "Berlin"),
        ("daily", "Europe"),
        ("daily", "Europe/"),
        ("daily", "/etc/localtime"),
        ("daily", "../zoneinfo/UTC"),
        ("daily", "Europe/Berlin\x00"),
        ("daily", "Mars/Phobos"),
    ],
)
def test_what_is_no_period_is_refused(text: str, zone: str | None) -> None:
    with pytest.raises(UserError):
        parse_period(text, zone)


@pytest.mark.parametrize(
    "period",
    [
        Period(PeriodKind.ROLLING),
        Period(PeriodKind.ROLLING, -60),
        Period(PeriodKind.ROLLING, 61),
        Period(PeriodKind.DAILY, 60),
        Period(PeriodKind.RUN, timezone="Europe/Berlin"),
        Period(PeriodKind.DAILY, timezone="nowhere"),
    ],
)
def test_a_period_that_was_built_wrong_is_refused(period: Period) -> None:
    with pytest.raises(UserError):
        check_period(period)


@pytest.mark.parametrize(
    ("period", "zone", "instant", "expected"),
    [
        ("always", None, "2026-11-21T10:00:00+00:00", "always"),
        ("daily", None, "2026-11-21T23:59:59.999999+00:00", "2026-11-21"),
        ("daily", None, "2026-11-22T00:00:00+00:00", "2026-11-22"),
        ("daily", None, "2026-11-22T00:30:00+01:00", "2026-11-21"),
        ("weekly", None, "2026-11-21T10:00:00+00:00", "2026-W47"),
        ("weekly", None, "2026-11-22T23:59:59+00:00", "2026-W47"),
        ("weekly", None, "2026-11-23T00:00:00+00:00", "2026-W48"),
        ("weekly", None, "2027-01-01T00:00:00+00:00", "2026-W53"),
        ("weekly", None, "2024-12-30T00:00:00+00:00", "2025-W01"),
        ("monthly", None, "2026-11-30T23:59:59+00:00", "2026-11"),
        ("monthly", None, "2026-12-01T00:00:00+00:00", "2026-12"),
        ("monthly", "America/Los_Angeles", "2026-12-01T07:59:59+00:00", "2026-11"),
        ("monthly", "America/Los_Angeles", "2026-12-01T08:00:00+00:00", "2026-12"),
        # Summer time begins (a day of 23 hours) and ends (one of 25).
        ("daily", "Europe/Berlin", "2026-03-28T22:59:59+00:00", "2026-03-28"),
        ("daily", "Europe/Berlin", "2026-03-28T23:00:00+00:00", "2026-03-29"),
        ("daily", "Europe/Berlin", "2026-03-29T21:59:59+00:00", "2026-03-29"),
        ("daily", "Europe/Berlin", "2026-03-29T22:00:00+00:00", "2026-03-30"),
        ("daily", "Europe/Berlin", "2026-10-24T22:00:00+00:00", "2026-10-25"),
        ("daily", "Europe/Berlin", "2026-10-25T22:59:59+00:00", "2026-10-25"),
        ("daily", "Europe/Berlin", "2026-10-25T23:00:00+00:00", "2026-10-26"),
        # A day that never was: Samoa went from the 29th of December to the 31st.
        ("daily", "Pacific/Apia", "2011-12-30T09:59:59+00:00", "2011-12-29"),
        ("daily", "Pacific/Apia", "2011-12-30T10:00:00+00:00", "2011-12-31"),
        # The furthest zones of the earth.
        ("daily", "Pacific/Kiritimati", "2026-11-21T10:00:00+00:00", "2026-11-22"),
        ("daily", "Etc/GMT+12", "2026-11-21T11:59:59+00:00", "2026-11-20"),
        ("daily", "Asia/Kathmandu", "2026-11-21T18:15:00+00:00", "2026-11-22"),
    ],
)
def test_the_calendar_is_that_of_the_zone(period: str, zone: str | None, instant: str, expected: str) -> None:
    assert period_id(parse_period(period, zone), at(instant), {}, None) == expected


@pytest.mark.parametrize(
    ("period", "labels", "expected"),
    [
        ("session", {"session": "s"}, "s"),
        ("session", {"run": "r"}, ""),
        ("run", {"run": "r", "session": "s"}, "r"),
        ("run", {}, ""),
    ],
)
def test_sessions_and_runs_are_named_by_their_labels(period: str, labels: dict[str, str], expected: str) -> None:
    last = LastPeriod("zzz")
    assert period_id(parse_period(period), at("2026-11-21T10:00:00+00:00"), labels, last) == expected


@pytest.mark.parametrize(
    ("period", "last", "instant", "expected"),
    [
        ("daily", "2026-11-21", "2026-11-20T10:00:00+00:00", "2026-11-21"),
        ("daily", "2026-11-21", "1970-01-01T00:00:00+00:00", "2026-11-21"),
        ("daily", "2026-11-21", "2026-11-22T00:00:00+00:00", "2026-11-22"),
        ("weekly", "2026-W47", "2026-11-01T00:00:00+00:00", "2026-W47"),
        ("weekly", "2026-W53", "2027-01-04T00:00:00+00:00", "2027-W01"),
        ("monthly", "2026-11", "2026-10-31T23:59:59+00:00", "2026-11"),
        ("monthly", "2026-12", "2027-01-01T00:00:00+00:00", "2027-01"),
        ("5h", "2026-11-21T10:00:00.000000Z", "2026-11-21T14:59:59.999999+00:00", "2026-11-21T10:00:00.000000Z"),
        ("5h", "2026-11-21T10:00:00.000000Z", "2026-11-21T15:00:00+00:00", "2026-11-21T15:00:00.000000Z"),
        ("5h", "2026-11-21T10:00:00.000000Z", "2026-11-20T09:00:00+00:00", "2026-11-21T10:00:00.000000Z"),
        ("5h", "2026-11-21T10:00:00.000000Z", "2026-11-22T01:00:00.000007+01:00", "2026-11-22T00:00:00.000007Z"),
    ],
)
def test_a_clock_that_jumps_back_stays_in_the_latest_period(
    period: str, last: str, instant: str, expected: str
) -> None:
    assert period_id(parse_period(period), at(instant), {}, LastPeriod(last)) == expected


def test_a_first_window_opens_at_once() -> None:
    instant = at("2026-11-21T10:00:00.000001+00:00")
    assert period_id(parse_period("90m"), instant, {}, None) == "2026-11-21T10:00:00.000001Z"


@given(
    st.sampled_from(["daily", "weekly", "monthly", "5h", "7d"]),
    st.sampled_from([None, "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca"]),
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), min_size=2, max_size=20),
)
def test_ids_never_go_back_whatever_the_clock_does(text: str, zone: str | None, instants: list[datetime]) -> None:
    period = parse_period(text, None if text[0].isdigit() else zone)
    last: LastPeriod | None = None
    for instant in instants:
        found = period_id(period, instant.replace(tzinfo=UTC), {}, last)
        assert last is None or found >= last.id
        last = LastPeriod(found)


@given(
    st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1)), st.sampled_from(["Europe/Berlin", "America/Sao_Paulo"])
)
def test_a_later_instant_is_never_in_an_earlier_day(instant: datetime, zone: str) -> None:
    period, start = parse_period("daily", zone), instant.replace(tzinfo=UTC)
    ids = [period_id(period, start + timedelta(minutes=30 * step), {}, None) for step in range(60)]
    assert ids == sorted(ids)
