"""An agent's own log of its session, followed while it is written, for CLIs whose stream does not tell their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.log_follower import LogFollower
from bursar.events import AgentEvent, CallReported, LineRejected, ToolReturned
from bursar.usage import NOTHING, Usage

_MOST_SKIPS = 20  # a log that never comes is not looked for at each of a hundred thousand lines
FindLog = Callable[[], Path | None]
ReadLine = Callable[[bytes], Iterator[AgentEvent]]


class SessionLog:
    """The calls and tool results of one session, in the order in which they happened.

    Args:
        find: where the log is; None while it is not there yet. It is asked until it has an answer.
        read_line: the events of one line of it; may raise what decoders raise.
        before: so many bytes of it are of earlier processes: they are read, and told nobody.
    """

    def __init__(self, find: FindLog, read_line: ReadLine, *, before: int = 0) -> None:
        self._find = find
        self._read_line = read_line
        self._before = before
        self._earlier: dict[str, Usage] = {}
        self._follower: LogFollower | None = None
        self._usage: dict[str, Usage] = {}
        self._failures = 0
        self._skips = 0

    @property
    def path(self) -> Path | None:
        """Where it lies; None while it is not there."""
        return None if self._follower is None else self._follower.path

    @property
    def is_found(self) -> bool:
        """Whether the log is there and read."""
        return self._follower is not None

    @property
    def total(self) -> Usage:
        """What all calls in it used, as far as it was read; those of earlier processes left out."""
        return sum(self._usage.values(), NOTHING)

    @property
    def earlier(self) -> Usage:
        """What the calls of earlier processes used."""
        return sum(self._earlier.values(), NOTHING)

    def poll(self) -> tuple[AgentEvent, ...]:
        """What came to it since it was last asked."""
        if self._follower is None and self._skips > 0:
            self._skips -= 1
            return ()
        if self._follower is None:
            self._follower = self._open()
        return () if self._follower is None else self._events(self._follower.poll())

    def close(self) -> tuple[AgentEvent, ...]:
        """The last of it."""
        self._skips = 0
        events = self.poll()
        return events if self._follower is None else events + self._events(self._follower.close())

    def _open(self) -> LogFollower | None:
        try:
            if (path := self._find()) is not None:
                return LogFollower(path)
        except OSError:
            pass  # it may be readable later
        self._failures += 1
        self._skips = min(self._failures, _MOST_SKIPS)
        return None

    def _events(self, lines: list[bytes]) -> tuple[AgentEvent, ...]:
        return tuple(event for line in lines for event in self._checked(line))

    def _checked(self, line: bytes) -> Iterator[AgentEvent]:
        if self._before <= 0:
            yield from self._understood(line)
            return
        self._before -= len(line) + 1
        for event in self._understood(line):
            if isinstance(event, CallReported) and event.usage is not None:
                self._earlier[event.call_id] = self._usage.pop(event.call_id)

    def _understood(self, line: bytes) -> Iterator[AgentEvent]:
        if len(line) > MAX_LINE_BYTES:
            yield LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes in the session log")
            return
        try:
            for event in self._read_line(line):
                if isinstance(event, CallReported) and event.call_id in self._earlier and self._before <= 0:
                    continue  # said again
                if isinstance(event, CallReported) and event.usage is not None:
                    self._usage[event.call_id] = self._usage.get(event.call_id, NOTHING).merged(event.usage)
                yield event
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            yield LineRejected(reason=f"session log: {str(error)[:80]}: {line[:80]!r}")


class SideLog(SessionLog):
    """The log of a sub-agent, which lies there already: all that is in it belongs to a side chain."""

    def __init__(self, path: Path, read_line: ReadLine) -> None:
        super().__init__(lambda: path, lambda line: map(_on_the_side, read_line(line)))


def _on_the_side(event: AgentEvent) -> AgentEvent:
    return replace(event, is_side_chain=True) if isinstance(event, CallReported | ToolReturned) else event
