"""What the commands that conduct have in common: a run from its first task to its report, the terminal, the signals."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from bursar.cli.checkpoint_desk import CheckpointDesk, open_desk
from bursar.cli.json_output import write_json
from bursar.cli.run_watch import Watch
from bursar.cli.terminal import wants_colour, width_of
from bursar.errors import CTRL_C, INTERRUPTED, OK, STOPPED_BY_BUDGET, TASK_FAILED, StoreError, Superseded, UserError
from bursar.history import STATISTICS_FILE, build_statistics, write_statistics
from bursar.journal import AttemptRow, RunState, read_window_record
from bursar.notify import Notifier
from bursar.paths import state_dir
from bursar.reports import build_run_report, render_report, report_as_data
from bursar.run import Conductor, LiveForecast, RunContext, Stores, alerts_of_run
from bursar.worktrees import is_tracked, leave_out

_EXIT_CODES = {
    RunState.SUCCEEDED: OK,
    RunState.FAILED: TASK_FAILED,
    RunState.STOPPED: STOPPED_BY_BUDGET,
    RunState.INTERRUPTED: INTERRUPTED,
    RunState.CANCELLED: TASK_FAILED,
}


def say(text: str) -> None:
    """The text is on stderr; a run goes on when nobody listens any more."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # the pipe's reader or the terminal is gone
        _mute(sys.stderr)


def _mute(stream: TextIO) -> None:
    """What is still written to `stream` goes nowhere, at exit too."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def send_earlier_alerts(notifier: Notifier, context: RunContext) -> None:
    """Alerts that fired on this run while no conductor was there to send them are on their way."""
    for alert in alerts_of_run(context):
        notifier.alert(alert.level, alert.message, at=alert.at.isoformat())


def tell_undelivered(notifier: Notifier) -> None:
    """Alerts that nobody got are told on stderr, once."""
    for sentence in notifier.undelivered():
        sys.stderr.write(f"warning: {sentence}\n")


def conduct(
    conductor: Conductor, context: RunContext, rows: Sequence[AttemptRow], watch: Watch, *, as_json: bool
) -> int:
    """Conducts the run to its end, prints its report on stdout and gives the exit code."""
    gc.freeze()  # what is there now stays to the end: nobody need look through it for garbage again and again
    try:
        state, number = asyncio.run(_conduct(conductor, context, rows, watch))
    except Superseded:
        raise  # it goes on, elsewhere
    except Exception:
        run = context.run.id
        say(f"run {run} cannot go on for now; nothing of it is lost, and this goes on with it: bursar resume {run}\n")
        raise
    _export_statistics(context)
    try:
        print_report(context.stores, context.run.id, as_json=as_json)
        sys.stdout.flush()
    except OSError:  # whoever read our output has gone: the run went as it went
        _mute(sys.stdout)
    if number == signal.SIGINT:
        return CTRL_C
    return _EXIT_CODES[state]


def _export_statistics(context: RunContext) -> None:
    """`.planning/.token-stats.json` says what the project's attempts have taken; git takes no notice of it.

    One that somebody has committed is left alone: the next run would stumble over the change.
    """
    if context.checkout is None:
        return
    folder, repository = context.checkout.root / ".planning", context.checkout
    path = folder / STATISTICS_FILE
    if not folder.is_dir() or (path.exists() and is_tracked(repository, path)):
        return
    try:
        seen = context.stores.history.observations(project=str(repository.root))
        leave_out(repository, f"/.planning/{STATISTICS_FILE}")
        write_statistics(folder, build_statistics(seen))
    except (OSError, StoreError) as error:
        say(f"warning: {path} was not written: {error}\n")


async def _conduct(
    conductor: Conductor, context: RunContext, rows: Sequence[AttemptRow], watch: Watch
) -> tuple[RunState, int | None]:
    loop, received = asyncio.get_running_loop(), list[int]()

    desk: CheckpointDesk | None = None

    def stop(number: int) -> None:
        if desk is not None:
            desk.close()
        if not received:
            say("stopping: agents get up to 5 s to end; what they used is settled\n")
        received.append(number)
        conductor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    looking = asyncio.gather(watch.look(), LiveForecast(context).keep())
    desk = open_desk(conductor, context, say)
    watch.tell_desk(desk)
    try:
        state = await conductor.conduct(rows)
    finally:
        if desk is not None:
            desk.close()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    return state, received[0] if received else None


def print_report(stores: Stores, run_id: str, *, as_json: bool) -> None:
    """The run's report on stdout.

    Raises:
        UserError: there is no such run.
    """
    run = stores.journal.run(run_id)
    if run is None:
        raise UserError(f"there is no run `{run_id}`", hint="bursar status --all")
    windows = read_window_record(Path(state_dir(), "runs", run.id))
    report = build_run_report(stores.journal, stores.ledger, run, windows)
    if as_json:
        write_json(report_as_data(report))
    else:
        sys.stdout.write(render_report(report, in_colour=wants_colour(sys.stdout), width=width_of(sys.stdout)) + "\n")
