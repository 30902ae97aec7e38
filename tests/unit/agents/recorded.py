"""Recorded streams and logs, played back to a reader as its agent would have let it see them."""

from __future__ import annotations

from pathlib import Path

from bursar.agents import LineSplitter, StreamReader, open_reader
from bursar.events import AgentEvent
from bursar.metering import Meter

FIXTURES = Path(__file__).parent / "fixtures"
CODEX_ID = "01a1fe80-0000-7000-8000-000000000001"
LOG_PLACES = {
    "codex": f".codex/sessions/2026/11/21/rollout-2026-11-21T00-00-00-{CODEX_ID}.jsonl",
    "gemini": f".gemini/tmp/worktree/chats/session-2026-11-21T00-00-{CODEX_ID[:8]}.jsonl",
}


def stream_of(agent: str, case: str) -> bytes:
    """What the CLI printed."""
    return (FIXTURES / agent / f"{case}.jsonl").read_bytes()


def put_log(agent: str, case: str, home: Path, *, content: bytes | None = None) -> Path | None:
    """What the CLI had logged at its end lies where the reader looks for it; None where the CLI has no log."""
    if agent not in LOG_PLACES:
        return None
    place = home / LOG_PLACES[agent]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes((FIXTURES / agent / f"{case}.log.jsonl").read_bytes() if content is None else content)
    return place


def reader_of(agent: str, home: Path) -> StreamReader:
    """A reader for a process with that home."""
    return open_reader(agent, {"HOME": str(home)})


def play(reader: StreamReader, chunks: list[bytes]) -> list[AgentEvent]:
    """All events of a process that printed these chunks and ended."""
    splitter = LineSplitter()
    events: list[AgentEvent] = []
    for chunk in chunks:
        for line in splitter.feed(chunk):
            events += reader.feed_line(line)
        events += reader.poll()
    if (last := splitter.finish()) is not None:
        events += reader.feed_line(last)
    return [*events, *reader.poll(), *reader.finish()]


def play_part(reader: StreamReader, part: bytes) -> list[AgentEvent]:
    """The events of whole lines of a process that goes on."""
    return [event for line in part.splitlines() for event in reader.feed_line(line)]


def metered(events: list[AgentEvent], model: str = "some-model") -> Meter:
    """A meter that heard the events."""
    meter = Meter(model)
    for event in events:
        meter.feed(event)
    return meter
