"""What a person sees of a run while it is on: events, alerts, what instances say, and how everything stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bursar.cli.checkpoint_desk import CheckpointDesk
from bursar.errors import BursarError
from bursar.events import AlertFired, AttemptEnded, RunEvent, TaskWaited
from bursar.journal import AttemptRow
from bursar.notify import Notifier
from bursar.plan import OutputFormat
from bursar.reports import StreamFollower, build_run_status, fold, plain, render_event, render_status
from bursar.run import RunContext
from bursar.supervision import STREAM_FILE, read_outcome

_LOOK_SECONDS = 0.5
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What is shown: a status every so many seconds (0: never), with or without bars, in colour or not, and how wide
    the terminal is (None: it is none)."""

    status_seconds: float = 0.0
    with_bars: bool = True
    in_colour: bool = False
    width: Callable[[], int | None] = field(default=lambda: None)


class Watch:
    """Hears the events of one run and looks at its books; `say` gets every text, whole lines."""

    def __init__(self, notifier: Notifier, showing: Showing, say: Callable[[str], None]) -> None:
        self._notifier = notifier
        self._showing = showing
        self._out = say
        self._context: RunContext | None = None
        self._budgets: Sequence[str] = ()
        self._followers: dict[str, StreamFollower] = {}
        self._desk: CheckpointDesk | None = None
        self._rows: dict[str, AttemptRow] = {}

    def begin(self, context: RunContext, budgets: Sequence[str]) -> None:
        """The run has been taken up; `budgets`: names of its own, to be shown before anything is charged to them."""
        self._context = context
        self._budgets = [f"run-{context.run.id}/{name}" for name in budgets]

    def tell_desk(self, desk: CheckpointDesk | None) -> None:
        """From now on events go there too, where there is one."""
        self._desk = desk

    def hear(self, event: RunEvent) -> None:
        """The event is told; alerts, and what a person is asked, are sent to their targets too; of an instance that has
        ended its output is shown."""
        self._hear(event)
        if self._desk is not None:
            self._desk.come_back()

    def _say(self, text: str) -> None:
        if self._desk is not None:
            self._desk.step_aside()
        self._out(text)

    def _hear(self, event: RunEvent) -> None:
        self._say(fold(render_event(event, in_colour=self._showing.in_colour), self._showing.width()) + "\n")
        if isinstance(event, AlertFired):
            self._notifier.alert(event.level, event.message, at=event.at)
        if isinstance(event, TaskWaited) and event.once:
            self._notifier.alert("warning", f"task {event.task} ({event.name}): {event.because}", at=event.once)
        if self._desk is not None:
            self._desk.hear(event)
        if isinstance(event, AttemptEnded) and self._context is not None and event.task in self._context.instances:
            try:
                self._show_output(self._context, event)
            except BursarError as error:
                self._say(f"warning: what {event.name} said cannot be shown: {error.message}\n")
        for sentence in self._notifier.undelivered():
            self._say(f"warning: {sentence}\n")

    async def look(self) -> None:
        """Looks at the run until it is cancelled: streams are shown as they grow, the status when it is due."""
        context = self._context
        if context is None or not (self._showing.status_seconds or self._formats(context, OutputFormat.STREAM)):
            return
        clock, seconds = context.clock, self._showing.status_seconds
        due = clock.monotonic() + seconds
        while True:
            await asyncio.sleep(max(_LEAST_SECONDS, min(_LOOK_SECONDS, seconds or _LOOK_SECONDS)))
            try:
                self._advance(context)
                if seconds and clock.monotonic() >= due:
                    due = clock.monotonic() + seconds
                    self._say(self.status_text(context) + "\n")
            except BursarError as error:
                self._say(f"warning: the status cannot be told: {error.message}\n")
            if self._desk is not None:
                self._desk.come_back()

    def status_text(self, context: RunContext) -> str:
        """How the run stands now."""
        stores = context.stores
        tools = {self._rows[key].task: 0 for key in self._followers}
        for key, follower in self._followers.items():
            tools[self._rows[key].task] += follower.tools
        status = build_run_status(
            stores.journal, stores.ledger, context.run, context.clock.now(), budgets=self._budgets, tools=tools
        )
        showing = self._showing
        return render_status(status, in_colour=showing.in_colour, with_bars=showing.with_bars, width=showing.width())

    def _advance(self, context: RunContext) -> None:
        """Every stream is read to where it is now, or nearly."""
        for row in context.stores.journal.attempts(context.run.id):
            has_ended = row.key in self._rows and self._rows[row.key].ended_at is not None
            self._rows[row.key] = row
            if not has_ended:
                self._show_stream(context, row, self._follower(context, row).advance())

    def _follower(self, context: RunContext, row: AttemptRow) -> StreamFollower:
        if row.key not in self._followers:
            self._followers[row.key] = StreamFollower(Path(row.directory, STREAM_FILE), context.agent.reader())
            self._rows.setdefault(row.key, row)
        return self._followers[row.key]

    def _show_stream(self, context: RunContext, row: AttemptRow, lines: Sequence[bytes]) -> None:
        instance = context.instances.get(row.task)
        if instance is not None and instance.output_format is OutputFormat.STREAM:
            for line in lines:
                self._say(f"{instance.name} | {plain(line.decode('utf-8', 'replace'))}\n")

    def _show_output(self, context: RunContext, event: AttemptEnded) -> None:
        """What the instance's format asks for, now that it has ended."""
        rows = context.stores.journal.attempts(context.run.id)
        row = next(each for each in reversed(rows) if each.task == event.task)
        follower = self._follower(context, row)
        self._show_stream(context, row, follower.catch_up())
        instance, outcome = context.instances[event.task], read_outcome(Path(row.directory))
        message = follower.message or ("" if outcome is None else outcome.message)
        if instance.output_format is OutputFormat.JSON:
            session = row.session_id if outcome is None else outcome.session_id
            said = json.dumps(_as_data(instance.name, event, message, session), ensure_ascii=False)
            self._say(f"{plain(said)}\n")
        elif instance.output_format is OutputFormat.TEXT:
            for line in message.splitlines():
                self._say(f"{instance.name} | {plain(line)}\n")

    def _formats(self, context: RunContext, wanted: OutputFormat) -> bool:
        return any(each.output_format is wanted for each in context.instances.values())


def _as_data(name: str, event: AttemptEnded, message: str, session: str | None) -> Mapping[str, object]:
    return {
        "instance": name,
        "outcome": event.outcome,
        "note": event.note,
        "result": message,
        "session_id": session,
        "metered_tokens": event.metered_tokens,
        "unknown_outcome_tokens": event.unknown_tokens,
        "cost_nano_usd": event.nano_usd,
        "wall_seconds": round(event.wall_seconds, 3),
    }
