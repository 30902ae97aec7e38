"""What a supervisor is handed, and the budget that a task brings along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursar.agents import WIDE_PIPE_BYTES, LaunchRequest, PrivateHome
from bursar.budget import RUN_THRESHOLDS, Budget, Counting, Limit, OnLimit, Unit
from bursar.errors import SetupError
from bursar.journal import AttemptRow, Remainder, escaped
from bursar.paths import LOGINS_FOLDER, VIEW_FOLDER
from bursar.plan import ARCHIVE_NAME, Task
from bursar.run.checkpoints import decided_before, decisions_in_words
from bursar.run.confinement import confine_agent
from bursar.run.context import RunContext
from bursar.run.continuing import continued_by, home_of, keeps_conversation
from bursar.run.holds import output_of, price_of_tokens
from bursar.run.prompt import WRAP_UP, WRAP_UP_INSTANCE, build_prompt, go_on_prompt, what_was_begun
from bursar.supervision import PROMPT_FILE, AttemptSpec, HomeSpec, StopRung, WrapUpSpec, open_home
from bursar.worktrees import identity_variables


def build_spec(context: RunContext, task: Task, row: AttemptRow, inherited: str = "") -> AttemptSpec:
    """Everything that the attempt needs; its prompt is written beside its other files.

    Args:
        inherited: what it is told of the tasks that it depends on; empty for nothing.

    Raises:
        SetupError: the agent's program is not installed, or its home cannot be made.
    """
    request, agent = _build_request(context, task, row, inherited), context.agent_of(task)
    (Path(row.directory) / PROMPT_FILE).write_text(request.prompt, encoding="utf-8")
    launch = agent.launch(request, context.environment)
    home = None if launch.home is None else _open_home(Path(row.directory), launch.home)
    blocking = [each for each in _budgets(context, task) if each.on_limit is OnLimit.BLOCK]
    step = price_of_tokens(context.settings.default_hold_tokens // 2, context.rates, row.model)
    return AttemptSpec(
        key=row.key,
        directory=row.directory,
        ledger=context.stores.ledger_place,
        worktree=row.worktree,
        reader=agent.name,
        argv=confine_agent(context, launch, row),
        is_sandboxed=context.sandbox is not None,
        limits=context.settings.limits,
        own_folders=_own_folders(context, row, home),
        # An agent in a home of its own does not see the user's git settings, and may have to commit.
        environment={**identity_variables(context.project), **launch.environment},
        stdin=launch.stdin,
        before=list(launch.before),
        pipe_bytes=launch.pipe_bytes if blocking else WIDE_PIPE_BYTES,
        stop_ladder=[
            StopRung(signal=int(rung.signal), to_group=rung.to_group, grace_seconds=rung.grace_seconds)
            for rung in agent.stop_ladder
        ],
        rates=context.rates.text,
        units=_units(blocking),
        countings=sorted(_part_countings(blocking)),
        step_output_tokens=output_of(step.tokens),
        refuses_unpriced=any(each.limit.unit is Unit.USD and not each.allows_unknown_price for each in blocking),
        step_tokens=step.tokens,
        step_nano_usd=step.nano_usd,
        output_cap=launch.output_cap,
        limit_seconds=context.settings.attempt_limit_seconds,
        model=row.model,
        audit=context.audit,
        home=home,
        telemetry=dict(launch.telemetry),
        wrap_up=None if launch.mailbox is None else _wrap_up(context, task, launch.mailbox, blocking),
    )


def _wrap_up(context: RunContext, task: Task, mailbox: Path, blocking: Sequence[Budget]) -> WrapUpSpec:
    """Told before every limit but the cap of its model: past that the task begins anew on a larger one."""
    settings = context.settings
    return WrapUpSpec(
        mailbox=str(mailbox),
        words=WRAP_UP_INSTANCE if task.number in context.instances else WRAP_UP,
        calls=settings.wrap_up_calls,
        window_percent=settings.wrap_up_window_percent,
        budgets=[each.name for each in blocking if each.name != cap_name(context, task)],
    )


def _own_folders(context: RunContext, row: AttemptRow, home: HomeSpec | None) -> list[str]:
    """What only this attempt writes: its worktree, its git directory in a sandbox, and its home."""
    folders = [] if home is None else [home.folder]
    if context.checkout is None:
        return folders
    view = [] if context.sandbox is None else [str(Path(row.directory) / VIEW_FOLDER)]
    return [row.worktree, *view, *folders]


def _build_request(context: RunContext, task: Task, row: AttemptRow, inherited: str) -> LaunchRequest:
    """What the agent is told; an instance of a job list word for word, so that a command stands at the beginning.

    One with a conversation of its own lives in the user's home, where conversations are found again.
    """
    worktree, instance = Path(row.worktree), context.instances.get(task.number)
    home = home_of(context, row)
    logins = None if context.sandbox is None else context.directory / LOGINS_FOLDER
    listens = bool(context.settings.wrap_up_calls or context.settings.wrap_up_window_percent)
    if instance is None:
        continued = continued_by(context, row)
        return LaunchRequest(
            prompt=escaped(_prompt(context, task, row, continued, inherited)),
            worktree=worktree,
            model=row.model,
            session_id=row.session_id,
            subagent=task.subagent,
            writes_files=bool(task.files),
            home=home,
            logins=logins,
            continues=keeps_conversation(row, continued),
            listens=listens,
        )
    return LaunchRequest(
        prompt=escaped(instance.text),
        worktree=worktree,
        model=row.model,
        session_id=row.session_id,
        permission_mode=instance.permission_mode,
        allowed_tools=instance.allowed_tools,
        files=instance.files,
        continues=instance.continues,
        compacts=instance.compacts_history,
        home=home if instance.session_id is None else None,
        logins=logins,
        listens=listens,
    )


def _prompt(context: RunContext, task: Task, row: AttemptRow, continued: Remainder | None, inherited: str) -> str:
    """All that the task says; or, to an agent that remembers it, that it is to go on."""
    if keeps_conversation(row, continued):
        return go_on_prompt(
            context.own_task(task),
            has_work=continued is not None and continued.work_commit is not None,
            wrapped_up=continued is not None and bool(continued.said_left),
        )
    worktree, answers = Path(row.worktree), context.stores.journal.controls.answers(context.run.id)
    return build_prompt(
        context.plan_of(task),
        context.own_task(task),
        lambda folder: (worktree / folder / ARCHIVE_NAME).is_file(),
        lesson=context.escalation.lesson_of(task),
        inherited=inherited,
        begun="" if continued is None or continued.work_commit is None else what_was_begun(continued.said_left),
        decisions=decisions_in_words(decided_before(context.plan, context.graph, task, answers)) if answers else "",
    )


def _open_home(directory: Path, home: PrivateHome) -> HomeSpec:
    try:
        return open_home(directory, home)
    except OSError as error:
        raise SetupError(f"the agent's home cannot be made: {home.folder}: {error.strerror or error}") from error


def cap_name(context: RunContext, task: Task) -> str:
    """The budget that caps what the task's model may use on it in this run."""
    return f"run-{context.run.id}/task-{task.number}/{context.model_of(task)}"


def define_task_budget(context: RunContext, task: Task) -> None:
    """The task's `<token-budget>`, where it has one, is a budget over all of its attempts in this run.

    The cap of an attempt is a budget over those of its model: the next attempt after a failure has another one.
    """
    cap = context.cap_of(task)
    if cap is not None:
        context.stores.ledger.define(
            Budget(
                name=cap_name(context, task),
                selector={"run": context.run.id, "task": task.number, "model": context.model_of(task)},
                limit=cap,
                thresholds=RUN_THRESHOLDS,
            )
        )
    if task.metrics.token_budget is None:
        return
    context.stores.ledger.define(
        Budget(
            name=f"run-{context.run.id}/task-{task.number}",
            selector={"run": context.run.id, "task": task.number},
            limit=Limit(task.metrics.token_budget, Unit.TOKENS),
            thresholds=RUN_THRESHOLDS,
        )
    )


def part_countings(context: RunContext, task: Task) -> set[Counting]:
    """How the task's budgets in tokens count, where they do not count all of them."""
    return _part_countings(_budgets(context, task))


def _part_countings(budgets: Sequence[Budget]) -> set[Counting]:
    return {each.counts for each in budgets if each.limit.unit is Unit.TOKENS and each.counts is not Counting.TOTAL}


def _units(blocking: Sequence[Budget]) -> list[str]:
    """Units in which a limit can be reached; a budget that counts only some tokens is no limit to the others."""
    return sorted({each.limit.unit for each in blocking if each.counts is Counting.TOTAL})


def _budgets(context: RunContext, task: Task) -> list[Budget]:
    """Those that an attempt at the task is charged to."""
    labels = context.labels_of(task)
    budgets = [balance.budget for balance in context.stores.ledger.balances(labels)]
    return [each for each in budgets if each.is_charged_by(labels)]
