"""Streams recorded from the real CLI (2.1.329) against the fake model server, whose bill is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.agents import open_reader
from bursar.metering import Meter
from bursar.usage import Usage

FIXTURES = Path(__file__).parent / "fixtures" / "claude"
ONE = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=50)
SECOND = Usage(input_tokens=7, cache_read_tokens=1200, cache_write_1h_tokens=5, output_tokens=777)
CUT = Usage(input_tokens=1000, cache_read_tokens=200, cache_write_5m_tokens=30, output_tokens=1)

# name → what is metered, calls, exact (nothing unknown)
STREAMS: dict[str, tuple[Usage, int, bool]] = {
    "success-with-tools": (ONE + ONE + SECOND, 3, True),
    "model-reaches-the-server-haiku": (ONE, 1, True),
    "model-reaches-the-server-sonnet": (ONE, 1, True),
    "model-reaches-the-server-opus": (ONE, 1, True),
    "nested-agents-count": (ONE + ONE + ONE, 3, True),
    "permission-denied": (ONE + ONE, 2, True),
    "payment-required": (ONE, 1, True),
    "retry-after-refusal-429": (ONE, 1, True),
    "retry-after-refusal-529": (ONE, 1, True),
    "int-while-a-tool-runs": (ONE, 1, True),
    "int-while-streaming": (ONE, 1, False),
    "term-while-streaming": (ONE + CUT, 2, False),
    "cut-before-the-first-word": (ONE, 1, False),
    "cut-after-the-first-word": (CUT + ONE + ONE, 3, False),
    "unreachable-server": (Usage(), 0, True),
}


def metered(name: str) -> Meter:
    meter, reader = Meter("haiku"), open_reader("claude")
    for line in (FIXTURES / f"{name}.jsonl").read_bytes().splitlines():
        for event in reader.feed_line(line):
            meter.feed(event)
    return meter


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_stream(name: str) -> None:
    usage, calls, is_exact = STREAMS[name]
    meter = metered(name)
    assert (meter.total, meter.call_count, meter.rejected_lines) == (usage, calls, 0)
    assert (meter.unknown_call() is None) is is_exact


def test_every_recorded_stream_is_in_the_table() -> None:
    assert {path.stem for path in FIXTURES.glob("*.jsonl")} == STREAMS.keys()
