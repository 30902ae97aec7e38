"""What the commands that conduct have in common: settings, tools, approval, the terminal, the signals."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bursar.agents import Agent
from bursar.budget import Lane, Unit, WindowLimit, parse_limit
from bursar.cli.checkpoint_desk import open_desk
from bursar.cli.run_watch import Watch
from bursar.clock import SystemClock
from bursar.config import (
    FILE_NAME,
    URL_VARIABLE,
    AgentSettings,
    Settings,
    build_agent,
    build_sandbox,
    find_ledger_place,
    load_settings,
    open_stores,
)
from bursar.errors import CTRL_C, INTERRUPTED, OK, STOPPED_BY_BUDGET, TASK_FAILED, StoreError, UserError
from bursar.history import ENOUGH_ATTEMPTS, STATISTICS_FILE, build_statistics, write_statistics
from bursar.ids import RandomIds
from bursar.journal import AttemptRow, Journal, RunState, read_window_record
from bursar.notify import Notifier
from bursar.paths import state_dir
from bursar.plan import Plan
from bursar.pricing import ALIASES, load_prices
from bursar.reports import build_run_report, render_report, report_as_data
from bursar.run import (
    Conductor,
    LiveForecast,
    PlanToRun,
    RunContext,
    RunSettings,
    Stores,
    Tools,
    alerts_of_run,
)
from bursar.supervision import AttemptLimits
from bursar.worktrees import is_tracked, leave_out

_EXIT_CODES = {
    RunState.SUCCEEDED: OK,
    RunState.FAILED: TASK_FAILED,
    RunState.STOPPED: STOPPED_BY_BUDGET,
    RunState.INTERRUPTED: INTERRUPTED,
    RunState.CANCELLED: TASK_FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Flags that go before settings; None where a flag was not given."""

    agent: str | None = None
    max_parallel: int | None = None
    auto_approved: Sequence[str] = ()
    timeout_seconds: float | None = None
    startup_delay_seconds: float = 0.0
    sandbox: bool | None = None
    windows: Sequence[WindowLimit] = ()
    waits: bool = False


def read_settings(opened: PlanToRun) -> Settings:
    """The project's settings."""
    return load_settings(opened.origin.project)


def choose_agent(settings: Settings, flags: Flags) -> Agent:
    """The agent by flag, else by settings; it is installed.

    Raises:
        UserError: no such agent.
        SetupError: it is not installed.
    """
    import msgspec

    if flags.agent:
        settings = msgspec.structs.replace(settings, run=msgspec.structs.replace(settings.run, agent=flags.agent))
    agent = build_agent(settings)
    agent.find()
    return agent


def tell_missing_login(agent: Agent) -> None:
    """A key or login that was not found is told on stderr. The run goes on: the agent may have ways of its own."""
    condition = agent.examine(os.environ)
    if condition.login is None:
        fixes = [problem.fix for problem in condition.problems[:1]]
        sys.stderr.write(f"warning: {agent.name}: no key and no login was found; {'; '.join(fixes)}\n")


def build_tools(settings: Settings, flags: Flags, agent: Agent) -> Tools:
    """Everything that a run needs of the machine; opens the stores.

    Raises:
        SetupError: a sandbox was asked for, and there is none.
    """
    clock = SystemClock()
    state = Path(state_dir())
    sandbox = build_sandbox(settings, is_wanted=flags.sandbox)
    run_settings = _run_settings(settings, flags)  # refused before any store is made
    failover = tuple(build_agent(settings, name) for name in settings.routing.failover if name != agent.name)
    models = (each.model_for(tier) for each in (agent, *failover) for tier in ("small", "medium", "large"))
    stores = open_stores(state, find_ledger_place(), clock)
    if stores.history_problem:
        say(f"warning: nothing is learned from earlier runs, nor will be from this one: {stores.history_problem}\n")
    return Tools(
        stores=stores,
        agent=agent,
        rates=load_prices(clock.now(), settings.prices()).table((*ALIASES, *models)),
        settings=run_settings,
        state_dir=state,
        environment={name: value for name, value in os.environ.items() if name != URL_VARIABLE},
        clock=clock,
        ids=RandomIds(),
        failover=failover,
        value_usd=_task_value(settings),
        sandbox=sandbox,
        learn_after=ENOUGH_ATTEMPTS if settings.routing.policy == "auto" else 0,
    )


def _task_value(settings: Settings) -> float | None:
    """What a finished task is worth to the learned policy; None where the rules choose."""
    if settings.routing.policy == "rules":
        return None
    return settings.routing.value_usd()


def _run_settings(settings: Settings, flags: Flags) -> RunSettings:
    slots = flags.max_parallel if flags.max_parallel is not None else settings.run.max_parallel
    if not 1 <= slots <= 64:
        raise UserError(f"--max-parallel must be from 1 to 64, not {slots}")
    if not 1 <= settings.routing.attempts <= 10:
        raise UserError(f"routing.attempts must be from 1 to 10, not {settings.routing.attempts}", hint="attempts = 3")
    hold = parse_limit(settings.run.default_hold)
    if hold.unit is not Unit.TOKENS:
        raise UserError("run.default_hold must be in tokens", hint='default_hold = "50k tokens"')
    return RunSettings(
        max_parallel=slots,
        default_hold_tokens=hold.quantity,
        attempt_limit_seconds=flags.timeout_seconds or settings.run.attempt_minutes * 60,
        verify_limit_seconds=settings.run.verify_minutes * 60,
        auto_approved=frozenset(flags.auto_approved),
        max_attempts=settings.routing.attempts,
        attempt_cap=parse_limit(settings.routing.attempt_cap) if settings.routing.attempt_cap else None,
        downgrades=settings.routing.downgrade,
        escalates_named=settings.routing.escalate_named,
        lane=Lane(settings.agents.get(flags.agent or settings.run.agent, AgentSettings()).lane),
        startup_delay_seconds=flags.startup_delay_seconds,
        verifies_merged=settings.run.verify_merged,
        fresh_attempts=settings.run.fresh_attempts,
        limits=AttemptLimits(processes=settings.limits.processes, **settings.limits.sizes()),
        max_phases=settings.parallel.max_workers,
        phase_tokens=settings.parallel.min_token_budget_per_phase,
        falls_back=settings.parallel.fallback_to_sequential,
        forecast_seconds=settings.run.forecast_seconds,
        windows=_windows(settings, flags),
        waits=flags.waits,
    )


def _windows(settings: Settings, flags: Flags) -> tuple[WindowLimit, ...]:
    """Those of the settings, in whose place go those of flags on the same window."""
    stated = {(each.minutes, each.agent) for each in flags.windows}
    kept = [each for each in settings.windows() if stated.isdisjoint({(each.minutes, each.agent), (each.minutes, "")})]
    return (*kept, *flags.windows)


def require_approval(
    plans: Sequence[Plan], settings: Settings, journal: Journal, *, trust: bool, more: Sequence[str] = ()
) -> None:
    """A person has approved the content of each plan, now or before, if anything in it would be executed.

    All that is not approved yet is asked for at once.

    Args:
        more: what else of its content has to be approved, in lines for people.

    Raises:
        UserError: nobody has, and nobody can be asked.
    """
    programs = [f"{FILE_NAME}: {program}" for program in settings.programs()]
    unapproved: dict[str, Plan] = {}
    commands: list[str] = []
    for plan in plans:
        own = [f"task {task.number}: {command}" for task in plan.tasks for command in task.commands]
        digest = hashlib.sha256("\0".join([plan.digest, settings.digest(), *more]).encode()).hexdigest()
        if (own or more or programs) and not journal.is_approved(digest):
            unapproved[digest] = plan
            commands += own if len(plans) == 1 else [f"plan {plan.id}, {command}" for command in own]
    if not unapproved:
        return
    commands += [*more, *programs]
    listed = "\n".join(f"  {command}" for command in commands)
    what = "commands and permissions" if more else "commands"
    where = str(next(iter(unapproved.values())).path) if len(unapproved) == 1 else f"{len(unapproved)} plans"
    if not trust and not _ask(f"{where} would use these {what}:\n{listed}\n"):
        verb, hint = ("contains", "the plan changes") if len(unapproved) == 1 else ("contain", "a plan changes")
        raise UserError(
            f"{where} {verb} {what} that nobody has approved yet:\n{listed}",
            hint=f"read them, then say --trust; it is remembered until {hint}",
        )
    for digest, plan in unapproved.items():
        journal.approve(digest, str(plan.path), SystemClock().now().isoformat(timespec="seconds"))


def _ask(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question}run them? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def say(text: str) -> None:
    """The text is on stderr; a run goes on when nobody listens any more."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # the pipe's reader or the terminal is gone
        _mute(sys.stderr)


def _mute(stream: TextIO) -> None:
    """What is still written to `stream` goes nowhere, at exit too."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def send_earlier_alerts(notifier: Notifier, context: RunContext) -> None:
    """Alerts that fired on this run while no conductor was there to send them are on their way."""
    for alert in alerts_of_run(context):
        notifier.alert(alert.level, alert.message, at=alert.at.isoformat())


def tell_undelivered(notifier: Notifier) -> None:
    """Alerts that nobody got are told on stderr, once."""
    for sentence in notifier.undelivered():
        sys.stderr.write(f"warning: {sentence}\n")


def conduct(
    conductor: Conductor, context: RunContext, rows: Sequence[AttemptRow], watch: Watch, *, as_json: bool
) -> int:
    """Conducts the run to its end, prints its report on stdout and gives the exit code."""
    try:
        state, number = asyncio.run(_conduct(conductor, context, rows, watch))
    except Exception:
        run = context.run.id
        say(f"run {run} cannot go on for now; nothing of it is lost, and this goes on with it: bursar resume {run}\n")
        raise
    _export_statistics(context)
    try:
        print_report(context.stores, context.run.id, as_json=as_json)
        sys.stdout.flush()
    except OSError:  # whoever read our output has gone: the run went as it went
        _mute(sys.stdout)
    if number == signal.SIGINT:
        return CTRL_C
    return _EXIT_CODES[state]


def _export_statistics(context: RunContext) -> None:
    """`.planning/.token-stats.json` says what the project's attempts have taken; git takes no notice of it.

    One that somebody has committed is left alone: the next run would stumble over the change.
    """
    if context.checkout is None:
        return
    folder, repository = context.checkout.root / ".planning", context.checkout
    path = folder / STATISTICS_FILE
    if not folder.is_dir() or (path.exists() and is_tracked(repository, path)):
        return
    try:
        seen = context.stores.history.observations(project=str(repository.root))
        leave_out(repository, f"/.planning/{STATISTICS_FILE}")
        write_statistics(folder, build_statistics(seen))
    except (OSError, StoreError) as error:
        say(f"warning: {path} was not written: {error}\n")


async def _conduct(
    conductor: Conductor, context: RunContext, rows: Sequence[AttemptRow], watch: Watch
) -> tuple[RunState, int | None]:
    loop, received = asyncio.get_running_loop(), list[int]()

    def stop(number: int) -> None:
        if not received:
            say("stopping: agents get up to 5 s to end; what they used is settled\n")
        received.append(number)
        conductor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    looking = asyncio.gather(watch.look(), LiveForecast(context).keep())
    desk = open_desk(conductor, context, say)
    watch.tell_desk(desk)
    try:
        state = await conductor.conduct(rows)
    finally:
        if desk is not None:
            desk.close()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    return state, received[0] if received else None


def print_report(stores: Stores, run_id: str, *, as_json: bool) -> None:
    """The run's report on stdout.

    Raises:
        UserError: there is no such run.
    """
    run = stores.journal.run(run_id)
    if run is None:
        raise UserError(f"there is no run `{run_id}`", hint="bursar status --all")
    windows = read_window_record(Path(state_dir(), "runs", run.id))
    report = build_run_report(stores.journal, stores.ledger, run, windows)
    if as_json:
        json.dump(report_as_data(report), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(render_report(report, in_colour=wants_colour(sys.stdout)) + "\n")


def wants_colour(stream: object) -> bool:
    """The stream is a terminal, and nobody has said that colour is unwanted."""
    return bool(getattr(stream, "isatty", bool)()) and not os.environ.get("NO_COLOR")
