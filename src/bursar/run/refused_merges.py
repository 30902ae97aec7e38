"""What comes after work that could not be merged: a fresh attempt from the merged work as it is now, then a person.

The fresh attempt is told what was merged meanwhile and what its predecessor had done, both cut short. It stays on its
route: nothing says that its model was too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bursar.errors import BursarError
from bursar.events import AttemptEnded
from bursar.journal import AttemptRow, RefusalRow
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.lessons import MOST_LOG_CHARACTERS, fence, fence_diff
from bursar.run.merge_queue import RedMerge, Refusal
from bursar.worktrees import MergeConflict, read_diff

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Refused:
    """One attempt whose work was not merged; `tip` is what it did not fit onto."""

    row: AttemptRow
    refusal: Refusal
    tip: str


class RefusedMerges:
    """Those of one run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._refused: dict[str, list[_Refused]] = {}

    def add(self, row: AttemptRow, refusal: Refusal, tip: str) -> str:
        """It is journaled and remembered; why the work was not merged, in words."""
        self._context.stores.journal.controls.refuse(_to_row(row, refusal, tip))
        self._refused.setdefault(row.task, []).append(_Refused(row, refusal, tip))
        return _in_words(refusal)

    def restore(self, rows: Sequence[AttemptRow]) -> None:
        """What earlier conductors' attempts have met is known again; of each task, oldest first."""
        known = self._context.stores.journal.controls.refusals(self._context.run.id)
        for row in rows:
            if (found := known.get(row.key)) is not None and self._context.is_current(row):
                self._refused.setdefault(row.task, []).append(_Refused(row, _from_row(found), found.tip))

    def lesson_of(self, row: AttemptRow) -> str:
        """What the task's next attempt is owed after that one; empty where its work could have been merged."""
        found = next((each for each in self._refused.get(row.task, []) if each.row.key == row.key), None)
        return "" if found is None else self._lesson(found, f"bursar/{row.key}")

    def is_refused(self, row: AttemptRow) -> bool:
        """Whether that attempt's work could not be merged."""
        return row.key in [each.row.key for each in self._refused.get(row.task, [])[-1:]]

    def is_to_be_repeated(self, task: Task, row: AttemptRow, ended: AttemptEnded) -> bool:
        """Whether a fresh attempt is made, now that this one's work could not be merged; it will be told of it."""
        refused = self._refused.get(task.number, [])
        if not self.is_refused(row) or len(refused) > self._context.settings.fresh_attempts:
            return False
        self._context.escalation.teach(task, self._lesson(refused[-1], ended.branch))
        return True

    def ask_person(self, task: Task, row: AttemptRow, ended: AttemptEnded) -> str | None:
        """What a person is to do about a task whose fresh attempt has failed, too; None: it has failed by itself."""
        refused, most = self._refused.get(task.number, []), self._context.settings.fresh_attempts
        is_owed_another = self.is_refused(row) and len(refused) <= most  # nothing more is started: a resume does
        if not refused or not most or is_owed_another or ended.outcome != "failed":
            return None
        branches = [f"bursar/{each.row.key}" for each in refused]
        if ended.branch is not None and not self.is_refused(row):
            branches.append(ended.branch)
        return (
            f"a person must merge it: {ended.note}; merge one of {', '.join(branches)}"
            f", then: bursar approve {self._context.run.id} {task.number}"
        )

    def _lesson(self, refused: _Refused, branch: str | None) -> str:
        row, refusal = refused.row, refused.refusal
        files = refusal.files if isinstance(refusal, MergeConflict) else ()
        parts = [
            f"{row.model} has done this task before you, from an earlier state of the repository. Meanwhile other work"
            f" was merged, which is in your worktree, and with it this could not be: {_in_words(refusal)}. Do the task"
            " anew upon what is there now, so that both are kept."
        ]
        if isinstance(refusal, RedMerge) and refusal.log.strip():
            parts.append(f"The end of what the command printed:\n\n{fence(refusal.log[-MOST_LOG_CHARACTERS:], 'text')}")
        landed = self._diff(row.base_commit, refused.tip, files)
        if landed.strip():
            parts.append(f"What was merged meanwhile, and is in your worktree:\n\n{fence_diff(landed)}")
        done = "" if branch is None else self._diff(row.base_commit, branch)
        if done.strip():
            parts.append(f"What the attempt before you had changed, which is not:\n\n{fence_diff(done)}")
        return "\n\n".join(parts)

    def _diff(self, before: str, after: str, files: tuple[str, ...] = ()) -> str:
        try:
            return read_diff(self._context.repository, before, after, files)
        except BursarError:
            return ""


def _to_row(row: AttemptRow, refusal: Refusal, tip: str) -> RefusalRow:
    if isinstance(refusal, MergeConflict):
        return RefusalRow(attempt=row.key, tip=tip, files=refusal.files)
    return RefusalRow(attempt=row.key, tip=tip, reason=refusal.reason, log=refusal.log)


def _from_row(row: RefusalRow) -> Refusal:
    return RedMerge(row.reason, row.log) if row.files is None else MergeConflict(row.files)


def _in_words(refusal: Refusal) -> str:
    if isinstance(refusal, RedMerge):
        return refusal.reason
    more = f" and {len(refusal.files) - _SHOWN} more" if len(refusal.files) > _SHOWN else ""
    return f"merge conflict in {', '.join(refusal.files[:_SHOWN])}{more}"
