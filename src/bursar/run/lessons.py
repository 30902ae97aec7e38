"""What a task's next attempt is told of the one that has failed: the verdict and the work, both cut short; never the
conversation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bursar.errors import BursarError
from bursar.events import AttemptEnded
from bursar.journal import AttemptRow, AttemptState
from bursar.plan import Task
from bursar.run.context import RunContext
from bursar.supervision import VERIFY_LOG
from bursar.worktrees import read_diff

MOST_LOG_CHARACTERS = 4_000
MOST_DIFF_CHARACTERS = 12_000


def read_lesson(context: RunContext, task: Task, ended: AttemptEnded) -> str:
    """What the next attempt is told of the task's last one; what cannot be read is left out."""
    rows = [row for row in context.stores.journal.attempts(context.run.id) if row.task == task.number]
    return _lesson(context, rows[-1], ended.note, ended.branch) if rows else ""


def restore_lessons(
    context: RunContext,
    tasks: Mapping[str, Task],
    rows: Sequence[AttemptRow],
    refusal_lesson: Callable[[AttemptRow], str],
) -> None:
    """The next attempts at tasks whose last failure an earlier conductor saw are told what they are owed.

    After work that could not be merged that is always so; after another failure where a task may be tried again. Tasks
    that are done are owed nothing.

    Args:
        refusal_lesson: what is owed after an attempt whose work could not be merged; empty where it could have been.
    """
    failed: dict[str, AttemptRow] = {}
    for row in rows:
        if row.state is AttemptState.SUCCEEDED:
            failed.pop(row.task, None)
        elif row.state is AttemptState.FAILED and context.is_current(row):
            failed[row.task] = row
    for number, row in failed.items():
        lesson = refusal_lesson(row)
        if not lesson and context.settings.max_attempts > 1:
            lesson = _lesson(context, row, row.note, f"bursar/{row.key}")
        if lesson:
            context.escalation.teach(tasks[number], lesson)


def build_lesson(model: str, note: str, log: str, diff: str) -> str:
    """What an attempt is told of the one before it, in Markdown; the log's end and the diff's beginning, cut short."""
    parts = [f"{model} has tried this task before you and failed: {note}. Its changes are not in your worktree."]
    if log.strip():
        parts.append(f"The end of what the verify command printed:\n\n{fence(log[-MOST_LOG_CHARACTERS:], 'text')}")
    if diff.strip():
        parts.append(f"What it had changed:\n\n{fence_diff(diff)}")
    return "\n\n".join(parts)


def fence_diff(diff: str) -> str:
    """The beginning of a patch, as a code block."""
    cut = "" if len(diff) <= MOST_DIFF_CHARACTERS else "\n… cut short"
    return fence(diff[:MOST_DIFF_CHARACTERS] + cut, "diff")


def fence(text: str, kind: str) -> str:
    """A code block that its text cannot end."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{kind}\n{text.strip()}\n{fence}"


def _lesson(context: RunContext, row: AttemptRow, note: str, branch: str | None) -> str:
    return build_lesson(row.model, note, _read_log(row), _read_changes(context, row, branch))


def _read_log(row: AttemptRow) -> str:
    try:
        return (Path(row.directory) / VERIFY_LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _read_changes(context: RunContext, row: AttemptRow, branch: str | None) -> str:
    if branch is None:
        return ""
    try:
        return read_diff(context.repository, row.base_commit, branch)
    except BursarError:
        return ""
