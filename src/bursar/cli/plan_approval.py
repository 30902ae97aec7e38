"""A person approves what a plan would execute, before anything of it is."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from bursar.cli.terminal import write_whole
from bursar.clock import SystemClock
from bursar.config import FILE_NAME, Settings
from bursar.errors import UserError
from bursar.journal import Journal
from bursar.plan import Plan


def require_approval(
    plans: Sequence[Plan], settings: Settings, journal: Journal, *, trust: bool, more: Sequence[str] = ()
) -> None:
    """A person has approved the content of each plan, now or before, if anything in it would be executed.

    All that is not approved yet is asked for at once.

    Args:
        more: what else of its content has to be approved, in lines for people.

    Raises:
        UserError: nobody has, and nobody can be asked.
    """
    programs = [f"{FILE_NAME}: {program}" for program in settings.programs()]
    unapproved: dict[str, Plan] = {}
    commands: list[str] = []
    for plan in plans:
        own = [f"task {task.number}: {command}" for task in plan.tasks for command in task.commands]
        digest = hashlib.sha256("\0".join([plan.digest, settings.digest(), *more]).encode()).hexdigest()
        if (own or more or programs) and not journal.is_approved(digest):
            unapproved[digest] = plan
            commands += own if len(plans) == 1 else [f"plan {plan.id}, {command}" for command in own]
    if not unapproved:
        return
    commands += [*more, *programs]
    listed = "\n".join(f"  {command}" for command in commands)
    what = "commands and permissions" if more else "commands"
    where = str(next(iter(unapproved.values())).path) if len(unapproved) == 1 else f"{len(unapproved)} plans"
    if not trust and not _ask(f"{where} would use these {what}:\n{listed}\n"):
        verb, hint = ("contains", "the plan changes") if len(unapproved) == 1 else ("contain", "a plan changes")
        raise UserError(
            f"{where} {verb} {what} that nobody has approved yet:\n{listed}",
            hint=f"read them, then say --trust; it is remembered until {hint}",
        )
    for digest, plan in unapproved.items():
        journal.approve(digest, str(plan.path), SystemClock().now().isoformat(timespec="seconds"))


def _ask(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    write_whole(sys.stderr, f"{question}run them? [y/N] ")
    sys.stderr.flush()
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer.endswith("\n"):  # nobody has ended the line: ctrl-C, ctrl-D
            sys.stderr.write("\n")
    return answer.strip().lower() in {"y", "yes"}
