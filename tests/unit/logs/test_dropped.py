"""Why ccusage counts a line otherwise: each change was tried on ccusage 20.0.24 itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bursar.logs.dropped import find_dropped, find_refused, find_repeated, why_dropped, why_priced_otherwise
from tests.unit.logs.transcripts import encode, line, usage

EMPTY = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}


def without(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != name}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (line(), None),
        (line(at="2026-11-18T10:00:00Z"), None),
        (line(at="2026-11-18T10:00:00.000+05:30"), None),
        (line(at="2026-11-18T10:00:00.123456Z"), "a time in a form that it does not read"),
        (line(at="2026-11-18T10:00:00"), "a time in a form that it does not read"),
        (line(usage=usage(cache_creation=EMPTY)), "cache writes that are not split count as none"),
        (line(usage=usage(cache_creation={})), "cache writes that are not split count as none"),
        (line(usage=usage(cache_creation=EMPTY, cache_creation_input_tokens=0)), None),
        (line(request=""), "`requestId` is empty"),
        (line(sessionId=""), "`sessionId` is empty"),
        (line(model=""), "`model` is empty"),
        (line(usage=without(usage(), "output_tokens")), "`output_tokens` is missing"),
        (line(usage=usage(input_tokens=None)), "`input_tokens` is missing"),
    ],
)
def test_why_a_line_is_left_out(changed: dict[str, Any], reason: str | None) -> None:
    assert why_dropped(encode(changed | {"parentUuid": "u"})) == reason


def test_the_cost_that_a_log_states_is_a_reason() -> None:
    because = why_priced_otherwise(encode(line(costUSD=0.5)))
    assert because == "the log itself states a cost (`costUSD`), which ccusage takes"
    assert why_priced_otherwise(encode(line())) is None


def test_repeats_without_a_request_are_found(tmp_path: Path) -> None:
    """ccusage takes each for a call of its own; the first is one to bursar, too, and so is what has a request."""
    folder = tmp_path / "projects" / "-w"
    folder.mkdir(parents=True)
    bare, other = without(line("m1", at="2026-11-18T10:00:00.001Z"), "requestId"), without(line("m2"), "requestId")
    (folder / "s.jsonl").write_bytes(
        encode(bare, other, bare | {"timestamp": "2026-11-19T10:00:00.002Z"}, line(), line())
    )
    (found,) = find_repeated({"CLAUDE_CONFIG_DIR": str(tmp_path)})
    assert (found.at, found.reason) == (1_795_082_400_002, "a record without `requestId` is never a repeat to it")


def test_a_call_before_1970_is_refused_by_its_day(tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "-w"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_bytes(encode(line(at="1969-12-31T00:00:00.000Z")))
    (found,) = find_refused({"CLAUDE_CONFIG_DIR": str(tmp_path)})
    assert (found.at, found.reason) == (-86_400_000, "a count or a time that no call can have")
    assert json.loads((folder / "s.jsonl").read_bytes())["timestamp"].startswith("1969")


def test_a_last_line_without_an_end_is_looked_at_too(tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "-w"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_bytes(encode(line(), line("m2", request="")).rstrip(b"\n"))
    assert [found.reason for found in find_dropped({"CLAUDE_CONFIG_DIR": str(tmp_path)})][-1] == "`requestId` is empty"
