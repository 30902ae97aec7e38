"""From flags and settings to the agent and all else that a run needs of the machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bursar.agents import Agent
from bursar.budget import Unit, WindowLimit, parse_limit
from bursar.cli.conducting import say
from bursar.clock import SystemClock
from bursar.config import (
    URL_VARIABLE,
    Settings,
    build_agent,
    build_sandbox,
    find_ledger_place,
    load_settings,
    open_stores,
)
from bursar.errors import UserError
from bursar.history import ENOUGH_ATTEMPTS
from bursar.ids import RandomIds
from bursar.paths import state_dir
from bursar.pricing import ALIASES, load_prices
from bursar.run import PlanToRun, RunSettings, Tools
from bursar.supervision import AttemptLimits


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
        lanes=settings.lanes(),
        startup_delay_seconds=flags.startup_delay_seconds,
        verifies_merged=settings.run.verify_merged,
        fresh_attempts=settings.run.fresh_attempts,
        wrap_up_calls=settings.run.wrap_up_calls,
        wrap_up_window_percent=settings.run.wrap_up_percent(),
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
