"""What is written of an attempt before anything of it begins: its row, and where it will work."""

from __future__ import annotations

import hashlib

from bursar.journal import AttemptRow, AttemptState
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.place import Place


def plan_row(context: RunContext, place: Place, task: Task, key: str, number: int) -> AttemptRow:
    """The row of an attempt that goes on with no other, upon what is merged now; it is not in the journal yet."""
    return AttemptRow(
        key=key,
        run_id=context.run.id,
        task=task.number,
        number=number,
        model=context.model_of(task),
        directory=str(context.directory / "attempts" / f"{_safe(task.number)}-{number}"),
        worktree=own_folder(context, place, task.number, number),
        base_commit=place.tip,
        session_id=_session_id(context, task),
        state=AttemptState.PLANNED,
        started_at=context.now(),
        digest=task.digest,
    )


def own_folder(context: RunContext, place: Place, task: str, number: int) -> str:
    """Where an attempt works that goes on with no other."""
    return str(place.folder_of(f"{context.run.id}-{_safe(task)}-{number}"))


def _session_id(context: RunContext, task: Task) -> str:
    """The conversation's: a new one, but where an instance of a job list goes on with one."""
    instance = context.instances.get(task.number)
    given = instance.session_id if instance is not None and instance.continues else None
    return given or context.ids.new_uuid()


def _safe(number: str) -> str:
    """A task's number as part of a folder's name; two numbers never become the same name."""
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in number)[:32]
    return plain if plain == number else f"{plain}-{hashlib.sha256(number.encode()).hexdigest()[:8]}"
