"""An agent's own stream, counted call by call and priced, in a program of your own.

    claude -p "…" --output-format stream-json --verbose --include-partial-messages | python examples/embed_meter.py
    python examples/embed_meter.py --sample          a short stream that breaks off in its second call

`open_reader` knows codex, gemini and opencode, too; for others feed the meter `CallReported` events of your own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from bursar.agents import LineSplitter, open_reader
from bursar.events import AgentEvent
from bursar.metering import Meter
from bursar.money import format_usd
from bursar.pricing import load_prices

MODEL = "claude-haiku-4-5"


def read(chunks: Iterable[bytes]) -> Iterator[AgentEvent]:
    """What the agent says, however its bytes are cut."""
    reader, splitter = open_reader("claude"), LineSplitter()
    for chunk in chunks:
        for line in splitter.feed(chunk):
            yield from reader.feed_line(line)
    if (last := splitter.finish()) is not None:
        yield from reader.feed_line(last)
    yield from reader.finish()


def count(events: Iterable[AgentEvent]) -> None:
    """Tells each increase as it comes, and in the end what nobody will tell any more."""
    meter, prices, costs = Meter(MODEL), load_prices(datetime.now(UTC)), dict[str, int | None]()
    for event in events:
        for delta in meter.feed(event):
            sys.stdout.write(f"{delta.call_id}: {delta.usage.total_tokens:,} tokens more\n")
            # The call so far is priced, not its parts: a rate may depend on the size of the call.
            costs[delta.call_id] = prices.cost_nano_usd(delta.model, delta.call_usage)
    known = [cost for cost in costs.values() if cost is not None]  # an unknown price is unknown, never 0
    told = format_usd(sum(known)) if len(known) == len(costs) else "at an unknown price"
    sys.stdout.write(f"{meter.total.total_tokens:,} tokens in {meter.call_count} calls, {told}\n")
    if (lost := meter.unknown_call()) is not None:  # it will be on the bill, too: charge it at its bound
        sys.stdout.write(f"and up to {lost.bound:,} tokens that were never reported\n")


def sample() -> Iterator[bytes]:  # two calls; the second is cut off
    usage = {"input_tokens": 4_000, "cache_read_input_tokens": 20_000, "output_tokens": 1}
    one, two = ({"role": "assistant", "id": name, "model": MODEL, "usage": usage} for name in ("msg_1", "msg_2"))
    ended = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 900}}
    for event in ({"type": "message_start", "message": one}, ended, {"type": "message_start", "message": two}):
        yield json.dumps({"type": "stream_event", "session_id": "s", "event": event}).encode() + b"\n"


if __name__ == "__main__":
    count(read(sample() if "--sample" in sys.argv else sys.stdin.buffer))
