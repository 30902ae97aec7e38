"""What `bursar pause`, `stop` and `cancel` have in common: a run that is on is asked, one that is left alone is ended.

A process that conducts is asked by a line in the journal. Where there is none, but agents of a conductor that was
killed are still at work, this process conducts the run just as long as it takes to end them.
"""

from __future__ import annotations

import asyncio
import os
import select
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bursar.cli.finding import conductor_of, find_run
from bursar.cli.parsing import parser
from bursar.cli.quantities import parse_seconds
from bursar.clock import SystemClock
from bursar.config import find_ledger_place, open_stores
from bursar.errors import OK, BursarError, UserError
from bursar.journal import AttemptState, Journal, Request, RequestKind, RunRow, RunState, TaskState, open_journal
from bursar.ledger import Ledger, State
from bursar.paths import JOURNAL_FILE, state_dir
from bursar.processes import is_alive, pid_of
from bursar.run import RunLock, end_agents, forget_jobs, ring, user_name
from bursar.supervision import MOST_GRACE_SECONDS

_PATIENCE_SECONDS = 60.0
_GRACE_SECONDS = 60.0
_TAKING_OVER_SECONDS = 5  # between a lock and its conductor's name lies as much as reading a plan takes
_ABOUT = {
    RequestKind.PAUSE: "start nothing new: attempts that run may finish, then the run ends and can be resumed",
    RequestKind.STOP: "end a run's agents and keep what they have begun: it can be resumed",
    RequestKind.CANCEL: "end a run for good: what was not merged is kept on branches, and nothing is resumed",
}
_OPEN = (AttemptState.PLANNED, AttemptState.MERGING)


def ask(kind: RequestKind, arguments: Sequence[str]) -> int:
    """The run does what is asked, or there is nothing to do, and it is said which."""
    parsed = _options(kind).parse_args(arguments)
    grace = _grace(kind, parsed)
    journal = open_journal(Path(state_dir(), JOURNAL_FILE))
    try:
        run = find_run(journal, parsed.run)
        if run.state is RunState.CANCELLED and kind is RequestKind.CANCEL:
            _say(f"run {run.id} is cancelled already")
            return OK
        _check_open(journal, run, kind)
        if (conductor := conductor_of(run)) is not None:
            return _ask_conductor(journal, run, conductor, kind, grace)
        return _end_alone(journal, run, kind, grace)
    finally:
        journal.close()


def _options(kind: RequestKind) -> ArgumentParser:
    options = parser(kind, _ABOUT[kind])
    options.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest of this project)")
    if kind is RequestKind.STOP:
        how_long = options.add_mutually_exclusive_group()
        how_long.add_argument(
            "--grace",
            metavar="SECONDS",
            default=f"{_GRACE_SECONDS:g}",
            help="how long agents that can be told to wrap up may take for that (default: %(default)s)",
        )
        how_long.add_argument("--now", action="store_true", help="tell no agent to wrap up: all end within 5 s")
    return options


def _grace(kind: RequestKind, parsed: Any) -> float:
    if kind is not RequestKind.STOP or parsed.now:
        return 0.0
    return parse_seconds("--grace", parsed.grace, most=MOST_GRACE_SECONDS)


def _check_open(journal: Journal, run: RunRow, kind: RequestKind) -> None:
    """Something can still be asked of the run.

    Raises:
        UserError: the run has ended for good, or is of another machine.
    """
    if journal.imported(run.id) is not None:
        raise UserError(f"run {run.id} is of another machine: {kind} it there", hint=f"bursar report {run.id}")
    if run.state is RunState.SUCCEEDED:
        raise UserError(f"run {run.id} is done, there is nothing to {kind}", hint=f"bursar report {run.id}")
    if run.state is RunState.CANCELLED:
        raise UserError(f"run {run.id} is cancelled, there is nothing to {kind}", hint=f"bursar report {run.id}")


def _ask_conductor(journal: Journal, run: RunRow, conductor: str, kind: RequestKind, grace_seconds: float) -> int:
    """The process that conducts the run has done what is asked, or it is said that it has not yet."""
    journal.controls.ask(
        Request(
            run_id=run.id,
            conductor=conductor,
            kind=kind,
            by_user=user_name(),
            at=_now(),
            grace_seconds=grace_seconds,
        )
    )
    ring(Path(state_dir(), "runs", run.id))
    if kind is RequestKind.PAUSE:
        _say(f"run {run.id} starts nothing new; go on with: bursar resume {run.id}")
        return OK
    if grace_seconds:
        _say(f"agents of run {run.id} that can be told to wrap up have {grace_seconds:g} s for that")
        _say(f"end them at once with: bursar stop --now {run.id}")
    _wait_for(conductor, _PATIENCE_SECONDS + grace_seconds)
    now = journal.run(run.id) or run
    successor = conductor_of(now)
    if now.conductor is not None and successor is None and _is_open(journal, now):  # it died over it
        return _end_alone(journal, now, kind, grace_seconds)
    if successor not in (None, conductor):
        _say(f"run {run.id} is gone on with since by another process, which was not asked: see bursar status")
        return OK
    return _tell_end(journal, run, kind)


def _end_alone(journal: Journal, run: RunRow, kind: RequestKind, grace_seconds: float) -> int:
    """Nobody conducts the run; while the lock is held, nobody begins to. Who is about to is asked once it does."""
    if kind is RequestKind.PAUSE:
        _say(f"nobody conducts run {run.id}, so nothing new starts; go on with: bursar resume {run.id}")
        return OK
    try:
        lock = RunLock(Path(state_dir()), run)
    except UserError:
        if (conductor := _successor(journal, run)) is not None:
            return _ask_conductor(journal, run, conductor, kind, grace_seconds)
        _end_agents(journal, run, grace_seconds)
        raise
    try:
        is_open = _is_open(journal, run)
        if kind is RequestKind.CANCEL and not is_open:
            journal.controls.cancel(run.id, user_name(), _now())
            forget_jobs(Path(run.plan_path), run.id)
    finally:
        lock.release()
    if is_open:
        _conduct_to_end(journal, run, kind, grace_seconds)
        if kind is RequestKind.CANCEL:  # after a stop, work may wait for its verification
            _check_ended(journal, run)
    return _tell_end(journal, run, kind)


def _conduct_to_end(journal: Journal, run: RunRow, kind: RequestKind, grace_seconds: float) -> None:
    """What was begun is settled and kept; where the run cannot be taken up for that, its agents have ended at least.

    Raises:
        BursarError: that was why.
    """
    from bursar.cli.resume import end_run

    try:
        end_run(run, kind, grace_seconds)
    except BursarError:
        _end_agents(journal, run, grace_seconds)
        raise


def _end_agents(journal: Journal, run: RunRow, grace_seconds: float) -> None:
    """No agent that was left alone works any more, and that is said; a resume collects what they have done."""
    rows = journal.attempts(run.id)
    asyncio.run(end_agents(Path(state_dir(), "runs", run.id), rows, _ledger(), grace_seconds))
    _say(f"no agent of run {run.id} works any more, and what was used is settled; a resume collects what was done")


def _successor(journal: Journal, run: RunRow) -> str | None:
    """The process that has the lock, once it conducts the run; None where it does not for a while."""
    for _ in range(_TAKING_OVER_SECONDS * 10):
        now = journal.run(run.id)
        if now is not None and (conductor := conductor_of(now)) is not None:
            return conductor
        time.sleep(0.1)
    return None


def _check_ended(journal: Journal, run: RunRow) -> None:
    """No attempt of the run is open, and nothing is held for one.

    Raises:
        UserError: attempts of the run are as they were: its plan could not be taken up.
    """
    if _is_open(journal, run):
        raise UserError(
            f"run {run.id} cannot be ended from here: its plan cannot be taken up", hint=f"bursar resume {run.id}"
        )


def _is_open(journal: Journal, run: RunRow) -> bool:
    """Whether an attempt, or money held for one, still waits for a conductor to end it."""
    if any(row.state in _OPEN for row in journal.attempts(run.id)):
        return True
    return bool(_ledger().reservations({"run": run.id}, state=State.HELD))


def _ledger() -> Ledger:
    return open_stores(Path(state_dir()), find_ledger_place(), SystemClock()).ledger


def _wait_for(conductor: str, seconds: float) -> None:
    """The process has ended, or so much time is over."""
    try:
        pidfd = os.pidfd_open(pid_of(conductor))
    except ProcessLookupError:
        return
    try:
        if is_alive(conductor):  # asked after the pidfd was opened: now it cannot be another process
            select.select([pidfd], [], [], seconds)
    finally:
        os.close(pidfd)


def _tell_end(journal: Journal, run: RunRow, kind: RequestKind) -> int:
    """How the run stands now, and where what was not merged is."""
    now = journal.run(run.id) or run
    if conductor_of(now) is not None:
        _say(f"run {run.id} has not ended yet, but it was told to: see bursar status")
        return OK
    if now.state is RunState.SUCCEEDED:
        _say(f"run {run.id} was done before it could {'be cancelled' if kind is RequestKind.CANCEL else kind}")
        return OK
    if kind is RequestKind.CANCEL and now.state is not RunState.CANCELLED:  # its conductor died before it could say so
        return _end_alone(journal, now, kind, 0.0)
    _say(f"run {run.id} is cancelled" if kind is RequestKind.CANCEL else f"nothing of run {run.id} runs any more")
    for line in _kept(journal, run.id):
        _say(line)
    if kind is not RequestKind.CANCEL:
        _say(f"go on with: bursar resume {run.id}")
    return OK


def _kept(journal: Journal, run_id: str) -> list[str]:
    """The branches on which the last attempts at tasks that are not done have left work."""
    open_tasks = {task.number for task in journal.tasks(run_id) if task.state is not TaskState.MERGED}
    last = {row.key: row for row in journal.attempts(run_id) if row.task in open_tasks}
    return [f"  {row.task}: {row.note}" for row in last.values() if "its work is on branch" in row.note]


def _now() -> str:
    return SystemClock().now().isoformat(timespec="milliseconds")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
