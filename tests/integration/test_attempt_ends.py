"""How an attempt ends where something else breaks at that very moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bursar.errors import StoreError
from bursar.journal import TaskState
from bursar.ledger import State
from bursar.run.attempts import Attempts
from bursar.run.context import RunContext
from bursar.run.local_executor import LocalExecutor
from bursar.run.merging import MergedWork
from bursar.supervision import Ending, claim
from bursar.supervision.spec import write_outcome
from bursar.worktrees import advance
from tests.integration.test_taking_up import Desk, begin_attempt, desk, run_recovery, work_in
from tests.unit.supervision.test_spec import outcome

__all__ = ["desk"]


def attempts_of(desk: Desk, context: RunContext) -> Attempts:
    executor = LocalExecutor(context.directory / "spawner.log")
    return Attempts(context, executor, MergedWork(context, desk.tip(context)), {})


def test_a_supervisor_that_died_before_it_claimed_costs_nothing(desk: Desk) -> None:
    """No agent was started: that nobody can claim the attempt any more is the proof."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    after = desk.stores.ledger.reservation(row.key)
    assert after is not None
    assert after.state is State.RELEASED


def test_an_outcome_without_a_price_is_settled_as_its_supervisor_would(desk: Desk) -> None:
    """The tokens that were metered, and the money that was held; not all the tokens that were held."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    claim(Path(row.directory), "4194297/1/no-such-boot")
    write_outcome(
        Path(row.directory),
        outcome(ending=Ending.EXITED, metered_tokens=400, metered_nano_usd=None, unknown_tokens=0, unknown_nano_usd=0),
    )
    asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    after = desk.stores.ledger.reservation(row.key)
    assert after is not None
    assert after.charged is not None
    assert (after.state, after.charged.tokens, after.charged.nano_usd) == (State.SETTLED, 400, 5000)


def test_a_merge_that_the_journal_did_not_hear_of_is_no_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ref has moved; only the row is missing, and a resume writes it. As failed, the task would be done twice."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    work_in(context, row)
    claim(Path(row.directory), "4194297/1/no-such-boot")
    write_outcome(Path(row.directory), outcome(ending=Ending.EXITED))
    journal = desk.stores.journal
    real, calls = journal.end_attempt, list[str]()

    def busy_once(*arguments: Any, **named: Any) -> None:
        calls.append("end_attempt")
        if len(calls) == 1:
            raise StoreError("the journal is being written by another program; nothing was written")
        real(*arguments, **named)

    monkeypatch.setattr(type(journal), "end_attempt", lambda _, *arguments, **named: busy_once(*arguments, **named))
    try:
        asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    except StoreError:
        pass
    run_recovery(desk, context)
    assert desk.state_of(context)["1"] is TaskState.MERGED


def test_nothing_is_verified_after_the_interrupt(desk: Desk, tmp_path: Path) -> None:
    """It was, where ctrl-C came while the agent's work was being collected: for as long as the command took."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    work_in(context, row)
    claim(Path(row.directory), "4194297/1/no-such-boot")
    write_outcome(Path(row.directory), outcome(ending=Ending.EXITED))
    attempts = attempts_of(desk, context)
    attempts.stop()
    task = replace(context.plan.tasks[0], commands=(f"touch {tmp_path}/verified",))
    ended = asyncio.run(attempts.follow(task, row))
    assert ended.outcome == "interrupted"
    assert not (tmp_path / "verified").exists()


def test_work_that_could_be_collected_after_all_leaves_no_worktree(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It did, where the disk was full when the work was to be collected, and when that was to be journaled."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    work_in(context, row)
    claim(Path(row.directory), "4194297/1/no-such-boot")
    write_outcome(Path(row.directory), outcome(ending=Ending.EXITED))

    def full(*_: object, **__: object) -> None:
        raise StoreError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("bursar.run.merging.commit_work", full)
        broken.setattr(type(desk.stores.journal), "end_attempt", full)
        with pytest.raises(StoreError):
            asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    assert Path(row.worktree).exists()
    ended = asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    assert ended.outcome == "succeeded"
    assert not Path(row.worktree).exists()


def test_a_journal_that_cannot_be_written_is_no_failure_of_the_task(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was, where the disk was full for a moment just before the merge: the work was paid for, and done again."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    work_in(context, row)
    claim(Path(row.directory), "4194297/1/no-such-boot")
    write_outcome(Path(row.directory), outcome(ending=Ending.EXITED))

    def full(*_: object) -> None:
        raise StoreError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(type(desk.stores.journal), "begin_merge", full)
        with pytest.raises(StoreError):
            asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    ended = asyncio.run(attempts_of(desk, context).follow(context.plan.tasks[0], row))
    assert (ended.outcome, desk.state_of(context)["1"]) == ("succeeded", TaskState.MERGED)


def test_work_does_not_go_on_beside_what_it_conflicts_with_by_now(desk: Desk) -> None:
    """It did, where another task had written the same file while it was cut off: it was paid for and never merged."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    work = work_in(context, row, "one way")
    place = MergedWork(context, desk.tip(context))
    assert place.can_go_on(row.base_commit, work)
    other = replace(begin_attempt(desk, context, number=2), base_commit=row.base_commit)
    advance(context.repository, context.merged_ref, work_in(context, other, "another way"), desk.tip(context))
    later = MergedWork(context, desk.tip(context))
    assert not later.can_go_on(row.base_commit, work)
    assert later.can_go_on(row.base_commit, None)
