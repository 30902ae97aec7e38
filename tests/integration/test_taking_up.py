"""A run is taken up, anew or again, over real git and real stores; nothing is conducted here."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bursar.agents import CommandAgent
from bursar.budget import Amount, parse_limit
from bursar.clock import SystemClock
from bursar.config import open_stores
from bursar.errors import InvalidPlan, UserError
from bursar.ids import RandomIds
from bursar.journal import AttemptRow, AttemptState, RunRow, RunState, TaskState, TopUp
from bursar.ledger import Reservation, ReserveRequest, State
from bursar.paths import LEDGER_FILE
from bursar.pricing import load_prices
from bursar.processes import identify
from bursar.run import (
    PlanToRun,
    RunContext,
    RunLimit,
    RunLock,
    RunSettings,
    Stores,
    Tools,
    check_prices,
    open_plan,
    take_up,
    unfinished_run,
)
from bursar.run.attempts import Attempts, Begun
from bursar.run.local_executor import LocalExecutor
from bursar.run.merging import MergedWork
from bursar.run.recovery import Recovered, recover
from bursar.supervision import ABANDONED, Ending, claim, read_claim
from bursar.supervision.spec import write_outcome
from bursar.worktrees import Worktree, advance, commit_work, create, read_ref
from tests.integration.git_repository import NO_SETTINGS, WHO, Checkout, make_checkout
from tests.unit.supervision.test_spec import outcome

PLAN = """\
---
phase: 08-features
plan: 02
---
<objective>x</objective>
<tasks>
<task type="auto"><name>Task 1: One</name><files>1.txt</files><action>Do one.</action><done>x</done></task>
<task type="auto"><name>Task 2: Two</name><files>2.txt</files><action>Do two.</action><done>x</done></task>
</tasks>
"""


@dataclass
class Desk:
    """A repository with a plan, and the tools of a run."""

    checkout: Checkout
    tools: Tools

    @property
    def stores(self) -> Stores:
        return self.tools.stores

    def open(self) -> PlanToRun:
        return open_plan(self.checkout.root / "08-02-PLAN.md", self.checkout.root)

    def take_up(self, run: RunRow | None = None, limit: str | None = None) -> RunContext:
        """The run's context, after it was taken up."""
        wanted = None if limit is None else RunLimit(text=limit, limit=parse_limit(limit))
        return take_up(self.open(), self.tools, run, wanted, lambda _: None)[1]

    def again(self, limit: str | None = None) -> RunContext:
        run = unfinished_run(self.open(), self.tools)
        assert run is not None
        return self.take_up(run, limit)

    def state_of(self, context: RunContext) -> dict[str, TaskState]:
        return {task.number: task.state for task in self.stores.journal.tasks(context.run.id)}

    def tip(self, context: RunContext) -> str:
        found = read_ref(context.repository, context.merged_ref)
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in (NO_SETTINGS | WHO).items():
        monkeypatch.setenv(name, value)
    checkout = make_checkout(tmp_path / "repository")
    checkout.commit({"08-02-PLAN.md": PLAN})
    clock = SystemClock()
    tools = Tools(
        stores=open_stores(tmp_path / "state", str(tmp_path / "state" / LEDGER_FILE), clock),
        agent=CommandAgent(["true"]),
        rates=load_prices(clock.now()).table(),
        settings=RunSettings(),
        state_dir=tmp_path / "state",
        environment={},
        clock=clock,
        ids=RandomIds(),
    )
    yield Desk(checkout, tools)
    for store in (tools.stores.ledger, tools.stores.journal, tools.stores.history):
        store.close()


def begin_attempt(desk: Desk, context: RunContext, task: str = "1", number: int = 1) -> AttemptRow:
    """A hold and a row, as they are before anything has started."""
    name = f"{context.run.id}-{task}-{number}"
    row = AttemptRow(
        key=f"{context.run.id}/{task}/{number}",
        run_id=context.run.id,
        task=task,
        number=number,
        model="sonnet",
        directory=str(context.directory / "attempts" / f"{task}-{number}"),
        worktree=str(context.directory / "worktrees" / name),
        base_commit=desk.tip(context),
        session_id="s",
        state=AttemptState.PLANNED,
        started_at=context.now(),
        digest=next(each.digest for each in context.plan.tasks if each.number == task),
    )
    hold(desk, context, task, number)
    Path(row.directory).mkdir(parents=True)
    desk.stores.journal.begin_attempt(row)
    return row


def hold(desk: Desk, context: RunContext, task: str, number: int) -> Reservation:
    request = ReserveRequest(
        key=f"{context.run.id}/{task}/{number}",
        labels=context.labels | {"task": task},
        amount=Amount(1000, 5000),
        attempt=number,
    )
    answer = desk.stores.ledger.reserve(request)
    assert isinstance(answer, Reservation)
    return answer


def work_in(context: RunContext, row: AttemptRow, text: str = "x") -> str:
    """The attempt's worktree stands and its work is a commit."""
    worktree: Worktree = create(context.repository, Path(row.worktree), row.base_commit)
    (worktree.path / f"{row.task}.txt").write_text(text)
    change = commit_work(context.repository, worktree, "feat(08-02): One\n")
    assert change is not None
    return change.commit


def run_recovery(desk: Desk, context: RunContext) -> Recovered:
    merged = MergedWork(context, desk.tip(context))
    executor = LocalExecutor(context.directory / "spawner.log")
    attempts = Attempts(context, executor, merged, {})
    rows = desk.stores.journal.attempts(context.run.id)
    recovered = recover(context, attempts, merged, executor, rows)
    assert merged.tip == desk.tip(context)
    return recovered


def test_a_new_run_has_its_rows_its_budget_and_its_ref(desk: Desk) -> None:
    context = desk.take_up(limit="200k tokens")
    run = desk.stores.journal.run(context.run.id)
    assert run is not None
    assert (run.state, run.branch, run.base_commit, run.limit) == (
        RunState.RUNNING,
        "main",
        desk.checkout.head,
        "200k tokens",
    )
    assert run.conductor == identify(os.getpid())
    assert desk.state_of(context) == {"1": TaskState.PENDING, "2": TaskState.PENDING}
    (balance,) = desk.stores.ledger.balances({"run": run.id})
    assert balance.budget.limit == parse_limit("200k tokens")
    assert desk.tip(context) == desk.checkout.head


def test_without_a_limit_there_is_no_budget(desk: Desk) -> None:
    context = desk.take_up()
    assert desk.stores.ledger.balances({"run": context.run.id}) == []


def test_the_same_run_goes_on_until_it_is_done(desk: Desk) -> None:
    assert unfinished_run(desk.open(), desk.tools) is None
    context = desk.take_up(limit="200k tokens")
    for state in (RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED):
        desk.stores.journal.end_run(context.run.id, state, context.now())
        assert desk.again().run.id == context.run.id
    desk.stores.journal.end_run(context.run.id, RunState.SUCCEEDED, context.now())
    assert unfinished_run(desk.open(), desk.tools) is None


def test_a_limit_given_again_replaces_the_old_one_and_none_leaves_it(desk: Desk) -> None:
    run = desk.take_up(limit="200k tokens").run
    assert desk.again().run.limit == "200k tokens"
    assert desk.again("300k tokens").run.limit == "300k tokens"
    (balance,) = desk.stores.ledger.balances({"run": run.id})
    assert balance.budget.limit.quantity == 300_000


def test_a_limit_in_another_unit_is_refused_and_changes_nothing(desk: Desk) -> None:
    context = desk.take_up(limit="200k tokens")
    desk.stores.journal.end_run(context.run.id, RunState.STOPPED, context.now())
    before = (desk.stores.journal.run(context.run.id), list(desk.stores.ledger.entries()))
    with pytest.raises(UserError, match="has a budget of 200k tokens, which cannot become one of 5 USD"):
        desk.again("5 USD")
    assert (desk.stores.journal.run(context.run.id), list(desk.stores.ledger.entries())) == before


def test_what_is_added_to_a_limit_that_was_changed_meanwhile_is_refused(desk: Desk) -> None:
    """It was worked out before the lock was taken, while another command was adding, too."""
    run = desk.take_up(limit="100k tokens").run
    desk.again("150k tokens")
    added = TopUp(
        run_id=run.id, key="k", amount="20,000 tokens", new_limit="120,000 tokens", by_user="ada", at="2026-11-22"
    )
    stale = RunLimit(text=added.new_limit, limit=parse_limit(added.new_limit), top_up=added)
    opened = desk.open()
    with pytest.raises(UserError, match="has been changed meanwhile: it is 150k tokens, and nothing was added"):
        take_up(opened, desk.tools, unfinished_run(opened, desk.tools), stale, lambda _: None)
    assert desk.again().run.limit == "150k tokens"
    assert desk.stores.journal.controls.top_ups(run.id) == []


@pytest.mark.parametrize("detached", [False, True])
def test_another_branch_is_refused(desk: Desk, detached: bool) -> None:
    desk.take_up()
    desk.checkout.git("switch", "--quiet", *(["--detach"] if detached else ["-c", "other"]))
    with pytest.raises(UserError, match="started from main"):
        desk.again()


def test_what_the_user_has_committed_since_is_the_new_base(desk: Desk) -> None:
    context = desk.take_up()
    head = desk.checkout.commit({"a.txt": "later\n"})
    assert desk.tip(desk.again()) == head
    assert desk.tip(context) == head


def test_work_that_is_ahead_of_the_checkout_is_gone_on_from(desk: Desk) -> None:
    context = desk.take_up()
    ahead = work_in(context, begin_attempt(desk, context))
    advance(context.repository, context.merged_ref, ahead, desk.tip(context))
    assert desk.tip(desk.again()) == ahead


def test_work_that_has_parted_from_the_checkout_is_for_a_person_and_changes_nothing(desk: Desk) -> None:
    context = desk.take_up()
    advance(
        context.repository,
        context.merged_ref,
        work_in(context, begin_attempt(desk, context)),
        desk.tip(context),
    )
    desk.checkout.commit({"08-02-PLAN.md": PLAN.replace("Do two", "Do three")})
    before = (desk.stores.journal.run(context.run.id), list(desk.stores.journal.tasks(context.run.id)))
    with pytest.raises(UserError, match="have parted"):
        desk.again()
    assert (desk.stores.journal.run(context.run.id), list(desk.stores.journal.tasks(context.run.id))) == before


def merge_first(desk: Desk, context: RunContext) -> str:
    """Task 1 is merged, as a run does it."""
    row = begin_attempt(desk, context)
    commit = work_in(context, row)
    desk.stores.ledger.settle(row.key, Amount(10, 10))
    advance(context.repository, context.merged_ref, commit, desk.tip(context))
    desk.stores.journal.end_attempt(
        row, AttemptState.SUCCEEDED, context.now(), task=TaskState.MERGED, commit=commit, note=""
    )
    return commit


def test_what_is_merged_stays_done(desk: Desk) -> None:
    context = desk.take_up()
    merge_first(desk, context)
    desk.stores.journal.set_task(context.run.id, "2", TaskState.FAILED, note="x")
    assert desk.state_of(desk.again()) == {"1": TaskState.MERGED, "2": TaskState.PENDING}


def test_a_task_that_was_changed_since_is_to_be_done_again(desk: Desk) -> None:
    context = desk.take_up()
    commit = merge_first(desk, context)
    desk.checkout.git("merge", "--quiet", "--ff-only", commit)
    desk.checkout.commit({"08-02-PLAN.md": PLAN.replace("Do one", "Do one better")})
    assert desk.state_of(desk.again()) == {"1": TaskState.PENDING, "2": TaskState.PENDING}


def test_a_commit_that_was_taken_out_of_the_history_is_to_be_done_again(desk: Desk) -> None:
    context = desk.take_up()
    before = desk.tip(context)
    commit = merge_first(desk, context)
    advance(context.repository, context.merged_ref, before, commit)
    assert desk.state_of(desk.again())["1"] is TaskState.PENDING


def test_a_plan_is_conducted_by_one_process_at_a_time(desk: Desk) -> None:
    opened = desk.open()
    lock = RunLock(desk.tools.state_dir, opened)
    with pytest.raises(UserError, match="run by another process"):
        RunLock(desk.tools.state_dir, opened)
    lock.release()
    RunLock(desk.tools.state_dir, opened).release()


def test_a_dirty_checkout_is_refused(desk: Desk) -> None:
    desk.checkout.write({"a.txt": "dirty\n", "untracked": "x"})
    with pytest.raises(UserError, match=r"not committed:\n  a\.txt"):
        desk.open()


def test_a_path_that_is_not_utf_8_is_refused_before_anything_changes(desk: Desk) -> None:
    odd = desk.checkout.root / os.fsdecode(b"caf\xe9-PLAN.md")
    odd.write_text(PLAN)
    with pytest.raises(UserError, match="is not UTF-8"):
        open_plan(odd, desk.checkout.root)


def test_every_problem_of_a_plan_is_listed(desk: Desk) -> None:
    bad = PLAN.replace('<task type="auto">', '<task type="auto" depends-on="9">')
    desk.checkout.commit({"08-02-PLAN.md": bad})
    with pytest.raises(InvalidPlan) as refused:
        desk.open()
    assert "has 2 problems:" in refused.value.message
    assert refused.value.message.count("08-02-PLAN.md:") == 2


def test_a_budget_in_usd_needs_a_price_for_every_model(desk: Desk) -> None:
    tools = replace(desk.tools, agent=CommandAgent(["true"], {"medium": "nobody-knows"}))
    with pytest.raises(UserError, match="no price is known for model nobody-knows"):
        check_prices(desk.open(), tools, parse_limit("5 USD"))
    check_prices(desk.open(), tools, parse_limit("5k tokens"))
    check_prices(desk.open(), desk.tools, parse_limit("5 USD"))


def test_an_attempt_that_nobody_claimed_never_started(desk: Desk) -> None:
    context = desk.take_up()
    row = begin_attempt(desk, context)
    recovered = run_recovery(desk, context)
    assert (recovered.left, recovered.merged) == ([], [])
    assert read_claim(Path(row.directory)) == ABANDONED
    reservation = desk.stores.ledger.reservation(row.key)
    assert reservation is not None
    assert reservation.state is State.RELEASED
    assert desk.stores.journal.attempts(context.run.id)[0].state is AttemptState.INTERRUPTED
    assert desk.state_of(context)["1"] is TaskState.PENDING


@pytest.mark.parametrize("lost", ["before the claim", "after the claim"])
def test_an_attempt_whose_recovery_was_cut_off_is_recovered(desk: Desk, lost: str) -> None:
    """Its folder was lost in a power cut; or an earlier recovery has claimed it and died."""
    context = desk.take_up()
    row = begin_attempt(desk, context)
    if lost == "before the claim":
        Path(row.directory).rmdir()
    else:
        claim(Path(row.directory), ABANDONED)
    assert run_recovery(desk, context).left == []
    reservation = desk.stores.ledger.reservation(row.key)
    assert reservation is not None
    assert reservation.state is State.RELEASED


def test_a_hold_without_a_row_is_released(desk: Desk) -> None:
    context = desk.take_up()
    reservation = hold(desk, context, "1", 1)
    run_recovery(desk, context)
    after = desk.stores.ledger.reservation(reservation.key)
    assert after is not None
    assert after.state is State.RELEASED


def test_a_hold_of_another_run_is_left_alone(desk: Desk) -> None:
    context = desk.take_up()
    other = ReserveRequest(key="other/1/1", labels={"run": "other", "task": "1"}, amount=Amount(10, 10))
    desk.stores.ledger.reserve(other)
    run_recovery(desk, context)
    after = desk.stores.ledger.reservation("other/1/1")
    assert after is not None
    assert after.state is State.HELD


@pytest.mark.parametrize("has_outcome", [False, True])
def test_an_attempt_whose_supervisor_is_gone_is_followed_to_its_end(desk: Desk, has_outcome: bool) -> None:
    context = desk.take_up()
    row = begin_attempt(desk, context)
    work_in(context, row)
    claim(Path(row.directory), "4194297/1/no-such-boot")
    if has_outcome:
        write_outcome(Path(row.directory), outcome(ending=Ending.EXITED))
    recovered = run_recovery(desk, context)
    assert [(left.row.key, left.is_running) for left in recovered.left] == [(row.key, False)]
    assert Path(row.worktree).exists(), "its work is collected first"
    reservation = desk.stores.ledger.reservation(row.key)
    assert reservation is not None
    assert reservation.state is State.HELD


@pytest.mark.parametrize("moved", [False, True])
def test_a_merge_that_was_cut_off_is_finished(desk: Desk, moved: bool) -> None:
    context = desk.take_up()
    row = begin_attempt(desk, context)
    commit = work_in(context, row)
    desk.stores.ledger.settle(row.key, Amount(10, 10))
    desk.stores.journal.begin_merge(row.key, commit)
    if moved:
        advance(context.repository, context.merged_ref, commit, desk.tip(context))
    recovered = run_recovery(desk, context)
    assert list(recovered.merged) == ["1"]
    assert desk.tip(context) == commit
    assert desk.state_of(context)["1"] is TaskState.MERGED
    assert not Path(row.worktree).exists()
    assert "worktrees" not in desk.checkout.git("worktree", "list")


def test_a_merge_that_does_not_fit_any_more_is_interrupted(desk: Desk) -> None:
    context = desk.take_up()
    row = begin_attempt(desk, context)
    desk.stores.journal.begin_merge(row.key, work_in(context, row))
    head = desk.checkout.commit({"a.txt": "the user's\n"})
    advance(context.repository, context.merged_ref, head, desk.tip(context))
    assert list(run_recovery(desk, context).merged) == []
    assert desk.tip(context) == head
    assert desk.stores.journal.attempts(context.run.id)[0].state is AttemptState.INTERRUPTED
    assert desk.state_of(context)["1"] is TaskState.PENDING


def test_recovering_twice_is_recovering_once(desk: Desk) -> None:
    context = desk.take_up()
    begin_attempt(desk, context)
    hold(desk, context, "2", 1)
    run_recovery(desk, context)
    rows = list(desk.stores.journal.attempts(context.run.id))
    entries = list(desk.stores.ledger.entries())
    run_recovery(desk, context)
    assert list(desk.stores.journal.attempts(context.run.id)) == rows
    assert list(desk.stores.ledger.entries()) == entries


def test_an_attempt_that_no_supervisor_can_be_started_for_is_interrupted(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the task: nothing is charged, and a resume tries it again."""
    context = desk.take_up(limit="200k tokens")
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    executor = LocalExecutor(context.directory / "spawner.log")
    attempts = Attempts(context, executor, MergedWork(context, desk.tip(context)), {})
    task = context.plan.tasks[0]
    begun = attempts.begin(task)
    assert isinstance(begun, Begun)
    ended = asyncio.run(attempts.work(task, begun))
    assert ended.outcome == "interrupted"
    assert "supervisors cannot be started" in ended.note
    assert desk.state_of(context)["1"] is TaskState.PENDING
    reservation = desk.stores.ledger.reservation(begun.row.key)
    assert reservation is not None
    assert reservation.state is State.RELEASED
