"""Lines that are wider than the terminal are broken between their parts."""

from __future__ import annotations

from bursar.reports import fold

LINE = "  ✗ 1  One · 2,560 tokens · 0.2 s · failed: grep -q good one.txt · its work is on branch bursar/r/1/1"


def test_what_fits_stays_as_it_is() -> None:
    assert fold(LINE, len(LINE)) == LINE
    assert fold(LINE, None) == LINE
    assert fold("", 10) == ""


def test_parts_stay_whole() -> None:
    assert fold(LINE, 50).split("\n") == [
        "  ✗ 1  One · 2,560 tokens · 0.2 s",
        "       · failed: grep -q good one.txt",
        "       · its work is on branch bursar/r/1/1",
    ]
    assert fold(LINE, 5).split("\n")[-1] == "       · its work is on branch bursar/r/1/1", "wider than there is room"


def test_every_line_is_looked_at() -> None:
    assert fold("ab · cd\nef · gh", 5) == "ab\n       · cd\nef\n       · gh"


def test_styles_take_no_room_and_wide_signs_take_two() -> None:
    assert fold("\x1b[31m✗\x1b[0m ab · cd", 9) == "\x1b[31m✗\x1b[0m ab · cd"
    assert fold("漢字 · ab", 9) == "漢字 · ab"
    assert fold("漢字 · ab", 8) == "漢字\n       · ab"
