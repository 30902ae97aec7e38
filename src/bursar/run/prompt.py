"""What an attempt is told: one task, and nothing of the others. Pure."""

from __future__ import annotations

from collections.abc import Callable

from bursar.plan import ARCHIVE_NAME, Plan, Task, shrink_context
from bursar.run.closing_words import DONE, LEFT

_RULES = """\
- Do this one task and nothing else: other tasks of the plan are done by others, at the same time.
- You are in a git worktree of your own. Do not commit, push, stash or switch branches; your changes are collected.
- Do not write a SUMMARY file and do not change anything in `.planning/`.
- Nobody can answer questions. If something is unclear, take the most reasonable reading and say so at the end.
- When the task is done, stop and report in a few sentences what you changed."""

_ARCHIVED = ": this phase is finished, and the file stands for its plans and summaries; do not read those."


_FOUND_BY = "Whoever goes on with this task finds your changes as you leave them."
WRAP_UP = f"""\
Wrap up now: {{why}}. Soon you will be stopped. Finish the step that you are at and begin nothing new; leave every file
whole and consistent, and end. {_FOUND_BY}
Say what is done and what is left. The last line of your answer must be `{DONE}` if the whole task is done, else
`{LEFT}` and what is left, in one sentence."""
WRAP_UP_INSTANCE = WRAP_UP.replace(_FOUND_BY, "Your changes stay as you leave them.")  # nobody goes on with it

_BEGUN = """\
An earlier attempt at this very task {how}, not because of anything it had done. Its changes lie in
your worktree, not committed: look at them first (`git status`, `git diff HEAD`), keep what is right, and finish."""

_GO_ON = """\
You were stopped in the middle of this task, not because of anything you had done, and nobody else has worked on it.
{work} A command that ran when you were stopped has been ended. Go on where you were, by the same rules, and do not
begin again; when the task is done, stop and report in a few sentences what you changed."""

_GO_ON_AFTER_WRAPPING_UP = """\
You were told to wrap up, and did; nobody else has worked on this task since. That is over: there is room again.
{work} Do what you left, by the same rules, and do not begin again; when the task is done, stop and report in a few
sentences what you changed."""


def what_was_begun(said_left: str) -> str:
    """What is said of changes that lie in the worktree, and of what whoever made them said was `said_left`, if so."""
    if not said_left:
        return _BEGUN.format(how="was stopped in the middle")
    return f"{_BEGUN.format(how='was told to wrap up, and did')}\nIt said that this was left: {said_left}"


def go_on_prompt(task: Task, *, has_work: bool, wrapped_up: bool = False) -> str:
    """What an agent is told that remembers the task: to go on with it."""
    text = _GO_ON_AFTER_WRAPPING_UP if wrapped_up else _GO_ON
    work = "Your worktree is as you left it." if has_work else "You had changed nothing yet that was kept."
    return f"# Task {task.number}: {' '.join(task.name.split())}\n\n{text.format(work=work)}\n"


def build_prompt(
    plan: Plan,
    task: Task,
    is_archived: Callable[[str], bool] = lambda folder: False,
    *,
    lesson: str = "",
    begun: str = "",
    decisions: str = "",
    inherited: str = "",
) -> str:
    """The prompt of one attempt, in Markdown. The heading `# Task N: NAME` comes first and once.

    Args:
        lesson: what an earlier attempt at the task has left; empty for nothing.
        begun: what is to be said of changes that lie in the worktree; empty where none do.
        decisions: what people have decided at checkpoints before it; empty for nothing.
        inherited: what the tasks that it depends on have done; empty where it is to know nothing of them.
        is_archived: whether the phase in this folder has been summed up; its plans and summaries need not be read then.
    """
    sections = [
        f"# Task {task.number}: {' '.join(task.name.split())}",
        f"This is task {task.number} of plan {plan.id}."
        + (f"\n\n## Objective of the plan\n{plan.objective}" if plan.objective else ""),
        _section("Files", "\n".join(f"- {file}" for file in task.files)),
        _section("What to do", task.action),
        *(_section(name.replace("_", " ").replace("-", " ").capitalize(), text) for name, text in task.details.items()),
        _section("What was decided", decisions),
        _section("What was done before", inherited),
        _section("What is there already", begun),
        _section("How it is verified", _verification(task)),
        _section("What went wrong before", lesson),
        _section("Done when", task.done),
        _section("Read first, where it exists", _context(plan, is_archived)),
        _section("Rules", _RULES),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _context(plan: Plan, is_archived: Callable[[str], bool]) -> str:
    paths = shrink_context(plan.context_paths, is_archived)
    return "\n".join(
        f"- @{path}" + (_ARCHIVED if path.endswith(f"/{ARCHIVE_NAME}") and path not in plan.context_paths else "")
        for path in paths
    )


def _verification(task: Task) -> str:
    if not task.commands:
        return task.verify
    commands = "\n".join(task.commands)
    prose = "" if task.verify.strip() in {commands, f"`{commands}`"} else f"{task.verify}\n\n"
    return f"{prose}After you have finished, these commands are run and must all succeed:\n\n```sh\n{commands}\n```"


def _section(title: str, text: str) -> str:
    return f"## {title}\n{text.strip()}" if text.strip() else ""
