"""What the commands that conduct have in common: settings, tools, approval, the terminal, the signals."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bursar.agents import Agent
from bursar.budget import Lane, Unit, parse_limit
from bursar.clock import SystemClock
from bursar.config import (
    FILE_NAME,
    URL_VARIABLE,
    AgentSettings,
    Settings,
    build_agent,
    find_ledger_place,
    load_settings,
    open_stores,
)
from bursar.errors import CTRL_C, INTERRUPTED, OK, STOPPED_BY_BUDGET, TASK_FAILED, UserError
from bursar.events import AlertFired, RunEvent
from bursar.ids import RandomIds
from bursar.journal import AttemptRow, Journal, RunState
from bursar.money import NANO_PER_USD
from bursar.notify import Notifier
from bursar.paths import state_dir
from bursar.plan import Plan
from bursar.pricing import ALIASES, load_prices
from bursar.reports import build_run_report, render_event, render_report, report_as_data
from bursar.run import Conductor, PlanToRun, RunContext, RunSettings, Stores, Tools, alerts_of_run

_EXIT_CODES = {
    RunState.SUCCEEDED: OK,
    RunState.FAILED: TASK_FAILED,
    RunState.STOPPED: STOPPED_BY_BUDGET,
    RunState.INTERRUPTED: INTERRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Flags that go before settings; None where a flag was not given."""

    agent: str | None = None
    max_parallel: int | None = None
    auto_approved: Sequence[str] = ()


def read_settings(opened: PlanToRun) -> Settings:
    """The project's settings."""
    return load_settings(opened.repository.root)


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


def build_tools(settings: Settings, flags: Flags, agent: Agent) -> Tools:
    """Everything that a run needs of the machine; opens the stores."""
    clock = SystemClock()
    state = Path(state_dir())
    run_settings = _run_settings(settings, flags)  # refused before any store is made
    failover = tuple(build_agent(settings, name) for name in settings.routing.failover if name != agent.name)
    models = (each.model_for(tier) for each in (agent, *failover) for tier in ("small", "medium", "large"))
    return Tools(
        stores=open_stores(state, find_ledger_place(), clock),
        agent=agent,
        rates=load_prices(clock.now(), settings.prices()).table((*ALIASES, *models)),
        settings=run_settings,
        state_dir=state,
        environment={name: value for name, value in os.environ.items() if name != URL_VARIABLE},
        clock=clock,
        ids=RandomIds(),
        failover=failover,
        value_usd=_task_value(settings),
    )


def _task_value(settings: Settings) -> float | None:
    """What a finished task is worth to the learned policy; None where the rules choose."""
    if settings.routing.policy == "rules":
        return None
    value = parse_limit(settings.routing.value)
    if value.unit is not Unit.USD:
        raise UserError("routing.value must be in USD", hint='value = "5 USD"')
    return value.quantity / NANO_PER_USD


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
        attempt_limit_seconds=settings.run.attempt_minutes * 60,
        verify_limit_seconds=settings.run.verify_minutes * 60,
        auto_approved=frozenset(flags.auto_approved),
        max_attempts=settings.routing.attempts,
        attempt_cap=parse_limit(settings.routing.attempt_cap) if settings.routing.attempt_cap else None,
        downgrades=settings.routing.downgrade,
        lane=Lane(settings.agents.get(flags.agent or settings.run.agent, AgentSettings()).lane),
    )


def require_approval(plan: Plan, settings: Settings, journal: Journal, *, trust: bool) -> None:
    """A person has approved this plan's content, now or before, if anything in it would be executed.

    Raises:
        UserError: nobody has, and nobody can be asked.
    """
    commands = [f"task {task.number}: {command}" for task in plan.tasks for command in task.commands]
    commands += [f"{FILE_NAME}: {program}" for program in settings.programs()]
    if not commands:
        return
    digest = hashlib.sha256(f"{plan.digest}\0{settings.digest()}".encode()).hexdigest()
    if journal.is_approved(digest):
        return
    listed = "\n".join(f"  {command}" for command in commands)
    if not trust and not _ask(f"{plan.path} would run these commands:\n{listed}\n"):
        raise UserError(
            f"{plan.path} contains commands that nobody has approved yet:\n{listed}",
            hint="read them, then say --trust; it is remembered until the plan changes",
        )
    journal.approve(digest, str(plan.path), SystemClock().now().isoformat(timespec="seconds"))


def _ask(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question}run them? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def tell(event: RunEvent) -> None:
    """The event as a line on stderr; a run goes on when nobody listens any more."""
    _say(render_event(event, in_colour=_wants_colour(sys.stderr)) + "\n")


def _say(text: str) -> None:
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


def telling(notifier: Notifier) -> Callable[[RunEvent], None]:
    """Tells each event on stderr; alerts are sent to their targets too, and what could not be is told once."""

    def emit(event: RunEvent) -> None:
        tell(event)
        if isinstance(event, AlertFired):
            notifier.alert(event.level, event.message, at=event.at)
        tell_undelivered(notifier)

    return emit


def send_earlier_alerts(notifier: Notifier, context: RunContext) -> None:
    """Alerts that fired on this run while no conductor was there to send them are on their way."""
    for alert in alerts_of_run(context):
        notifier.alert(alert.level, alert.message, at=alert.at.isoformat())


def tell_undelivered(notifier: Notifier) -> None:
    """Alerts that nobody got are told on stderr, once."""
    for sentence in notifier.undelivered():
        sys.stderr.write(f"warning: {sentence}\n")


def conduct(conductor: Conductor, context: RunContext, rows: Sequence[AttemptRow], *, as_json: bool) -> int:
    """Conducts the run to its end, prints its report on stdout and gives the exit code."""
    state, number = asyncio.run(_conduct(conductor, rows))
    try:
        print_report(context.stores, context.run.id, as_json=as_json)
        sys.stdout.flush()
    except OSError:  # whoever read our output has gone: the run went as it went
        _mute(sys.stdout)
    if number == signal.SIGINT:
        return CTRL_C
    return _EXIT_CODES[state]


async def _conduct(conductor: Conductor, rows: Sequence[AttemptRow]) -> tuple[RunState, int | None]:
    loop, received = asyncio.get_running_loop(), list[int]()

    def stop(number: int) -> None:
        if not received:
            _say("stopping: agents get up to 5 s to end; what they used is settled\n")
        received.append(number)
        conductor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    state = await conductor.conduct(rows)
    return state, received[0] if received else None


def print_report(stores: Stores, run_id: str, *, as_json: bool) -> None:
    """The run's report on stdout.

    Raises:
        UserError: there is no such run.
    """
    run = stores.journal.run(run_id)
    if run is None:
        raise UserError(f"there is no run `{run_id}`", hint="bursar status --all")
    report = build_run_report(stores.journal, stores.ledger, run)
    if as_json:
        json.dump(report_as_data(report), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(render_report(report, in_colour=_wants_colour(sys.stdout)) + "\n")


def _wants_colour(stream: object) -> bool:
    return bool(getattr(stream, "isatty", bool)()) and not os.environ.get("NO_COLOR")
