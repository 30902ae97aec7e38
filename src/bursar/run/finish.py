"""The end of a run: the SUMMARY if the whole plan is done, and the checkout fast-forwarded to what was merged."""

from __future__ import annotations

import os
from pathlib import Path

from bursar.events import CheckoutForwarded, SummaryWritten
from bursar.plan import Part, render_summary, summary_path
from bursar.run.context import RunContext
from bursar.run.summarize import summarize
from bursar.worktrees import (
    advance,
    commit_paths,
    count_commits,
    drop_ref,
    fast_forward,
    is_tracked,
    read_files,
    read_head,
    read_message,
    save_branch,
)


def bring_home(context: RunContext, tip: str, *, is_done: bool) -> None:
    """The branch that the run started from has the merged work, or a branch of the run's own has, and it is said.

    The SUMMARY is committed where the plan itself is under version control (so that later plans' worktrees have it),
    else only written. It exists only if every task is done: its presence means done.
    """
    if context.program is not None:  # each of its plans has been closed when it was done
        _forward(context, tip)
        return
    target = summary_path(context.plan.path)
    is_committed = is_done and is_tracked(context.repository, context.plan.path)
    content = _render(context) if is_done else b""
    if is_committed:
        tip = _commit_summary(context, tip, target, content, context.plan.id)
    _forward(context, tip)
    if is_done and not is_committed:
        _write_whole(target, content)
    if is_done:
        context.emit(SummaryWritten(path=str(target)))


def close_plan(context: RunContext, part: Part, tip: str) -> str:
    """One of the run's plans, all of whose tasks are merged, has its SUMMARY; the tip with it.

    It is committed onto the merged work where the plan is under version control, else only written. One that is there
    already stays as it is.
    """
    target = summary_path(part.plan.path)
    if not is_tracked(context.repository, part.plan.path):
        if target.exists():
            return tip
        _write_whole(target, _render(context, part))
    else:
        if read_files(context.repository, tip, [context.name_in_repository(target)]):
            return tip
        tip = _commit_summary(context, tip, target, _render(context, part), part.plan.id)
    context.emit(SummaryWritten(path=str(target)))
    return tip


def _render(context: RunContext, part: Part | None = None) -> bytes:
    return render_summary(summarize(context, part)).encode("utf-8", "backslashreplace")


def _write_whole(target: Path, content: bytes) -> None:
    """The file is there with all of its content, or not at all: a SUMMARY's presence means done."""
    draft = target.with_name(f".{target.name}.draft")
    with open(draft, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, target)


def _commit_summary(context: RunContext, tip: str, target: Path, content: bytes, plan_id: str) -> str:
    """The tip with the SUMMARY on it: committed now, or by a conductor that died before it could say so."""
    relative = context.name_in_repository(target)
    message = f"docs({plan_id}): Add summary\n\nBursar-Run: {context.run.id}\n"
    if read_message(context.repository, tip) == message:
        return tip
    change = commit_paths(context.repository, tip, {relative: content}, message)
    if change is None:
        return tip
    advance(context.repository, context.merged_ref, change.commit, tip)
    return change.commit


def _forward(context: RunContext, tip: str) -> None:
    """The branch stands at `tip` and the run's own ref is gone; or, if that cannot be, a branch keeps the work."""
    run, repository = context.run, context.repository
    before = read_head(repository).commit
    result = fast_forward(repository, run.branch, tip)
    left_on = None
    if result.done:
        drop_ref(repository, context.merged_ref)
    else:
        left_on = save_branch(repository, f"bursar/{run.id}/merged", tip)
    context.emit(
        CheckoutForwarded(
            branch=run.branch,
            commit=tip,
            commits=count_commits(repository, before, tip),
            obstacle=result.obstacle,
            left_on=left_on,
        )
    )
