"""A run is taken up: the plan's unfinished one goes on, or a new one begins. From here on rows are written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from bursar.errors import StoreError, UserError
from bursar.events import RunEvent
from bursar.garbage import without_garbage_collection
from bursar.history import ROUTES_FROM, learn_policy
from bursar.journal import AttemptRow, PlanRow, RunRow, RunState, TaskRow, TaskState
from bursar.ledger import Reservation
from bursar.notify import AuditLog
from bursar.paths import AUDIT_FILE
from bursar.plan import Plan
from bursar.processes import identify, is_alive
from bursar.run.advice import Advice
from bursar.run.conductor import Conductor
from bursar.run.context import RunContext
from bursar.run.executor import AttemptExecutor
from bursar.run.prepare import PlanToRun, Tools
from bursar.run.run_budgets import (
    RunBudget,
    RunLimit,
    check_top_up,
    check_unit,
    define_budgets,
    limit_never_defined,
)
from bursar.supervision import keep_audit


def unfinished_run(opened: PlanToRun, tools: Tools) -> RunRow | None:
    """The run of this plan that can be gone on with; None if there is none.

    Raises:
        UserError: it started from another branch than the one that is checked out; or the newest one is done, and its
            work waits to be merged by a person.
    """
    run = _latest_run(opened, tools)
    if run is None or run.state is RunState.CANCELLED:
        return None
    if run.state is RunState.SUCCEEDED:
        opened.origin.check_brought_home(run)
        return None
    opened.origin.check_same(run)
    return run


def settle_finished(opened: PlanToRun, tools: Tools) -> None:
    """A run whose last act (saying that it is done) was cut off is done: its SUMMARY is there and every task merged."""
    journal = tools.stores.journal
    run = _latest_run(opened, tools)
    if run is None:
        return
    opened.origin.forget(run)
    if run.state in (RunState.SUCCEEDED, RunState.CANCELLED):
        return
    if all(task.state is TaskState.MERGED for task in journal.tasks(run.id)):
        journal.end_run(run.id, RunState.SUCCEEDED, tools.clock.now().isoformat(timespec="milliseconds"))


def _latest_run(opened: PlanToRun, tools: Tools) -> RunRow | None:
    origin = opened.origin
    workspace = None if origin.workspace is None else str(origin.workspace)
    return tools.stores.journal.latest_run(str(origin.project), str(opened.plan.path), workspace, opened.scope)


@without_garbage_collection()
def take_up(
    opened: PlanToRun,
    tools: Tools,
    run: RunRow | None,
    limit: RunLimit | None,
    emit: Callable[[RunEvent], None],
    *,
    more: Sequence[RunBudget] = (),
    executor: AttemptExecutor | None = None,
) -> tuple[Conductor, RunContext, Sequence[AttemptRow]]:
    """The unfinished `run` goes on, or (None) a new one begins; its rows and its budgets are written.

    A run that goes on keeps what was spent: a limit given now replaces the old one, none given leaves it.

    Args:
        more: budgets over the run beside `limit`.
        executor: carries out the attempts; None for this machine's.
    """
    conductor = tools.conductor or identify(os.getpid()) or ""
    if run is not None:
        opened = opened.knowing(row.number for row in tools.stores.journal.tasks(run.id))
    if run is not None and limit is not None:
        check_unit(tools, run, limit)
        check_top_up(run, limit)
    if run is None:
        run = _begin(opened, tools, limit, conductor)
    else:
        _check_nobody_conducts(run, conductor)
        _check_ledger(run, *_read(tools, run))
        limit = limit or limit_never_defined(tools, run)
        tools.stores.journal.take_over(run.id, conductor)
    journal = tools.stores.journal.as_conductor(run.id, conductor)
    tools = replace(tools, stores=replace(tools.stores, journal=journal))
    rows, held = _read(tools, run)  # now: whoever conducted it before, and may do so still, writes no more
    tip = opened.origin.starting_tip(run)
    if run.plan_digest != opened.plan.digest:
        journal.change_plan(run.id, opened.plan.digest, _task_rows(run.id, opened.plan), _plan_rows(run.id, opened))
    done = _done_tasks(opened, tools, run, tip)
    run = replace(run, limit=limit.text if limit else run.limit, conductor=conductor)
    define_budgets(tools, run.id, limit, more)
    journal.conduct(run.id, conductor, run.limit)
    context = _context(opened, tools, run, emit)
    place = opened.origin.place(context, tip)
    charged = {name for each in held for name in each.budgets}
    return Conductor(context, place, _tried(rows, held), done, charged, executor), context, rows


def _read(tools: Tools, run: RunRow) -> tuple[Sequence[AttemptRow], Sequence[Reservation]]:
    """What was begun and held in the run so far."""
    return tools.stores.journal.attempts(run.id), tools.stores.ledger.reservations({"run": run.id})


def _check_nobody_conducts(run: RunRow, conductor: str) -> None:
    """Nobody conducts the run, as far as its row tells, or it is this conductor already.

    Raises:
        UserError: a process that lives conducts the run; the lock that says so has been lost.
    """
    if run.conductor is not None and run.conductor != conductor and is_alive(run.conductor):
        raise UserError(f"run {run.id} is being run by another process", hint="bursar status")


def _check_ledger(run: RunRow, rows: Sequence[AttemptRow], held: Sequence[Reservation]) -> None:
    """The ledger has a hold for every attempt of the run: it is the one that the run was begun with.

    Raises:
        UserError: it is another one, which knows nothing of what this run has spent.
    """
    known = {each.key for each in held}
    missing = next((row.key for row in rows if row.key not in known), None)
    if missing is not None:
        raise UserError(
            f"the ledger knows nothing of attempt {missing}: run {run.id} was begun with another ledger",
            hint="name that one in BURSAR_LEDGER_URL or your own settings, or start a run of its own with --new",
        )


def _begin(opened: PlanToRun, tools: Tools, limit: RunLimit | None, conductor: str) -> RunRow:
    run = RunRow(
        id=tools.ids.new_id(),
        project=str(opened.origin.project),
        plan_path=str(opened.plan.path),
        plan_id=opened.plan.id,
        plan_digest=opened.plan.digest,
        branch=opened.origin.head.branch,
        base_commit=opened.origin.head.commit,
        limit=limit.text if limit else None,
        state=RunState.RUNNING,
        conductor=conductor,
        started_at=tools.clock.now().isoformat(timespec="milliseconds"),
        workspace=None if opened.origin.workspace is None else str(opened.origin.workspace),
        scope=opened.scope,
    )
    tools.stores.journal.begin_run(run, _task_rows(run.id, opened.plan), _plan_rows(run.id, opened))
    return run


def _done_tasks(opened: PlanToRun, tools: Tools, run: RunRow, tip: str) -> list[str]:
    """Tasks that need not be done again: merged as they are written now, their commit still in the history."""
    digests = {task.number: task for task in opened.plan.tasks}
    rows = [row for row in tools.stores.journal.tasks(run.id) if row.number in digests]
    kept = opened.origin.kept(run, tip, {row.commit for row in rows if row.commit is not None})
    summarized = opened.summarized
    done: list[str] = []
    for row in rows:
        task = digests[row.number]
        if row.number in summarized:  # by whomever: a SUMMARY says that the whole plan is done
            done.append(row.number)
            if row.state is not TaskState.MERGED:
                tools.stores.journal.set_task(run.id, row.number, TaskState.MERGED, note="its plan has a SUMMARY")
            continue
        is_there = row.commit is None or row.commit in kept
        if row.state is TaskState.MERGED and row.digest == task.digest and is_there:
            done.append(row.number)
        elif row.state is not TaskState.PENDING or row.digest != task.digest:
            tools.stores.journal.reset_task(replace(row, name=task.title, digest=task.digest))
    return done


def _tried(rows: Sequence[AttemptRow], held: Sequence[Reservation]) -> dict[str, int]:
    """How many attempts each task has had, those included whose hold was taken but whose row was never written."""
    tried: dict[str, int] = {}
    for row in rows:
        tried[row.task] = max(tried.get(row.task, 0), row.number)
    for reservation in held:
        task = reservation.labels["task"]
        tried[task] = max(tried.get(task, 0), reservation.attempt)
    return tried


def _context(opened: PlanToRun, tools: Tools, run: RunRow, emit: Callable[[RunEvent], None]) -> RunContext:
    directory = tools.state_dir / "runs" / run.id
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    audit = str(tools.state_dir / AUDIT_FILE)
    keep_audit(tools.stores.ledger, AuditLog(audit, tools.clock))
    return RunContext(
        run=run,
        plan=opened.plan,
        program=opened.program,
        selection=opened.selection,
        purse=tools.purse,
        graph=opened.graph,
        project=opened.origin.project,
        checkout=opened.origin.repository,
        instances=opened.origin.instances,
        directory=directory,
        stores=tools.stores,
        agent=tools.agent,
        failover=tools.failover,
        advice=_advice(opened, tools),
        sandbox=tools.sandbox,
        rates=tools.rates,
        settings=tools.settings,
        environment=tools.environment,
        clock=tools.clock,
        ids=tools.ids,
        audit=audit,
        emit=emit,
    )


def _task_rows(run_id: str, plan: Plan) -> list[TaskRow]:
    return [TaskRow(run_id=run_id, number=task.number, name=task.title, digest=task.digest) for task in plan.tasks]


def _plan_rows(run_id: str, opened: PlanToRun) -> list[PlanRow]:
    """Those of a run of several plans."""
    return [
        PlanRow(
            run_id=run_id,
            plan_id=part.plan.id,
            path=str(part.plan.path),
            digest=part.plan.digest,
            phase=part.phase,
            phase_name=part.phase_name,
        )
        for part in (opened.program.parts if opened.program is not None else ())
    ]


def _advice(opened: PlanToRun, tools: Tools) -> Advice | None:
    """What earlier runs have taught, where that is asked for."""
    if tools.value_usd is None:
        return None
    history = tools.stores.history
    try:
        earlier, corrections = history.read(latest=ROUTES_FROM).observations, history.corrections()
    except StoreError:  # what is learned from this run alone will have to do
        earlier, corrections = [], {}
    policy, seen = learn_policy(earlier)
    return Advice(policy, str(opened.origin.project), tools.value_usd, seen, tools.learn_after, corrections)
