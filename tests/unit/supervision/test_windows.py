"""What a supervisor keeps of a provider's words, and when it says that a limit is over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bursar.events import SessionEnded, WindowTold
from bursar.supervision import WINDOWS_FILE, SeenWindow, WindowNotes, read_windows

NOW = datetime(2026, 11, 21, 20, 5, 34, tzinfo=UTC)
AT = int(NOW.timestamp())


def told(percent: float, resets_at: int | None = AT + 7200, *, is_used_up: bool = False) -> WindowTold:
    return WindowTold(name="primary", minutes=300, percent=percent, resets_at=resets_at, is_used_up=is_used_up)


def failed(message: str) -> SessionEnded:
    return SessionEnded(is_error=True, message=message)


def test_the_last_word_on_each_window_is_in_a_file(tmp_path: Path) -> None:
    notes = WindowNotes(tmp_path)
    assert read_windows(tmp_path) == []
    notes.note(told(60.0), NOW)
    notes.note(told(63.0), NOW)
    assert read_windows(tmp_path) == [
        SeenWindow(name="primary", minutes=300, percent=63.0, resets_at=AT + 7200, at=AT * 1000)
    ]
    (tmp_path / WINDOWS_FILE).write_text('[{"name": 5}]')
    assert read_windows(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_in_nobodys_way(tmp_path: Path) -> None:
    notes = WindowNotes(tmp_path / "nowhere")
    notes.note(told(100.0, is_used_up=True), NOW)
    assert notes.resets_at(failed("You've hit your 5-hour limit"), NOW) == AT + 7200


def test_a_limit_is_over_when_the_provider_said_not_when_the_words_do(tmp_path: Path) -> None:
    notes = WindowNotes(tmp_path)
    words = failed("You’ve hit your usage limit. Try again in 2 hours.")
    assert notes.resets_at(words, NOW) == AT + 7200
    notes.note(told(63.0, AT + 7170), NOW)
    assert notes.resets_at(words, NOW) == AT + 7170  # of that window's end people are told the minute
    notes.note(told(63.0, AT + 5000), NOW)
    assert notes.resets_at(words, NOW) == AT + 7200


def test_who_did_not_fail_or_failed_for_another_reason_was_not_refused(tmp_path: Path) -> None:
    notes = WindowNotes(tmp_path)
    assert notes.resets_at(None, NOW) is None
    assert notes.resets_at(failed("the tests fail"), NOW) is None
    assert notes.resets_at(failed("You've hit your 5-hour limit"), NOW) is None  # until when, nobody says
    notes.note(told(100.0, is_used_up=True), NOW)
    assert notes.resets_at(SessionEnded(is_error=False, message="done"), NOW) is None
    assert notes.resets_at(failed("the tests fail"), NOW) is None  # another model went on, and failed
    notes.note(told(3.0), NOW)
    assert notes.resets_at(failed("You've hit your 5-hour limit"), NOW) is None
