"""What agents pass on of their provider's limits, in the lines and words of Claude Code 2.1.329 and Codex 0.169.0."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bursar.agents import find_reset, open_reader
from bursar.agents.codex.session_log import SessionLogLines
from bursar.events import LineRejected, WindowTold

NOW = datetime(2026, 11, 21, 20, 5, 34, tzinfo=UTC)


def claude(**info: Any) -> list[WindowTold]:
    line = {"type": "rate_limit_event", "rate_limit_info": info, "uuid": "u", "session_id": "s"}
    events = open_reader("claude").feed_line(json.dumps(line).encode())
    return [event for event in events if isinstance(event, WindowTold)]


def test_claude_code_tells_both_windows() -> None:
    windows = {
        "five_hour": {"utilization": 0.63, "resetsAt": 1795298700, "status": "allowed"},
        "seven_day": {"utilization": 0.31, "resetsAt": 1795663500, "status": "allowed"},
    }
    assert claude(status="allowed", resetsAt=1795298700, rateLimitType="five_hour", unifiedWindows=windows) == [
        WindowTold(name="five_hour", minutes=300, percent=63.0, resets_at=1795298700),
        WindowTold(name="seven_day", minutes=10_080, percent=31.0, resets_at=1795663500),
    ]


def test_a_window_that_is_refused_is_used_up_whether_its_share_is_told_or_not() -> None:
    used_up = WindowTold(name="five_hour", minutes=300, percent=100.0, resets_at=1795298716, is_used_up=True)
    told = {"status": "rejected", "resetsAt": 1795298716, "rateLimitType": "five_hour"}
    assert claude(**told) == [used_up]
    assert claude(**told, unifiedWindows={"five_hour": {"utilization": 1.02, "resetsAt": 1795298716}}) == [used_up]
    (paid,) = claude(**told, utilization=1.02, isUsingOverage=True)
    assert not paid.is_used_up


@pytest.mark.parametrize(
    "window",
    [
        {"utilization": -0.1, "resetsAt": 5},
        {"utilization": 1795298700, "resetsAt": 5},  # versions have said a time there
        {"utilization": None},
        {},
    ],
)
def test_a_share_that_cannot_be_is_no_news(window: dict[str, Any]) -> None:
    assert claude(status="allowed", unifiedWindows={"five_hour": window}) == []
    assert claude(status="allowed", unifiedWindows={"some_window": {"utilization": 0.5}}) == []


def test_what_is_no_such_line_is_rejected_and_the_stream_goes_on() -> None:
    reader = open_reader("claude")
    (event,) = reader.feed_line(b'{"type":"rate_limit_event","rate_limit_info":{"status":7}}')
    assert isinstance(event, LineRejected)
    assert reader.feed_line(b'{"type":"rate_limit_event"}') == ()


def codex(**limits: Any) -> list[WindowTold]:
    payload = {"type": "token_count", "info": None, "rate_limits": limits}
    line = {"timestamp": "2026-11-21T20:05:17.699Z", "type": "event_msg", "payload": payload}
    return [each for each in SessionLogLines().read(json.dumps(line).encode()) if isinstance(each, WindowTold)]


def test_codex_tells_both_windows_in_its_log() -> None:
    primary = {"used_percent": 63.0, "window_minutes": 300, "resets_at": 1795298716}
    secondary = {"used_percent": 31.0, "window_minutes": 10080, "resets_at": 1795663516}
    assert codex(primary=primary, secondary=secondary, credits=None, plan_type=None) == [
        WindowTold(name="primary", minutes=300, percent=63.0, resets_at=1795298716),
        WindowTold(name="secondary", minutes=10_080, percent=31.0, resets_at=1795663516),
    ]
    assert codex(primary=None, secondary={"used_percent": 101, "window_minutes": 300}) == []
    assert codex(primary={"used_percent": 5, "window_minutes": 0}) == []


def test_other_messages_of_codex_are_not_looked_into() -> None:
    line = {"type": "event_msg", "payload": {"type": "agent_message", "model": 7, "usage": "rate_limits are fine"}}
    assert list(SessionLogLines().read(json.dumps(line).encode())) == []


@pytest.mark.parametrize(
    ("message", "after"),
    [
        ("You've hit your 5-hour limit · resets 10:05pm (UTC)", "2:00:26"),
        ("You've hit your weekly limit · resets Nov 24 at 3pm (Europe/Zurich)", "2 days, 17:55:26"),
        (
            "You’ve hit your usage limit. Visit https://x/y to purchase more credits or try again at 10:05 PM.",
            "2:00:26",
        ),
        ("You’ve hit your usage limit. Upgrade or try again at Nov 26th, 2026 11:12 AM.", "4 days, 15:07:26"),
        ("You’ve hit your usage limit. Try again in 2 hours 5 minutes.", "2:05:00"),
        ("usage limit: try again in 1 day, 3 hours and 2 minutes", "1 day, 3:02:00"),
        ("You exceeded your current quota. Your quota will reset after 2h3m4s.", "2:03:04"),
        ("429 Too Many Requests: Please retry in 34s", "0:00:34"),
        ("Claude AI usage limit reached|1795298734", "2:00:00"),
        ("5-hour limit reached, resets 8:05pm (UTC)", "0:00:26"),  # this very minute
        ("5-hour limit reached, resets 7:05am (UTC)", "11:00:26"),
    ],
)
def test_when_a_limit_is_over(message: str, after: str) -> None:
    found = find_reset(message, NOW, UTC)
    assert found is not None
    assert str(found - NOW) == after


@pytest.mark.parametrize(
    "message",
    [
        "",
        "the tests pass again at 10:05 PM",  # of no limit
        "You've hit your limit",
        "limit: try again at 13:05 PM",
        "limit: try again at 0 PM",
        "limit resets Feb 31 at 3pm (UTC)",
        "limit resets Jun 1 at 3pm (UTC)",  # half a year: nobody means that
        "usage limit reached|9999999999",
        "usage limit: try again in 99999999999999999999 days",
        "usage limit: try again in " + "1 day " * 300_000 + "!",
    ],
)
def test_what_is_no_time(message: str) -> None:
    assert find_reset(message, NOW, UTC) is None


def test_a_time_without_a_zone_is_the_agents_own() -> None:
    east = timezone(timedelta(hours=2))
    assert find_reset("usage limit: try again at 11:05 PM", NOW, east) == NOW + timedelta(hours=1, seconds=26)
    assert find_reset("limit resets 11:05pm (Not/AZone)", NOW, east) == NOW + timedelta(hours=1, seconds=26)
