"""Run one agent process and listen to it as bursar does, without a ledger: for conformance tests of adapters."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bursar.agents import Agent, LaunchRequest, LineSplitter, StreamReader, furnish
from bursar.events import AgentEvent, SessionEnded
from bursar.metering import Meter, UsageDelta
from bursar.supervision import Inbox
from bursar.usage import NOTHING, Usage

EXIT_SECONDS = 20
PIPE_BYTES = 1 << 20  # as its supervisor gives it: Gemini CLI loses what is in a full pipe when it exits


@dataclass
class AgentRun:
    """One process, in a session of its own, and what was heard of it."""

    agent: Agent
    process: subprocess.Popen[bytes]
    meter: Meter
    reader: StreamReader
    inbox: Inbox = field(default_factory=Inbox)
    events: list[AgentEvent] = field(default_factory=list)
    deltas: list[UsageDelta] = field(default_factory=list)
    output: bytes = b""
    told: list[bytes] = field(default_factory=list)

    def listen(self) -> AgentRun:
        """Everything it prints is read and metered, and it has exited."""
        assert self.process.stdout is not None
        splitter, reader = LineSplitter(), self.reader
        with self.process.stdout as pipe, selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            self.inbox.join(selector)
            while (chunk := self._next_chunk(selector, pipe.fileno())) != b"":
                self.output += chunk or b""
                for line in splitter.feed(chunk or b""):
                    self._hear(reader.feed_line(line))
                self._hear(reader.poll())
            self.process.wait(timeout=EXIT_SECONDS)
        last = splitter.finish()
        self._hear(reader.feed_line(last) if last else ())
        self.inbox.close()
        self._hear_telemetry()
        self._hear(reader.poll() + reader.finish())
        return self

    def _next_chunk(self, selector: selectors.BaseSelector, pipe: int) -> bytes | None:
        """What it has printed; empty at the end, None if it was telemetry that came."""
        ready = selector.select()
        for key, _ in ready:
            if key.data is not None:
                key.data()
        self._hear_telemetry()
        return os.read(pipe, 65536) if any(key.fd == pipe for key, _ in ready) else None

    def _hear_telemetry(self) -> None:
        for body in self.inbox.take():
            self.told.append(body)
            self._hear(self.reader.feed_telemetry(body))

    def end_within(self, seconds: float) -> None:
        """It has ended, by itself or, when the time is up, by KILL; nothing is read of it any more."""
        self.process.stdin = None  # fed and closed: `communicate` would want to do it again
        try:
            self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
        self.inbox.close()

    def _hear(self, events: tuple[AgentEvent, ...]) -> None:
        for event in events:
            self.events.append(event)
            self.deltas += self.meter.feed(event)

    @property
    def exit_code(self) -> int:
        """As `subprocess` counts: negative for a signal."""
        assert self.process.returncode is not None
        return self.process.returncode

    @property
    def streamed(self) -> Usage:
        """What was known without the closing statement."""
        return sum((delta.usage for delta in self.deltas if delta.provenance == "streamed"), NOTHING)

    @property
    def statement(self) -> SessionEnded:
        """The closing statement, which must have come."""
        assert self.meter.ended is not None, "no closing statement"
        return self.meter.ended

    def wait_for_file(self, path: Path) -> None:
        """A tool of the agent has written the file. Fails if the agent exits before."""
        while not path.exists():
            try:
                self.process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"exited with {self.process.returncode} before {path.name} was there")


def start_agent(agent: Agent, request: LaunchRequest, environment: Mapping[str, str]) -> AgentRun:
    """The agent is started in its worktree and has its prompt; nothing has been read of it."""
    launch = agent.launch(request, environment)
    if launch.home is not None:
        furnish(launch.home)
    inbox = Inbox(launch.telemetry)
    process = subprocess.Popen(
        launch.argv,
        env={**launch.environment, **inbox.variables},
        cwd=request.worktree,
        stdin=subprocess.DEVNULL if launch.stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pipesize=PIPE_BYTES,
    )
    if process.stdin is not None:
        with process.stdin as pipe:
            pipe.write(launch.stdin or b"")
    meter = Meter(request.model, output_cap=launch.output_cap)
    reader = agent.reader({**launch.environment, **inbox.variables})
    return AgentRun(agent=agent, process=process, meter=meter, reader=reader, inbox=inbox)
