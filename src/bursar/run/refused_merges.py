"""What comes after work that could not be merged: a fresh attempt from the merged work as it is now, then a person.

The fresh attempt is told what was merged meanwhile and what its predecessor had done, both cut short. It stays on its
route: nothing says that its model was too small.
"""

from __future__ import annotations

from dataclasses import dataclass

from bursar.errors import BursarError
from bursar.events import AttemptEnded
from bursar.journal import AttemptRow
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.run.escalation import MOST_LOG_CHARACTERS, fence, fence_diff
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
        """It is remembered; why the work was not merged, in words."""
        self._refused.setdefault(row.task, []).append(_Refused(row, refusal, tip))
        return _in_words(refusal)

    def is_to_be_repeated(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether a fresh attempt is made, now that this one's work could not be merged; it will be told of it."""
        refused = self._refused.get(task.number, [])
        if not self.is_refused(task, ended) or len(refused) > self._context.settings.fresh_attempts:
            return False
        self._context.escalation.teach(task, self._lesson(refused[-1], ended))
        return True

    def is_refused(self, task: Task, ended: AttemptEnded) -> bool:
        """Whether that attempt is one whose work could not be merged: it lies on the attempt's own branch."""
        branches = [f"bursar/{each.row.key}" for each in self._refused.get(task.number, [])]
        return ended.outcome == "failed" and ended.branch in branches[-1:]

    def ask_person(self, task: Task, ended: AttemptEnded) -> str | None:
        """What a person is to do about a task whose fresh attempt has failed, too; None: it has failed by itself."""
        refused = self._refused.get(task.number, [])
        if not refused or not self._context.settings.fresh_attempts or ended.outcome != "failed":
            return None
        branches = [f"bursar/{each.row.key}" for each in refused]
        if ended.branch is not None and ended.branch not in branches:
            branches.append(ended.branch)
        return (
            f"a person must merge it: {ended.note}; merge one of {', '.join(branches)}"
            f", then: bursar approve {self._context.run.id} {task.number}"
        )

    def _lesson(self, refused: _Refused, ended: AttemptEnded) -> str:
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
        done = "" if ended.branch is None else self._diff(row.base_commit, ended.branch)
        if done.strip():
            parts.append(f"What the attempt before you had changed, which is not:\n\n{fence_diff(done)}")
        return "\n\n".join(parts)

    def _diff(self, before: str, after: str, files: tuple[str, ...] = ()) -> str:
        try:
            return read_diff(self._context.repository, before, after, files)
        except BursarError:
            return ""


def _in_words(refusal: Refusal) -> str:
    if isinstance(refusal, RedMerge):
        return refusal.reason
    more = f" and {len(refusal.files) - _SHOWN} more" if len(refusal.files) > _SHOWN else ""
    return f"merge conflict in {', '.join(refusal.files[:_SHOWN])}{more}"
