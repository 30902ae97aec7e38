"""What the readers of CLIs have in common whose stream tells what they do, and whose log what they use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from bursar.agents.lines import MAX_LINE_BYTES
from bursar.agents.session_log import SessionLog, SideLog
from bursar.events import AgentEvent, LineRejected, SessionEnded
from bursar.usage import NOTHING, Usage

POLL_SECONDS = 0.1


class LoggedReader:
    """Reads one process: its stream, and its session log as soon as the stream has named it.

    The closing statement is held back until the log has told everything that it sums up, at most to the end: a call
    that the log tells after the statement would be counted twice.
    """

    def __init__(self) -> None:
        self.log: SessionLog | None = None
        self._side_logs: dict[Path, SessionLog] = {}
        self._held_back: SessionEnded | None = None

    def read_line(self, line: bytes) -> Iterator[AgentEvent]:
        """The events of one line of the stream; may raise what decoders raise."""
        raise NotImplementedError

    def find_side_logs(self) -> Iterable[Path]:
        """Logs of sub-agents of this session that are there by now."""
        return ()

    def open_side_log(self, path: Path) -> SideLog:
        """A sub-agent's log, to be read from its beginning."""
        raise NotImplementedError

    def accounted(self) -> Usage:
        """What the logs tell of all that the closing statement sums up."""
        return NOTHING if self.log is None else self.log.total

    @property
    def side_total(self) -> Usage:
        """What the sub-agents used, as far as their logs were read."""
        return sum((log.total for log in self._side_logs.values()), NOTHING)

    @property
    def poll_seconds(self) -> float | None:
        """Calls are in the log alone."""
        return POLL_SECONDS

    def poll(self) -> tuple[AgentEvent, ...]:
        """What the session log has to add; and the closing statement, if that was what it waited for."""
        self._find_side_logs()
        return self._poll_logs() + self._release()

    def feed_telemetry(self, body: bytes) -> tuple[AgentEvent, ...]:
        """It has none."""
        return ()

    def finish(self) -> tuple[AgentEvent, ...]:
        """The last of the log, and the closing statement if the log never came to its sum."""
        self._find_side_logs()
        events = self._poll_logs()
        for log in self._all_logs():
            events += log.close()
        statement, self._held_back = self._held_back, None
        return events if statement is None else (*events, statement)

    def _find_side_logs(self) -> None:
        for path in self.find_side_logs():
            if path not in self._side_logs:
                self._side_logs[path] = self.open_side_log(path)

    def _poll_logs(self) -> tuple[AgentEvent, ...]:
        if not self._side_logs:
            return () if self.log is None else self.log.poll()
        return tuple(event for log in self._all_logs() for event in log.poll())

    def _all_logs(self) -> Iterator[SessionLog]:
        if self.log is not None:
            yield self.log
        yield from self._side_logs.values()

    def feed_line(self, line: bytes) -> tuple[AgentEvent, ...]:
        """The events of one line, after those that the log has had until now. Never raises on hostile input."""
        if not line.strip():
            return ()
        return self._poll_logs() + self._release() + self._checked(line) + self._release()

    def _checked(self, line: bytes) -> tuple[AgentEvent, ...]:
        if len(line) > MAX_LINE_BYTES:
            return (LineRejected(reason=f"a line of more than {MAX_LINE_BYTES} bytes"),)
        try:
            return tuple(event for event in self.read_line(line) if not self._holds_back(event))
        except UnicodeDecodeError:
            return self._checked(line.decode(errors="replace").encode())
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            return (LineRejected(reason=f"{str(error)[:80]}: {line[:80]!r}"),)

    def _holds_back(self, event: AgentEvent) -> bool:
        if not isinstance(event, SessionEnded) or stated_usage(event) == NOTHING:
            return False
        self._held_back = event
        return True

    def _release(self) -> tuple[AgentEvent, ...]:
        statement = self._held_back
        if statement is None or self.log is None or self.accounted() != stated_usage(statement):
            return ()
        self._held_back = None
        return (statement,)


def stated_usage(statement: SessionEnded) -> Usage:
    """All that a closing statement says was used."""
    return sum(statement.usage_by_model.values(), statement.main_usage or NOTHING)
