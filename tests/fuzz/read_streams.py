"""Feeds the agents' readers and the meter whatever reaches new code in them (`make fuzz`): spend never falls.

python -m tests.fuzz.read_streams [FILE] [-max_total_time=60] [-seed=1]     options of libFuzzer; FILE is tried alone

The first byte says whose stream it is; a line that begins with `!` is a message of telemetry. What cannot be
understood has to come out as `LineRejected`, never as an exception; no report may take back what was spent, and no
bound may be less than its floor. A finding is written to `crash-…` in the working directory; the seed is printed. Not
part of `make test`: what it has found becomes a test of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bursar.agents", "bursar.metering"]):
    from bursar.agents import LineSplitter, StreamReader, open_reader
    from bursar.events import AgentEvent, LineRejected
    from bursar.metering import Meter
    from bursar.usage import NOTHING

from tests.unit.agents.played import RECORDED

AGENTS = ("claude", "codex", "gemini", "opencode")
TELLING = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:1/x/v1/logs"}
TOKENS = [
    '"type":"assistant"', '"type":"result"', '"type":"stream_event"', '"type":"message_delta"', '"usage":{',
    '"input_tokens":', '"output_tokens":', '"modelUsage":{', '"message":{', '"request_id":"', '"type":"turn.completed"',
    '"type":"step_finish"', '"tokens":{', '"cache":{', '"stats":{', '"models":{', "-1", "1e400", "9999999999", "null",
    '"parent_tool_use_id":"', '"api_message_id":"', "[", "{", "\\x0a!",
]  # fmt: skip


def check(data: bytes) -> None:
    """The bytes as a process's output: it is read without an exception, and nothing that was spent is taken back."""
    if not data:
        return
    agent = AGENTS[data[0] % len(AGENTS)]
    reader, meter = open_reader(agent, {"HOME": "/nonexistent", **TELLING}), Meter("x")
    splitter = LineSplitter(1 << 16)
    lines = splitter.feed(data[1:])
    if (last := splitter.finish()) is not None:
        lines.append(last)
    for line in lines:
        hear(meter, _events(reader, line))
    hear(meter, (*reader.poll(), *reader.finish()))
    unknown = meter.unknown_call()
    assert unknown is None or 0 <= unknown.floor <= unknown.bound


def hear(meter: Meter, events: tuple[AgentEvent, ...]) -> None:
    """The meter hears them; each adds what its deltas say, and nothing falls."""
    for event in events:
        assert not isinstance(event, LineRejected) or len(event.reason) < 500
        before, summed = meter.total, NOTHING
        for delta in meter.feed(event):
            assert delta.usage.total_tokens > 0
            summed += delta.usage
        assert before + summed == meter.total
        assert meter.total == sum(meter.usage_by_model.values(), NOTHING)
        assert before.beyond(meter.total) == NOTHING


def _events(reader: StreamReader, line: bytes) -> tuple[AgentEvent, ...]:
    return reader.feed_telemetry(line[1:]) if line.startswith(b"!") else reader.feed_line(line)


def _entry(token: str) -> str:
    """A line of libFuzzer's dictionary."""
    quoted = token.replace('"', '\\"')
    return f'"{quoted}"\n'


def main() -> None:
    """Fuzzes from the recorded sessions on."""
    with tempfile.TemporaryDirectory(prefix="bursar-fuzz-") as folder:
        for number, recorded in enumerate(RECORDED):
            telemetry = b"".join(b"!" + line + b"\n" for line in recorded.part("telemetry.jsonl").splitlines())
            seed = bytes([AGENTS.index(recorded.agent)]) + telemetry + recorded.stream
            (Path(folder) / f"{number}.jsonl").write_bytes(seed)
        words = Path(folder) / "tokens"
        words.write_text("".join(map(_entry, TOKENS)))
        alone = any(not argument.startswith("-") for argument in sys.argv[1:])
        more = [] if alone else [folder, f"-dict={words}"]
        atheris.Setup([*sys.argv, *more], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
