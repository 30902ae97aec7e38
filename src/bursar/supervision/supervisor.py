"""One attempt's supervisor: a small process that starts the agent, meters it, enforces its hold and settles it.

It works alone, also when the conductor is gone; when it dies, the agent dies with it. It writes facts before it acts
on them: usage before the limit is judged, the outcome before the hold is settled.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from bursar.budget import Amount
from bursar.clock import Clock
from bursar.errors import BursarError
from bursar.ledger import Ledger, State
from bursar.notify import AuditLog
from bursar.processes import identify
from bursar.supervision.agent_home import AgentHome
from bursar.supervision.agent_process import AgentProcess
from bursar.supervision.agent_supervision import Log, Supervision
from bursar.supervision.auditing import keep_audit, tell_differences
from bursar.supervision.inbox import Inbox
from bursar.supervision.limits import CappedLog
from bursar.supervision.spec import STREAM_FILE, AttemptSpec, Ending, Outcome, claim, never_ran, write_outcome
from bursar.supervision.spending import Spending
from bursar.supervision.steps import attempt_steps, join_outcomes, what_stops, within_time

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def supervise(spec: AttemptSpec, ledger: Ledger, clock: Clock) -> None:
    """The attempt has run to its end: its outcome is on the disk and its hold is settled.

    Does nothing at all if somebody claimed the attempt before, or if its hold is not open any more.

    Raises:
        StoreError: the ledger could not be read before the agent was started, or written at its end; the outcome file
            says what is to be settled.
    """
    wake = _wake_on_stop()
    directory = Path(spec.directory)
    if claim(directory, identify(os.getpid()) or str(os.getpid())) is not None:
        return
    try:
        reservation = ledger.reservation(spec.key)
    except BursarError as error:
        write_outcome(directory, never_ran(Ending.LEDGER_FAILED, limit=error.message))
        raise
    if reservation is None or reservation.state is not State.HELD:
        return
    audit = AuditLog(spec.audit, clock)
    keep_audit(ledger, audit)
    spending = Spending(spec, ledger, reservation)
    with ExitStack() as files:
        try:
            stream = files.enter_context(closing(CappedLog(directory / STREAM_FILE, spec.limits.log_bytes)))
            inbox = Inbox(spec.telemetry)
            agent = AgentProcess(attempt_steps(spec)[0], inbox.variables)
        except OSError as error:
            message = f"the agent could not be started: {error.strerror or error}"
            write_outcome(directory, never_ran(Ending.NOT_STARTED, message=message))
            ledger.release(spec.key)
            AgentHome(spec.home, directory).close()
            return
        outcome, unknown = _run_all(spec, agent, spending, clock, stream, wake, inbox)
        outcome = msgspec.structs.replace(outcome, left_out_bytes=outcome.left_out_bytes + stream.left_out)
    tell_differences(audit, spec.key, outcome)
    write_outcome(directory, outcome)
    spending.settle(unknown)
    if audit.lost:
        sys.stderr.write(f"{audit.lost} events of {spec.key} are not in {audit.path}: {audit.problem}\n")


def _run_all(
    spec: AttemptSpec,
    agent: AgentProcess,
    spending: Spending,
    clock: Clock,
    stream: Log,
    wake: int,
    inbox: Inbox,
) -> tuple[Outcome, Amount]:
    """One process after the other, as long as each has done its part and the limit leaves room for the next."""
    first, *rest = attempt_steps(spec)
    prefix = "before:" if rest else ""
    outcome, unknown = Supervision(first, agent, spending, clock, stream, wake, inbox, prefix=prefix).run()
    for number, step in enumerate(rest, 1):
        if (stopped := what_stops(outcome, spending)) is not None:
            return stopped, unknown
        try:
            inbox = Inbox(step.telemetry)
            step = within_time(step, outcome)
            agent = AgentProcess(step, inbox.variables)
        except OSError as error:
            message = f"the agent could not be started: {error.strerror or error}"
            return msgspec.structs.replace(outcome, is_error=True, message=message), unknown
        prefix = "before:" if number < len(rest) else ""
        then, more = Supervision(step, agent, spending, clock, stream, wake, inbox, prefix=prefix).run()
        unknown += more
        outcome = join_outcomes(outcome, then, unknown, spending)
    return outcome, unknown


def give_up(spec: AttemptSpec, reason: str) -> None:
    """Nobody will start this attempt, whose ledger cannot be opened; its outcome says that nothing was used.

    Does nothing if somebody claimed the attempt before.
    """
    directory = Path(spec.directory)
    if claim(directory, identify(os.getpid()) or str(os.getpid())) is None:
        write_outcome(directory, never_ran(Ending.LEDGER_FAILED, limit=reason))


def _wake_on_stop() -> int:
    """A file descriptor that becomes readable when this process is told to stop.

    Handlers, not SIG_IGN: an ignored signal would stay ignored in the agent. TERM comes in blocked (see `spawner`), so
    that none is lost before this point.
    """
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    return readable
