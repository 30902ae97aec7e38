"""What a task with `context-mode="inherited"` is told of the tasks that it depends on: their reports and their diffs.

It is bounded in bytes, measured, and held for: an attempt reads it again with every call.

Source: docs/decisions/0044-checkpoints.md
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursar.errors import BursarError
from bursar.journal import AttemptRow, AttemptState, TaskRow
from bursar.plan import ContextMode, Task
from bursar.run.context import RunContext
from bursar.run.lessons import fence
from bursar.supervision import read_outcome
from bursar.worktrees import read_diff

MOST_BYTES = 24_000  # of all that one task inherits
MOST_REPORT_BYTES = 2_000
BYTES_PER_TOKEN = 4
READS = 10  # so often an attempt reads its prompt: once with each call
_LEAST_SHARE = 1_000  # of one task above; where there are more of them, the last are left out
_FRAME_BYTES = 200  # titles of its parts, and fences
_MOST_OF_A_NAME = 120
_CUT = "\n… cut short"


class Inheritance:
    """What each task of one run inherits, found out once it can start."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._texts: dict[str, str] = {}

    def text_for(self, task: Task) -> str:
        """In Markdown; empty for a task that begins fresh, or depends on nothing that left anything."""
        if task.context_mode is not ContextMode.INHERITED or self._context.checkout is None:
            return ""
        if task.number not in self._texts:
            self._texts[task.number] = self._read(task)
        return self._texts[task.number]

    def tokens_for(self, task: Task) -> int:
        """How many tokens an attempt takes to read it, all its calls together."""
        return -(-len(self.text_for(task).encode()) * READS // BYTES_PER_TOKEN)

    def _read(self, task: Task) -> str:
        journal, run_id = self._context.stores.journal, self._context.run.id
        merged = {row.number: row for row in journal.tasks(run_id) if row.commit}
        above = [merged[number] for number in task.depends_on if number in merged]
        if not above:
            return ""
        done = {row.task: row for row in journal.attempts(run_id) if row.state is AttemptState.SUCCEEDED}
        share = max(_LEAST_SHARE, MOST_BYTES // len(above))
        return join_within([self._part(row, done.get(row.number), share) for row in above], MOST_BYTES)

    def _part(self, row: TaskRow, attempt: AttemptRow | None, share: int) -> str:
        title = f"### Task {row.number}: {' '.join(row.name.split())[:_MOST_OF_A_NAME]}"
        report = shortened(_report(attempt), min(MOST_REPORT_BYTES, share // 2))
        left = share - len(title.encode()) - len(report.encode()) - _FRAME_BYTES
        diff = shortened(self._diff(row.commit or ""), left)
        parts = [title]
        parts += [f"Its agent reported:\n\n{fence(report, 'text')}"] if report else []
        parts += [f"It has changed:\n\n{fence(diff, 'diff')}"] if diff.strip() else []
        return "\n\n".join(parts)

    def _diff(self, commit: str) -> str:
        try:
            return read_diff(self._context.repository, f"{commit}^", commit)
        except BursarError:
            return ""


def join_within(parts: Sequence[str], most_bytes: int) -> str:
    """As many of the parts, whole, as fit; how many more there are is said, on top of the bound."""
    taken: list[str] = []
    left = most_bytes
    for part in parts:
        left -= len(part.encode()) + 2
        if left < 0 and taken:
            return "\n\n".join([*taken, f"… and {len(parts) - len(taken)} more tasks that are left out here."])
        taken.append(part)
    return "\n\n".join(taken)


def shortened(text: str, most_bytes: int) -> str:
    """The beginning of the text, in whole characters; that it was cut is said, within the bound."""
    data = text.encode("utf-8", "replace")
    if len(data) <= most_bytes:
        return text
    room = most_bytes - len(_CUT.encode())
    return data[:room].decode("utf-8", "ignore") + _CUT if room > 0 else ""


def _report(attempt: AttemptRow | None) -> str:
    """The last words of the agent that did the task."""
    try:
        outcome = None if attempt is None else read_outcome(Path(attempt.directory))
    except (OSError, ValueError):
        outcome = None
    return "" if outcome is None else outcome.message.strip()
