"""Whether work is still right where it has been merged: verify commands on composed commits.

The commands of a candidate have seen its base with it, those of tasks that were merged since that base have never seen
it: both are asked. They run in the candidate's own worktree, moved to the commit in question: what its agent has
installed there beside the files (ignored by git) is what makes them run at all.

Source: docs/decisions/0047-verified-after-merging.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from bursar.journal import AttemptRow
from bursar.plan import Task
from bursar.run.collected import note_collected
from bursar.run.context import RunContext
from bursar.run.merge_queue import Candidate, Composed, RedMerge
from bursar.verification import Verdict
from bursar.worktrees import Worktree, list_commits, stand_at


class MergedCheck:
    """Verifies what is composed upon the merged work of one run."""

    def __init__(self, context: RunContext, tip: str) -> None:
        self._context = context
        self._known = {tip: 0}  # how many tasks were merged here when that commit was the tip
        self._merged: list[Task] = []
        self._excuses: dict[str, str] = {}
        self._owed_since = _owed_before(context)  # by task: the base of its first attempt that could not be merged

    def landed(self, composed: Composed) -> None:
        """The candidate is merged, as this commit."""
        self._merged.append(composed.candidate.task)
        self._known[composed.commit] = len(self._merged)

    def moved(self, tip: str) -> None:
        """The tip is another commit, without anything of a task's in it."""
        self._known.setdefault(tip, len(self._merged))

    def refused(self, attempt: AttemptRow) -> None:
        """It was not merged: the task's next attempts, too, are held to what was merged since it began."""
        self._owed_since.setdefault(attempt.task, attempt.base_commit)

    def owes_more(self, attempt: AttemptRow) -> bool:
        """Whether commands other than its own have a say in the attempt's work wherever it begins."""
        return attempt.task in self._owed_since

    def excuse_of(self, attempt: AttemptRow) -> str:
        """What fails since it was merged, and did so before; empty if nothing does."""
        return self._excuses.get(attempt.key, "")

    async def passes(self, row: Sequence[Composed]) -> bool | None:
        """Whether every command that has a say in any of the row succeeds at its end; None if they were stopped."""
        commands = list(dict.fromkeys(command for each in row for command in self._commands_for(each.candidate)))
        if not commands:
            return True
        verdict = await self._run(commands, row[-1].candidate, row[-1].commit)
        return None if verdict is None else verdict.passed

    async def judge(self, composed: Composed, tip: str) -> RedMerge | bool:
        """What the candidate breaks where it is merged upon `tip`; True: nothing; False: stopped before that was known.

        A command that fails upon the tip without the candidate too is not held against it.
        """
        candidate, excused = composed.candidate, list[str]()
        commands = list(dict.fromkeys(self._commands_for(candidate)))
        while commands:
            verdict = await self._run(commands, candidate, composed.commit)
            if verdict is None:
                return False
            if verdict.passed:
                break
            failed = verdict.results[-1]
            broke = await self._is_to_blame(candidate, failed.command, tip)
            if broke is None:
                return False
            if broke:
                return RedMerge(self._reason(candidate, verdict), failed.output_tail)
            excused.append(failed.command)
            commands = commands[commands.index(failed.command) + 1 :]
        if excused:
            self._excuses[candidate.attempt.key] = f"merged; without it, too, this fails: {'; '.join(excused)}"
        return True

    async def _is_to_blame(self, candidate: Candidate, command: str, tip: str) -> bool | None:
        """Whether the command fails upon the tip because of the candidate.

        Not if it fails there without it; but a command of its own may fail wherever its work is missing. Such a one
        fails at the candidate's base, too; else what was merged since has broken it.
        """
        at_tip = await self._run([command], candidate, tip)
        if at_tip is None or at_tip.passed:
            return None if at_tip is None else True
        if command not in candidate.task.commands:
            return False
        at_base = await self._run([command], candidate, candidate.attempt.base_commit)
        return None if at_base is None else not at_base.passed

    def _reason(self, candidate: Candidate, verdict: Verdict) -> str:
        command = verdict.results[-1].command
        others = [task for task in self._since(candidate.attempt) if command in task.commands]
        whose = "" if command in candidate.task.commands or not others else f" of task {others[-1].number}"
        return f"with what was merged meanwhile: {verdict.explain(f'verify command{whose}')}"

    async def _run(self, commands: Sequence[str], candidate: Candidate, commit: str) -> Verdict | None:
        context, attempt = self._context, candidate.attempt
        note_collected(attempt, candidate.change)
        await asyncio.to_thread(stand_at, context.repository, worktree_of(context, attempt), commit)
        return await context.commands.run(commands, attempt)

    def _commands_for(self, candidate: Candidate) -> list[str]:
        if not self._context.settings.verifies_merged:
            return []
        return [*candidate.task.commands, *_commands_of(self._since(candidate.attempt))]

    def _since(self, attempt: AttemptRow) -> Sequence[Task]:
        """Tasks that were merged since the attempt began, or an earlier one at its task that could not be merged."""
        base = self._owed_since.get(attempt.task, attempt.base_commit)
        if (count := self._known.get(base)) is not None:
            return self._merged[count:]
        return [*self._merged_earlier(base), *self._merged]

    def _merged_earlier(self, base: str) -> list[Task]:
        """Those that earlier conductors have merged since."""
        context, tasks = self._context, {task.number: task for task in self._context.plan.tasks}
        start = next(commit for commit, count in self._known.items() if count == 0)
        commits = set(list_commits(context.repository, base, start))
        rows = context.stores.journal.tasks(context.run.id)
        return [tasks[row.number] for row in rows if row.commit in commits and row.number in tasks]


def worktree_of(context: RunContext, attempt: AttemptRow) -> Worktree:
    """The attempt's worktree, which may be gone."""
    path = Path(attempt.worktree)
    return Worktree(path, context.repository.common_dir / "worktrees" / path.name, attempt.base_commit)


def _owed_before(context: RunContext) -> dict[str, str]:
    """The bases of the first attempts, task by task, that could not be merged under earlier conductors."""
    journal = context.stores.journal
    if not (refusals := journal.controls.refusals(context.run.id)):
        return {}
    refused = [row for row in journal.attempts(context.run.id) if row.key in refusals and context.is_current(row)]
    return {row.task: row.base_commit for row in reversed(refused)}


def _commands_of(tasks: Iterable[Task]) -> list[str]:
    return [command for task in tasks for command in task.commands]
