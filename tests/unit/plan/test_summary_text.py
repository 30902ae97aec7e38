"""What is read from SUMMARY and VERIFICATION files of many authors."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.plan import render_summary
from bursar.plan.summary_text import MAX_TEXT, VerificationText, parse_summary, parse_verification
from tests.unit.plan.test_plan_summary import SUMMARY

WRITTEN = """\
---
phase: 03-desk
plan: 01
provides:
  - a desk
key-files:
  created: [src/desk.py]
  modified:
    - src/app.py (routes)
    - "`docs/desk.md`"
key-decisions:
  - "One desk: simpler"
  - choice: No queue
    rationale: nobody waits
    alternatives: [a queue]
  - Paper: none
metrics:
  duration: 4min
  completed: 2026-02-03
---

# Phase 3 Plan 01: The desk

**A desk where books are lent, with tests**

## Performance
- **Duration:** 4 min
"""

PAGE = """\
# Summary

## What was built

Things.

## Files Created
- `src/a.py` - new
- `src/b.py`（two）

### Files Modified

1. `src/c.py` — routes
* None

## Decisions Made
- Keep it small
- None otherwise

## Key Technical Decisions
- **SQLite**: no server

## Issues
- not a decision
"""


def test_front_matter_of_a_usual_summary() -> None:
    found = parse_summary(WRITTEN)
    assert found.outcome == "A desk where books are lent, with tests"
    assert (found.completed, found.duration, found.status) == ("2026-02-03", "4min", "complete")
    assert found.provides == ("a desk",)
    assert found.files == ("src/desk.py", "src/app.py", "docs/desk.md")
    assert found.decisions == ("One desk: simpler", "No queue (nobody waits)", "Paper: none")
    assert (found.tokens, found.cost_usd) == (None, None)


def test_headings_where_there_is_no_front_matter() -> None:
    found = parse_summary(PAGE)
    assert found.files == ("src/a.py", "src/b.py", "src/c.py")
    assert found.decisions == ("Keep it small", "**SQLite**: no server")
    assert found.outcome == "Things."


def test_our_own_summary() -> None:
    found = parse_summary(render_summary(replace(SUMMARY, provides=("lending",))))
    assert (found.tokens, found.cost_usd, found.duration) == (45_000, "0.42", "12min")
    assert (found.outcome, found.provides) == ("Lend books.", ("lending",))
    assert found.files == ("src/new.py", "src/lend.py", "a|b.py")
    assert found.completed == (datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(seconds=661)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("# T\n\n**One-liner:** It works\n", "It works"),
        ("# T\n\n**Outcome**: It works", "It works"),
        ("# T\n\n**Phase:** 4\n\nIt works.", "It works."),
        ("# T\n\n> It\n> works\n", "It works"),
        ("---\none-liner: It works\n---\n# T\n\nOther", "It works"),
        ("# T\r\n\r\nIt works\r\n", "It works"),
        ("\ufeff# T\n\nIt works", "It works"),
        ("It works, without a title", "It works, without a title"),
        ("# T\n\n- a list\n", ""),
        ("", ""),
    ],
)
def test_the_outcome(text: str, outcome: str) -> None:
    assert parse_summary(text).outcome == outcome


def test_a_status_is_said_in_lower_case() -> None:
    assert parse_summary("---\nstatus: Halted\n---\n").status == "halted"


def test_broken_front_matter_is_not_an_error() -> None:
    found = parse_summary('---\nphase: "a\\(b"\n---\n# T\n\nIt works\n')
    assert found.outcome == "It works"


def test_long_texts_are_cut_and_paths_are_not() -> None:
    path = "src/" + "d/" * 400 + "a.py"
    found = parse_summary(f"---\nkey-files:\n  created: [{path}]\ndecisions: ['{'word ' * 400}']\n---\n")
    assert found.files == (path,)
    assert len(found.decisions[0]) == MAX_TEXT


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("---\nstatus: passed\nscore: 7/7 verified\n---\n", VerificationText("passed", "7/7 verified")),
        ("---\nstatus: Gaps_Found  \n---\n", VerificationText("gaps_found", None)),
        ("# All good\n", VerificationText(None, None)),
        ("---\nstatus: [a]\n---\n", VerificationText(None, None)),
    ],
)
def test_verifications(text: str, verdict: VerificationText) -> None:
    assert parse_verification(text) == verdict


PARTS = st.sampled_from(
    [
        "---\n",
        "# T\n",
        "\n\n",
        "key-files:\n",
        "  created:\n",
        "    - a.py\n",
        "decisions: {a: [b]}\n",
        "metrics: 3\n",
        "execution: {total_subagent_tokens: 1e9}\n",
        "## Files Created\n",
        "- `x`\n",
        "**Outcome:**",
        "provides: null\n",
        "> ",
    ]
)


@given(st.lists(PARTS | st.text(max_size=6), max_size=20).map("".join))
def test_any_text_is_read(text: str) -> None:
    assert parse_summary(text).status
    parse_verification(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["# ", "## Files ", "- `a` ", "**Outcome**", "> ", "**", "created and ", "\n\n"])
def test_large_hostile_text_ends_soon(part: str) -> None:
    """Not a timing: a search that is not linear takes minutes."""
    for text in ("# T\n\n" + part * 100_000, "## Files Created\n" + part * 100_000 + "x"):
        parse_summary(text)
