"""Edits by offset, and edits as a diff: `patch` makes of the text before what the edits make of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.plan import Edit, apply_edits, inverse_edits, render_diff

TEXT = "".join(f"line {n}\n" for n in range(1, 31))


def edits_of(draw: st.DrawFn, text: str) -> list[Edit]:
    """Edits that do not overlap."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = st.sampled_from(["", "x", "a\nb", "new\n", "\n", "one\ntwo\n"])
    spans = [(places[i], places[i + 1]) for i in range(0, len(places) - 1, 2)]
    return [Edit(start, end, draw(pieces)) for start, end in dict(spans).items()]


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    lines = draw(st.lists(st.sampled_from(["", "a", "b", "text", "\r", "-", "+x", "@@"]), max_size=40))
    text = "\n".join(lines)
    return text, edits_of(draw, text)


@given(edited())
@settings(max_examples=300)
def test_edits_can_be_undone(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    assert apply_edits(apply_edits(text, edits), inverse_edits(text, edits)) == text


@given(case=edited())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_git_makes_the_same_of_the_diff(case: tuple[str, list[Edit]], tmp_path: Path) -> None:
    text, edits = case
    after = apply_edits(text, edits)
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    diff = render_diff(text, edits, "a.txt")
    if diff.count("\n") <= 2 or not text or not after:
        return  # git has forms of its own for files that are empty, or become so
    subprocess.run(
        ["git", "apply", "-p0", "--unidiff-zero", "--whitespace=nowarn", "-"],
        input=diff.encode(),
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    assert path.read_bytes() == after.encode()


def test_no_edits_no_diff() -> None:
    assert render_diff(TEXT, [], "a") == ""


def test_changes_that_are_far_apart_stand_in_hunks_of_their_own() -> None:
    edits = [
        Edit(0, 0, "top\n"),
        Edit(TEXT.index("20"), TEXT.index("20") + 2, "twenty"),
        Edit(len(TEXT), len(TEXT), "end"),
    ]
    assert render_diff(TEXT, edits, "a") == (
        "--- a\n+++ a\n@@ -1,3 +1,4 @@\n+top\n line 1\n line 2\n line 3\n"
        "@@ -17,7 +18,7 @@\n line 17\n line 18\n line 19\n-line 20\n+line twenty\n line 21\n line 22\n line 23\n"
        "@@ -28,3 +29,4 @@\n line 28\n line 29\n line 30\n+end\n\\ No newline at end of file\n"
    )


@pytest.mark.parametrize("text", ["a", "a\nb", "\n"])
def test_a_missing_line_end_is_said(text: str) -> None:
    diff = render_diff(text, [Edit(0, 0, "x")], "a")
    assert diff.count("\\ No newline at end of file") == (2 if text == "a" else 1 if text == "a\nb" else 0)
