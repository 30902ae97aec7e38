"""The stream meter against a bare parse of the same bytes as JSON: `make bench`, or python benchmarks/meter.py.

Each agent's recorded sessions are strung together, with new ids, until there is enough of them; then the same bytes are
cut into lines and (a) parsed by `json`, (b) parsed by msgspec into plain objects, (c) read and metered: events, usage,
differences, what is in flight. CPU time of this process, the three in turn, several rounds; the median of each round's
ratio is printed. Above 1 the meter is faster than the parse, because it decodes only what it reads.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bursar.agents import LineSplitter, open_reader
from bursar.metering import Meter

STREAMS = Path(__file__).parents[1] / "tests" / "unit" / "agents" / "streams"
CHUNK_BYTES = 1 << 18
AIM = 0.7
_EDGES = re.compile(
    rb'"type":"(?:thread\.started|turn\.started|turn\.completed|turn\.failed|init|result)"|"subtype":"(?:init|success|error)'
)
_IDS = re.compile(rb"(msg_|prt_|resp_|toolu_|gemini-)([0-9a-zA-Z_]{6,})")


def main() -> int:
    """Prints a line for each agent."""
    parser = argparse.ArgumentParser(description="The stream meter against a bare JSON parse of the same bytes.")
    parser.add_argument("--megabytes", type=float, default=8.0, help="of stream for each agent")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--pieces", type=int, default=20, help="in which Claude Code's text is taken to come")
    options = parser.parse_args()
    print(f"{'agent':10} {'MB':>5} {'lines':>8} {'lines/s':>10} {'against json':>13} {'against msgspec':>16}")
    for agent in ("claude", "codex", "gemini", "opencode"):
        stream = make_stream(agent, int(options.megabytes * 1e6), options.pieces)
        lines = stream.count(b"\n")
        rounds = [measure(agent, stream) for _ in range(options.rounds)]
        seconds = statistics.median(metered for metered, _, _ in rounds)
        by_json = statistics.median(bare / metered for metered, bare, _ in rounds)
        by_msgspec = statistics.median(bare / metered for metered, _, bare in rounds)
        figures = f"{len(stream) / 1e6:5.1f} {lines:8,} {lines / seconds:10,.0f} {by_json:12.2f}× {by_msgspec:15.2f}×"
        print(f"{agent:10} {figures}")
    print(f"ratios of lines per second; aim: at least {AIM} of a bare parse")
    return 0


def make_stream(agent: str, size: int, pieces: int) -> bytes:
    """One long session out of all that was recorded of that agent: begun and ended once, each call with ids of its own.

    A recorded answer comes in one piece; real ones come in many, so each piece of text is there `pieces` times.
    """
    paths = sorted((STREAMS / agent).glob("*.jsonl"))
    recorded = [path.read_bytes() for path in paths if path.name.count(".") == 1 and "json-" not in path.name]
    assert recorded, f"no recorded streams of {agent}"
    lines = [line for stream in recorded for line in stream.splitlines(keepends=True)]
    first = next((line for line in lines if _EDGES.search(line[:200])), b"")
    body = [line for line in lines if not _EDGES.search(line[:200])]
    piece = b"".join(line * (pieces if b'"content_block_delta"' in line else 1) for line in body)
    parts, length = [first], 0
    while length < size:
        number = b"%x" % len(parts)
        parts.append(_IDS.sub(lambda found: found[1] + number + b"x" + found[2], piece))  # noqa: B023 - used at once
        length += len(parts[-1])
    return b"".join(parts)


def measure(agent: str, stream: bytes) -> tuple[float, float, float]:
    """CPU seconds of the meter, of `json`, of msgspec."""
    return (
        _timed(lambda: meter(agent, stream)),
        _timed(lambda: parse(stream, json.loads)),
        _timed(lambda: parse(stream, msgspec.json.decode)),
    )


def meter(agent: str, stream: bytes) -> None:
    """The stream is read and metered as its supervisor does it."""
    with tempfile.TemporaryDirectory() as home:
        reader, meter, splitter = open_reader(agent, {"HOME": home}), Meter("x"), LineSplitter()
        for at in range(0, len(stream), CHUNK_BYTES):
            for line in splitter.feed(stream[at : at + CHUNK_BYTES]):
                for event in reader.feed_line(line):
                    meter.feed(event)
        for event in reader.finish():
            meter.feed(event)


def parse(stream: bytes, decode: Callable[[bytes], object]) -> None:
    """Each line is parsed, and forgotten."""
    splitter = LineSplitter()
    for at in range(0, len(stream), CHUNK_BYTES):
        for line in splitter.feed(stream[at : at + CHUNK_BYTES]):
            decode(line)


def _timed(work: Callable[[], None]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    sys.exit(main())
