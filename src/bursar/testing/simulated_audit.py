"""An independent look at a simulated run: from what agents did, what git has and what the books say, not from the plan
of those who conducted it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bursar.budget import Unit
from bursar.journal import AttemptState, RunState, TaskState
from bursar.ledger import Reservation, State
from bursar.plan import Task
from bursar.testing.simulated_agents import Truth
from bursar.testing.simulated_git import BRANCH, PERSON
from bursar.testing.simulated_machine import CANCELLED
from bursar.testing.simulated_record import Record


def audit(record: Record) -> list[str]:
    """Everything that is not as it must be, each in a sentence; empty if all is well."""
    return [
        *record.breaches,
        *_lost(record),
        *_merged_twice(record),
        *_out_of_order(record),
        *_at_once(record),
        *_money(record),
        *_left(record),
        *_untrue(record),
    ]


def describe(record: Record) -> str:
    """The run in words: its conductors, its agents, and what is wrong with it."""
    lines = [f"seed {record.scenario.seed}: {len(record.scenario.plan.tasks)} tasks, {record.scenario.unit} budget"]
    lines += [f"  task {each.number} {each.type} after {each.depends_on}: {each.files}" for each in _tasks(record)]
    lines += [f"{each.began:10.2f}  {each.ended} after {len(each.writes)} writes; {each.luck}" for each in record.lives]
    lines += [f"{each.began:10.2f}  {each}" for each in record.machine.truths.values()]
    lines += [f"{each.state:12} {each.key} held {each.held} charged {each.charged}" for each in record.reservations]
    lines += [f"{each.state:12} {each.key} {each.commit} {each.note}" for each in record.attempts]
    lines += [f"{each.state:12} task {each.number} {each.note}" for each in record.tasks]
    return "\n".join([*lines, *(f"WRONG: {each}" for each in audit(record))])


def _tasks(record: Record) -> Sequence[Task]:
    return record.scenario.plan.tasks


def _lost(record: Record) -> Iterator[str]:
    """In the end, which is reached, every task that has files to write is merged, and its work is in the tree."""
    git = record.git
    if _is_cancelled(record):
        return
    history = git.history(git.refs[BRANCH])
    done = {_task_of(commit.attempt) for commit in history if commit.attempt}
    if record.run is None or record.run.state is not RunState.SUCCEEDED:
        yield f"the run never came to its end: {[life.ended for life in record.lives][-3:]}"
        return
    for task in record.scenario.plan.tasks:
        if task.files and task.number not in done:
            yield f"task {task.number} is lost: the run is done and has no commit of it"
    writers = {file: each.attempt for each in history for file in git.files_of_tasks.get(_task_of(each.attempt), ())}
    for file, attempt in writers.items():
        if _task_of(history[-1].tree.get(file, "")) != _task_of(attempt):
            yield f"{file} is not as {attempt} left it, and nobody has written it since"


def _merged_twice(record: Record) -> Iterator[str]:
    """No task has more than one commit, nor any attempt."""
    history = record.git.history(record.git.refs[BRANCH])
    for task, count in Counter(_task_of(each.attempt) for each in history if each.attempt).items():
        if count > 1:
            yield f"task {task} was merged {count} times"
    known = {row.key: row for row in record.attempts}
    for each in history:
        row = known.get(each.attempt)
        if _is_attempt(each.attempt) and (
            row is None or row.state is not AttemptState.SUCCEEDED or row.commit != each.id
        ):
            yield f"the journal does not know of commit {each.id} of {each.attempt}: {row}"


def _out_of_order(record: Record) -> Iterator[str]:
    """No agent began before all that its task depends on was in the tree that it began with."""
    before = {task.number: task.depends_on for task in record.scenario.plan.tasks}
    writing = {task.number for task in record.scenario.plan.tasks if task.files}
    for truth in record.machine.truths.values():
        if not truth.base:
            yield f"{truth.key} began without a worktree"
            continue
        there = {_task_of(each.attempt) for each in record.git.history(truth.base)}
        for name in before[truth.task]:
            if name in writing and name not in there:
                yield f"{truth.key} began without the work of task {name}"


def _at_once(record: Record) -> Iterator[str]:
    """Never more agents than slots, never two at one task, never two that may write the same file."""
    files = {task.number: set(task.files) for task in record.scenario.plan.tasks}
    truths = sorted(record.machine.truths.values(), key=lambda each: each.began)
    for number, one in enumerate(truths):
        beside = [other for other in truths[:number] if _end(other) > one.began]
        if len(beside) >= record.scenario.settings.max_parallel:
            yield f"{one.key} began beside {len(beside)} others"
        for other in beside:
            if other.task == one.task or files[one.task] & files[other.task]:
                yield f"{one.key} and {other.key} were at work at once"


def _money(record: Record) -> Iterator[str]:
    """Each hold has ended once, and what was truly used is what was charged."""
    known = {each.key: each for each in record.reservations}
    for key in record.machine.truths.keys() - known.keys():
        yield f"the agent of {key} worked without a hold"
    for each in record.reservations:
        if each.state is State.HELD:
            yield f"the hold of {each.key} was forgotten"
        else:
            yield from _charged(each, record.machine.truths.get(each.key))
    if record.scenario.unit is Unit.TOKENS and record.run is not None:
        balance = record.machine.ledger.balance(f"run-{record.run.id}")
        charged = sum(each.charged.tokens for each in record.reservations if each.charged is not None)
        if balance is None or (balance.spent, balance.reserved) != (charged, 0):
            yield f"the run's budget says {balance}, and {charged} tokens were charged"


def _charged(each: Reservation, truth: Truth | None) -> Iterator[str]:
    charged = 0 if each.charged is None else each.charged.tokens
    used = 0 if truth is None else truth.tokens
    if each.state is State.RELEASED:
        if used:
            yield f"{each.key} was given back, and its agent used {used} tokens"
    elif each.state is State.FORFEITED:
        if charged != max(each.held.tokens, each.metered.tokens):
            yield f"{each.key} forfeited {charged} tokens, {each.held.tokens} were held"
    elif truth is None:
        if charged:
            yield f"{each.key} was charged {charged} tokens, and there was no agent"
    elif truth.is_known and charged != used:
        yield f"{each.key} was charged {charged} tokens, and its agent used {used}"
    elif charged + truth.untold < used:
        yield f"{each.key} was charged only {charged} tokens, and its agent used {used}, {truth.untold} of it untold"


def _left(record: Record) -> Iterator[str]:
    """A run that is over, done or cancelled, has left nothing behind but what it says it could not collect.

    And empty worktrees that one made who had lost the run by then, and died (`bursar doctor` finds them).
    """
    said = " ".join(row.note for row in record.attempts)
    excused = {each for each in record.git.worktrees if f"what the agent left is in {each}" in said}
    if left := record.git.worktrees.keys() - excused - set(_made_too_late(record)):
        yield f"worktrees are left: {sorted(left)}"
    if record.machine.supervisors:
        yield f"agents are left: {sorted(record.machine.supervisors)}"


def _made_too_late(record: Record) -> Iterator[str]:
    """Worktrees of attempts that somebody else had called off by then."""
    claims = record.machine.claims
    if any(life.is_second for life in record.lives):
        yield from (row.worktree for row in record.attempts if claims.get(row.key) == CANCELLED)


def _untrue(record: Record) -> Iterator[str]:
    """The journal says of every task and attempt what is so."""
    if record.run is None or record.run.state is not RunState.SUCCEEDED:
        return
    for task in record.tasks:
        if task.state is not TaskState.MERGED:
            yield f"the run is done, and its task {task.number} is {task.state}"
    for row in record.attempts:
        if row.state in {AttemptState.PLANNED, AttemptState.MERGING}:
            yield f"the run is done, and its attempt {row.key} is {row.state}"
    if record.run.conductor is not None or record.git.homecomings[-1:] != [True]:
        yield "the run is done, and was not brought home"


def _is_attempt(name: str) -> bool:
    return bool(name) and not name.startswith(f"{PERSON}/")


def _is_cancelled(record: Record) -> bool:
    return record.run is not None and record.run.state is RunState.CANCELLED


def _task_of(attempt: str) -> str:
    return attempt.split("/")[1] if attempt else ""


def _end(truth: Truth) -> float:
    return float("inf") if truth.ended is None else truth.ended
