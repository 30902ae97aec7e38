"""What is known of windows: the provider's word, and what of it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bursar.logs import LogIndex, note_limit, open_index, update_index
from bursar.logs.window_use import window_uses

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
THREAD = "01a1ffb6-9245-7012-95b5-8daec5ecbcb5"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LogIndex]:
    made = open_index(tmp_path / "usage.db")
    yield made
    made.close()


def line(at: datetime, kind: str, **payload: Any) -> str:
    return json.dumps({"timestamp": at.isoformat().replace("+00:00", "Z"), "type": kind, "payload": payload}) + "\n"


def response(number: int, at: datetime, tokens: int) -> str:
    usage = {"input_tokens": tokens - 10, "cached_input_tokens": 0, "output_tokens": 10}
    return line(at, "token_usage_record", response_id=f"resp_{number}", usage=usage)


def told(at: datetime, percent: float, resets_at: datetime) -> str:
    window = {"used_percent": percent, "window_minutes": 300, "resets_at": int(resets_at.timestamp())}
    return line(at, "event_msg", type="token_count", info=None, rate_limits={"primary": window, "secondary": None})


def write_log(home: Path, *lines: str) -> None:
    folder = home / ".codex" / "sessions" / "2026" / "11" / "21"
    folder.mkdir(parents=True)
    head = line(NOON, "session_meta", id=THREAD, cwd="/w/shop") + line(NOON, "turn_context", model="gpt-5")
    (folder / f"rollout-2026-11-21T12-00-00-{THREAD}.jsonl").write_text(head + "".join(lines))


def test_codex_says_it(index: LogIndex, tmp_path: Path) -> None:
    resets = NOON + timedelta(hours=2)
    early = told(NOON - timedelta(minutes=9), 19.0, resets)
    write_log(tmp_path, response(1, NOON, 60_000), early, told(NOON - timedelta(minutes=1), 20.0, resets))
    update_index(index, {"HOME": str(tmp_path)})
    (use,) = window_uses(index, ["codex"], NOON)
    assert (use.percent, use.is_official, use.resets_at) == (20.0, True, resets)
    assert use.said_at == NOON - timedelta(minutes=1)


def test_a_window_that_has_begun_anew_is_unused_as_far_as_anybody_knows(index: LogIndex, tmp_path: Path) -> None:
    write_log(tmp_path, response(1, NOON, 50_000), told(NOON, 90.0, NOON + timedelta(hours=1)))
    update_index(index, {"HOME": str(tmp_path)})
    (use,) = window_uses(index, ["codex"], NOON + timedelta(hours=1))
    assert (use.percent, use.has_begun_anew, use.resets_at) == (0.0, True, None)


def test_without_a_word_of_the_provider_it_is_an_estimate_or_nothing(index: LogIndex) -> None:
    assert {(use.minutes, use.percent, use.is_official) for use in window_uses(index, ["claude"], NOON)} == {
        (300, None, False),
        (10_080, None, False),
    }


def test_what_the_status_line_was_told_counts_too(index: LogIndex) -> None:
    at = int(NOON.timestamp() * 1000)
    note_limit(index, "claude", "five_hour", 300, 63.0, int(NOON.timestamp()) + 3600, at)
    (use,) = window_uses(index, ["claude"], NOON)
    assert (use.percent, use.percent_per_token, use.ahead(1_000_000)) == (63.0, None, None)
