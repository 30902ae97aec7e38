"""What an attempt ended as, from what is known of it. Pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime

from bursar.journal import AttemptState
from bursar.plan import Task
from bursar.run.closing_words import read_left
from bursar.supervision import STOP_ASKED, Ending, Outcome


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome and why; `succeeded` so far means: worth verifying.

    Attributes:
        left: what an agent that has wrapped up says is left to do; empty for all others.
    """

    state: AttemptState
    reason: str = ""
    left: str = ""


def judge(task: Task, outcome: Outcome | None, changed_files: int) -> Judgement:
    """How the attempt ended, before its work is verified.

    An agent that exits with 0 has still failed if it said so itself, said nothing at all at its end, was denied a
    permission, or left no change where the plan names files. None for `outcome`: its supervisor died, so nobody knows.
    """
    if outcome is None:
        return Judgement(AttemptState.INTERRUPTED, "its supervisor died; what was held is charged")
    if outcome.ending is not Ending.EXITED:
        return _stopped(outcome)
    if outcome.is_error and outcome.resets_at is not None:  # nobody's fault, and over some time: it is done again
        over = datetime.fromtimestamp(outcome.resets_at).astimezone()
        reason = f"its provider's limit is reached, until {over:%Y-%m-%d %H:%M %Z}"
        said = _first_line(outcome.message)
        return Judgement(AttemptState.INTERRUPTED, f"{reason} (--wait waits for that): {said}")
    if outcome.is_error:
        return Judgement(AttemptState.FAILED, f"the agent reported an error: {_first_line(outcome.message)}")
    if outcome.exit_code != 0:
        has_last_words = outcome.is_error is None and outcome.message  # else it has said that all was well
        words = f": {_first_line(outcome.message)}" if has_last_words else ""
        return Judgement(AttemptState.FAILED, f"the agent {_exit_in_words(outcome.exit_code)}{words}")
    if outcome.is_error is None:
        return Judgement(AttemptState.FAILED, "the agent ended without saying how it went")
    if outcome.denied_permissions:
        denied = ", ".join(sorted(set(outcome.denied_permissions)))
        return Judgement(AttemptState.FAILED, f"the agent was denied permission to use {denied}")
    if outcome.has_heard and (left := read_left(outcome.message)) is not None:
        return _wrapped_up(outcome, left)
    if task.files and not changed_files:
        return Judgement(AttemptState.FAILED, f"the agent changed nothing, but {', '.join(task.files[:3])} was due")
    return Judgement(AttemptState.SUCCEEDED)


def _wrapped_up(outcome: Outcome, left: str) -> Judgement:
    """It has ended by itself because it was told to, and the task is not done: as its limit would have ended it."""
    if outcome.told_why == STOP_ASKED:
        return Judgement(AttemptState.INTERRUPTED, f"it wrapped up on request; left to do: {left}", left)
    reason = f"it wrapped up before a limit: {outcome.told_why}"
    if outcome.resets_at is None:
        return Judgement(AttemptState.STOPPED, f"{reason}; left to do: {left}", left)
    return Judgement(AttemptState.INTERRUPTED, f"{reason} (--wait waits for that); left to do: {left}", left)


def _stopped(outcome: Outcome) -> Judgement:
    match outcome.ending:
        case Ending.LIMIT:
            return Judgement(AttemptState.STOPPED, outcome.limit)
        case Ending.TIMEOUT:
            return Judgement(AttemptState.FAILED, f"it took longer than allowed ({outcome.wall_seconds:.0f} s)")
        case Ending.EXCESS:
            return Judgement(AttemptState.FAILED, f"it took too much: {outcome.limit}")
        case Ending.LEDGER_FAILED:
            return Judgement(AttemptState.INTERRUPTED, f"the ledger could not be written: {outcome.limit}")
        case Ending.NOT_STARTED:
            return Judgement(AttemptState.FAILED, outcome.message)
        case _:
            return Judgement(AttemptState.INTERRUPTED, "stopped on request")


def _exit_in_words(code: int | None) -> str:
    if code in {-signal.SIGXFSZ, 128 + signal.SIGXFSZ}:
        return "was ended because a file grew larger than `limits.file_size` allows"
    return f"ended with exit code {code}" if code is None or code > 0 else f"was killed by signal {-code}"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:300]
