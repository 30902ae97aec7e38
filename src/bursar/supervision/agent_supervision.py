"""The time of one process of an attempt, from the agent's start to its end: it is heard, metered and, if it must be,
stopped. What it came to is put together at the end.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import inf, isinf
from pathlib import Path
from typing import Protocol

from bursar.agents import LineSplitter, open_reader
from bursar.budget import Amount
from bursar.clock import Clock
from bursar.errors import BursarError
from bursar.events import AgentEvent, CallReported, SessionEnded, WindowTold
from bursar.metering import Meter, UsageDelta
from bursar.supervision.agent_home import AgentHome
from bursar.supervision.agent_process import AgentProcess
from bursar.supervision.inbox import Inbox
from bursar.supervision.limits import LimitWatch, cut_file
from bursar.supervision.remarks import describe_rejections, read_last_line
from bursar.supervision.spec import STDERR_FILE, AttemptSpec, Ending, Outcome, take_grace
from bursar.supervision.spending import Spending
from bursar.supervision.stop_ladder import StopLadder
from bursar.supervision.windows import WindowNotes
from bursar.supervision.wrapping_up import WrapUp

_CHUNK_BYTES = 1 << 18
_LONGEST_MESSAGE = 2000
_UNWATCHED_SECONDS = 1.0  # most of what a look at processes and disk costs, short attempts need not pay


class Log(Protocol):
    """Where a copy of what the agent prints goes."""

    def write(self, content: bytes, /) -> object:
        """The copy goes on with `content`; what that answers means nothing.

        Raises:
            OSError: it could not be written.
        """
        ...


class Supervision:
    """The time from the agent's start to its end."""

    def __init__(
        self,
        spec: AttemptSpec,
        agent: AgentProcess,
        spending: Spending,
        clock: Clock,
        stream: Log,
        wake: int,
        inbox: Inbox | None = None,
        *,
        prefix: str = "",
    ) -> None:
        """`prefix` goes before the ids of its calls, where another process of the attempt may have the same."""
        self._prefix = prefix
        self._calls_before = spending.calls
        self._agent = agent
        self._is_sandboxed = spec.is_sandboxed
        self._spending = spending
        self._clock = clock
        self._stream = stream
        self._wake = wake
        self._meter = Meter(spec.model, output_cap=spec.output_cap)
        self._inbox = Inbox() if inbox is None else inbox
        self._reader = open_reader(spec.reader, {**spec.environment, **self._inbox.variables})
        self._splitter = LineSplitter()
        self._home = AgentHome(spec.home, Path(spec.directory))
        self._ladder = StopLadder(spec.stop_ladder)
        self._directory = Path(spec.directory)
        self._complaints = self._directory / STDERR_FILE
        self._log_bytes = spec.limits.log_bytes
        self._left_out = 0
        self._is_cut_off = False
        self._windows = WindowNotes(self._directory)
        self._wrap_up = WrapUp(spec.wrap_up, spending, clock.now)
        self._started_at = clock.monotonic()
        places = [Path(place) for place in spec.own_folders]
        self._limits = LimitWatch(spec.limits, places, self._started_at + _UNWATCHED_SECONDS)
        self._ends_at = None if spec.limit_seconds is None else self._started_at + spec.limit_seconds
        self._grace_ends_at = inf
        self._ending = Ending.EXITED
        self._limit = ""
        self._is_open = True
        self._has_spoken = False

    def run(self) -> tuple[Outcome, Amount]:
        """Listens until the agent has ended and nothing that it started is left; then what is known of it."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._agent.output, selectors.EVENT_READ, self._read)
            selector.register(self._agent.pidfd, selectors.EVENT_READ, self._agent.reap)
            selector.register(self._wake, selectors.EVENT_READ, self._interrupted)
            self._inbox.join(selector)
            while self._agent.exit_code is None and not self._is_kill_due():
                for key, _ in selector.select(self._seconds_to_wait()):
                    handler: Callable[[], None] = key.data
                    handler()
                    if not self._is_open and key.fd == self._agent.output:
                        selector.unregister(key.fd)
                self._hear_telemetry()
                self._hear_log()
                self._home.look_after()
                self._look_at_limits()
        is_clear = self._agent.clear()
        while chunk := self._next_chunk():
            self._hear_chunk(chunk)
        self._inbox.close()
        self._hear_telemetry()
        if (last := self._splitter.finish()) is not None:
            self._hear(last)
        for event in self._reader.poll() + self._reader.finish():
            self._take(event)
        self._agent.close()
        self._wrap_up.end()
        self._home.close()
        unknown = self._unknown()
        return self._outcome(unknown, is_clear), unknown

    def _look_at_limits(self) -> None:
        """One that takes too much of the machine is stopped; one with too many processes without being asked."""
        now = self._clock.monotonic()
        self._left_out += cut_file(self._complaints, self._log_bytes)
        if excess := self._limits.excess_of_processes(now):
            self._stop(Ending.EXCESS, excess)
            self._is_cut_off = True
        elif excess := self._limits.excess_of_disk(now):
            self._stop(Ending.EXCESS, excess)

    def _unknown(self) -> Amount:
        """What to charge beyond what was metered.

        An agent announces its session before its first call. One that gave up by itself without a word has called
        nothing; one that was cut off, or claims success, without a word may have: then the hold is charged.
        """
        has_called = self._spending.calls > self._calls_before
        if self._meter.session_id is None and not has_called and self._meter.ended is None:
            gave_up = self._ending is Ending.EXITED and (self._agent.exit_code or 0) > 0 and not self._has_spoken
            return Amount(0, 0) if gave_up else self._spending.whole_hold()
        return self._spending.unknown(self._meter.unknown_call())

    def _read(self) -> None:
        """Takes what the pipe holds. If usage was in it, the agent has been paused: then all that it holds is taken.

        So an agent never runs ahead of its books, however fast its calls are: when it goes on, everything that it has
        reported is written and judged.
        """
        while chunk := self._next_chunk():
            self._hear_chunk(chunk)
            if not self._agent.is_paused:
                return
        self._climb(self._clock.monotonic())
        self._agent.resume()

    def _next_chunk(self) -> bytes:
        """What the pipe holds now; empty if that is nothing, or if it is closed for good."""
        try:
            chunk = os.read(self._agent.output, _CHUNK_BYTES)
        except BlockingIOError:
            return b""
        self._has_spoken = self._has_spoken or bool(chunk)
        self._is_open = bool(chunk)
        return chunk

    def _hear_chunk(self, chunk: bytes) -> None:
        with suppress(OSError):  # a copy for people to look at: a full disk must not keep its usage from the books
            self._stream.write(chunk)
        for line in self._splitter.feed(chunk):
            self._hear(line)

    def _hear_telemetry(self) -> None:
        """Takes what the agent's telemetry has told since it was last heard."""
        for body in self._inbox.take():
            for event in self._reader.feed_telemetry(body):
                self._take(event)

    def _hear_log(self) -> None:
        """Takes what the agent's own log has, for a CLI whose stream does not tell its calls."""
        for event in self._reader.poll():
            self._take(event)
        if self._agent.is_paused:
            self._climb(self._clock.monotonic())
            self._agent.resume()

    def _hear(self, line: bytes) -> None:
        for event in self._reader.feed_line(line):
            self._take(event)

    def _take(self, event: AgentEvent) -> None:
        if isinstance(event, WindowTold):
            self._windows.note(event, self._clock.now())
            self._wrap_up.look_at_window(event)
            return
        for delta in self._meter.feed(event):
            self._record(delta)
        if self._may_judge(event):
            self._judge()

    def _record(self, delta: UsageDelta) -> None:
        """Each on its own: one that the ledger does not take must not hide the others from the outcome."""
        if self._spending.is_limited:
            self._agent.pause()
        try:
            self._spending.record(replace(delta, call_id=f"{self._prefix}{delta.call_id}") if self._prefix else delta)
        except BursarError as error:
            self._stop(Ending.LEDGER_FAILED, error.message)

    def _judge(self) -> None:
        try:
            limit = self._spending.limit_reached()
        except BursarError as error:
            self._stop(Ending.LEDGER_FAILED, error.message)
        else:
            if limit:
                self._stop(Ending.LIMIT, limit)
            else:
                self._wrap_up.look_at_money()

    def _may_judge(self, event: AgentEvent) -> bool:
        """Limits are judged between calls: a call that is being answered is paid for anyway, and may be the last."""
        if self._ladder.is_begun or self._meter.ended is not None or isinstance(event, SessionEnded):
            return False
        return not event.is_streaming if isinstance(event, CallReported) else self._spending.calls > 0

    def _interrupted(self) -> None:
        """Somebody wants the attempt to end: at once, or after the time that the agent is given to wrap up."""
        os.read(self._wake, 64)
        grace = take_grace(self._directory)
        if grace and not self._ladder.is_begun and self._wrap_up.ask_to_end():
            self._grace_ends_at = min(self._grace_ends_at, self._clock.monotonic() + grace)
        else:
            self._stop(Ending.INTERRUPTED)

    def _stop(self, ending: Ending, limit: str = "") -> None:
        if not self._ladder.is_begun:
            self._ending = ending
            self._limit = limit
            self._ladder.begin(self._clock.monotonic())

    def _seconds_to_wait(self) -> float | None:
        now = self._clock.monotonic()
        if self._ends_at is not None and now >= self._ends_at:
            self._stop(Ending.TIMEOUT)
        if now >= self._grace_ends_at:
            self._stop(Ending.INTERRUPTED)
        self._climb(now)
        due = None if self._ends_at is None else self._ends_at - now
        grace = None if isinf(self._grace_ends_at) else self._grace_ends_at - now
        waits = [self._reader.poll_seconds, due, grace, self._limits.seconds_left(now)]
        if self._ladder.is_begun:
            waits = [self._reader.poll_seconds, self._ladder.seconds_left(now)]
        return min((wait for wait in waits if wait is not None), default=None)

    def _climb(self, now: float) -> None:
        """Every rung of the stop ladder that is due is sent."""
        while rung := self._ladder.due(now):
            self._agent.send(rung)

    def _is_kill_due(self) -> bool:
        return self._is_cut_off or self._ladder.is_exhausted(self._clock.monotonic())

    def _last_words(self) -> str:
        """The end of what an agent that failed has written on stderr; nothing of one that was stopped."""
        has_failed = self._ending is Ending.EXITED and self._agent.exit_code != 0
        return read_last_line(self._complaints) if has_failed else ""

    def _outcome(self, unknown: Amount, is_clear: bool) -> Outcome:
        said, metered = self._meter.ended, self._spending.metered
        # Finished work stays: the agent may have been faster than our signal.
        has_finished = said is not None and not said.is_error and self._agent.exit_code == 0
        return Outcome(
            ending=Ending.EXITED if has_finished else self._ending,
            exit_code=self._agent.exit_code,
            is_error=None if said is None else said.is_error,
            message=self._last_words() if said is None else _shortened(said.message),
            denied_permissions=[] if said is None else list(said.denied_permissions),
            metered_tokens=metered.tokens,
            metered_nano_usd=metered.nano_usd,
            unknown_tokens=unknown.tokens,
            unknown_nano_usd=unknown.nano_usd,
            calls=self._spending.calls,
            wall_seconds=round(self._clock.monotonic() - self._started_at, 3),
            session_id=self._meter.session_id,
            limit=self._limit,
            resets_at=self._windows.resets_at(said, self._clock.now()) or self._wrap_up.resets_at,
            differences=[str(difference) for difference in self._meter.differences],
            remarks=[*self._wrap_up.remarks(), *self._spending.remarks(), *describe_rejections(self._meter)],
            tokens_by_provenance=self._spending.tokens_by_provenance(unknown),
            rejected_lines=self._meter.rejected_lines,
            leftovers_killed=is_clear,
            was_sandboxed=self._is_sandboxed,
            left_out_bytes=self._left_out + cut_file(self._complaints, self._log_bytes),
            told_at=self._wrap_up.told_at,
            told_why=self._wrap_up.why,
            has_heard=self._wrap_up.was_heard,
        )


def _shortened(message: str) -> str:
    """The message, or of a long one its beginning and its end, which says how it went."""
    if len(message) <= _LONGEST_MESSAGE:
        return message
    half = _LONGEST_MESSAGE // 2
    return f"{message[:half]}\n…\n{message[-half:]}"
