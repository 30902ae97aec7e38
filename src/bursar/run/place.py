"""Where the attempts of a run work and what becomes of what they leave: the one seam between plans and job lists.

A plan's attempts work in worktrees and their work is merged (`merging.MergedWork`). A job list's work in the workspace
itself, all at once: nothing is made for them, nothing is collected, and what they have written is where it belongs.

Source: docs/decisions/0027-job-lists.md
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bursar.errors import InternalError
from bursar.journal import AttemptRow
from bursar.plan import Part, Task
from bursar.run.merge_queue import Refusal
from bursar.worktrees import Change


class Place(Protocol):
    """Where one run's attempts work, from their start to the end of the run."""

    @property
    def tip(self) -> str:
        """The commit that new attempts start from; empty where none is involved."""
        ...

    def folder_of(self, attempt: str) -> Path:
        """Where an attempt of this name works."""
        ...

    def can_go_on(self, base: str, work: str | None) -> bool:
        """Whether an attempt may start from that base, with what the commit `work` has: it is still there, is not left
        behind, and conflicts with nothing that was merged since."""
        ...

    async def prepare(self, attempt: AttemptRow, work: str | None = None) -> None:
        """The attempt's folder stands, with what the commit `work` has laid out in it, where there is one."""
        ...

    async def collect(self, task: Task | None, attempt: AttemptRow) -> Change | None:
        """What the attempt has changed; None if that is nothing. `task` is None where the plan has it no more."""
        ...

    async def merge(self, task: Task, attempt: AttemptRow, change: Change) -> str | Refusal | None:
        """The change is part of the run's work, the journal says so, and the task is merged; the commit's id.

        Or why it is not; None: everything was stopped before that was known, and nothing has moved.
        """
        ...

    async def keep(self, attempt: AttemptRow, change: Change) -> str:
        """Work that was not merged lies on a branch of its own; the branch's name."""
        ...

    def clear(self, attempt: AttemptRow) -> None:
        """Nothing is left of what `prepare` made."""
        ...

    def has(self, key: str) -> bool:
        """The attempt's work was merged here, whether or not the journal could be told."""
        ...

    def finish_merge(self, attempt: AttemptRow) -> bool:
        """The merge that an earlier conductor had begun is done; False if it cannot be any more."""
        ...

    @property
    def is_merging(self) -> bool:
        """Work is being merged just now: who wants to add something has to wait, maybe for a long verification."""
        ...

    async def close_plan(self, part: Part) -> None:
        """All tasks of one of several plans are merged: it has its SUMMARY."""
        ...

    async def archive(self, phases: Sequence[str]) -> None:
        """These phases are finished: what can be summed up for those who come later is."""
        ...

    def bring_home(self, *, is_done: bool) -> None:
        """The run is over, for now at least: its work is where the user looks for it; `is_done`: all of it."""
        ...


class Workspace:
    """A folder in which agents work at once, each on what it was told; bursar itself changes nothing in it."""

    tip = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder_of(self, attempt: str) -> Path:
        """The workspace, for every attempt."""
        return self._folder

    def can_go_on(self, base: str, work: str | None) -> bool:
        """Never: what was written is in the folder anyway, and it is done again from the beginning."""
        return False

    async def prepare(self, attempt: AttemptRow, work: str | None = None) -> None:
        """Nothing: it is the user's folder."""

    async def collect(self, task: Task | None, attempt: AttemptRow) -> Change | None:
        """None: who of those that worked at once has changed what cannot be told."""
        return None

    async def merge(self, task: Task, attempt: AttemptRow, change: Change) -> str | Refusal | None:
        """Never: a workspace has nothing to merge.

        Raises:
            InternalError: always; nothing is collected here.
        """
        raise InternalError("a workspace has nothing to merge")

    async def keep(self, attempt: AttemptRow, change: Change) -> str:
        """Never: a workspace has nothing to keep.

        Raises:
            InternalError: always; nothing is collected here.
        """
        raise InternalError("a workspace has nothing to keep")

    def clear(self, attempt: AttemptRow) -> None:
        """Nothing: what was written stays."""

    def has(self, key: str) -> bool:
        """Never: nothing is merged."""
        return False

    def finish_merge(self, attempt: AttemptRow) -> bool:
        """Never: no merge is ever begun."""
        return False

    @property
    def is_merging(self) -> bool:
        """Never: nothing is merged."""
        return False

    async def close_plan(self, part: Part) -> None:
        """Nothing: a job list has no plans."""

    async def archive(self, phases: Sequence[str]) -> None:
        """Nothing: a job list has no phases."""

    def bring_home(self, *, is_done: bool) -> None:
        """Nothing: the work is where it was done."""
