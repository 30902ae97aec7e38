"""The composition root: settings in, working parts out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.agents import Agent, ClaudeAgent, CodexAgent, CommandAgent, GeminiAgent, OpencodeAgent, read_mapping
from bursar.budget import Level
from bursar.config.tables import AgentSettings, Settings
from bursar.errors import StoreError, UserError
from bursar.paths import HISTORY_FILE, JOURNAL_FILE, state_dir
from bursar.sandbox import Network, Sandbox, open_sandbox

if TYPE_CHECKING:
    from bursar.clock import Clock
    from bursar.notify import Notifier
    from bursar.run import Stores

_CLIS: Mapping[str, Callable[..., Agent]] = {
    "claude": ClaudeAgent,
    "codex": CodexAgent,
    "gemini": GeminiAgent,
    "opencode": OpencodeAgent,
}
KNOWN_AGENTS = (*_CLIS, "command")


def build_agent(settings: Settings, name: str = "") -> Agent:
    """The agent of that name, by default the one that the settings name for runs.

    Raises:
        UserError: there is no agent of that name, or its settings do not fit.
    """
    name = name or settings.run.agent
    table = settings.agents.get(name, AgentSettings())
    if (kind := _CLIS.get(name)) is not None:
        return kind(
            table.program,
            table.models,
            nested=table.nested,
            extra_arguments=tuple(table.arguments),
            passed=tuple(table.env),
            repository_settings=table.repository_settings,
            private_home=table.private_home,
            environment=os.environ,
        )
    if name == "command":
        events = None if table.events is None else read_mapping(table.events)
        return CommandAgent(tuple(table.argv), table.models, passed=tuple(table.env), events=events)
    raise UserError(f"there is no agent `{name}`", hint=f"known agents: {', '.join(KNOWN_AGENTS)}")


def build_sandbox(settings: Settings, *, is_wanted: bool | None = None) -> Sandbox | None:
    """What the settings say, unless somebody has said whether one is wanted; None where none is.

    Raises:
        SetupError: one is wanted, and there is none on this machine.
    """
    table = settings.sandbox
    if not (table.enabled if is_wanted is None else is_wanted):
        return None
    readable, writable = ([Path(each).expanduser() for each in names] for names in (table.readable, table.writable))
    return open_sandbox(
        network=Network(table.network),
        environment=os.environ,
        hidden=[Path(state_dir())],
        readable=readable,
        writable=writable,
    )


def open_stores(state: Path, ledger_place: str, clock: Clock) -> Stores:
    """The ledger at its place (see `find_ledger_place`), journal and history in the state directory; made if not there.

    Where the history cannot be used there is one that is forgotten in the end, and `history_problem` says why: nobody's
    money is in it.

    Raises:
        StoreError: ledger or journal is corrupt, foreign, of a later version, or cannot be written.
    """
    from bursar.history import FleetingHistory, open_history  # here: to build an agent none of them is needed
    from bursar.journal import open_journal
    from bursar.ledger import open_lasting_ledger
    from bursar.run import Stores

    problem = ""
    try:
        history = open_history(state / HISTORY_FILE)
    except StoreError as error:
        history, problem = FleetingHistory(), error.message
    return Stores(
        ledger=open_lasting_ledger(ledger_place, clock),
        ledger_place=ledger_place,
        journal=open_journal(state / JOURNAL_FILE),
        history=history,
        history_problem=problem,
    )


def build_notifier(settings: Settings, state: Path, source: str = "") -> Notifier:
    """Sends alerts to where the settings say; `source` names the project in what is sent."""
    from bursar.notify import Notifier

    table = settings.notify
    return Notifier(state, table.targets, min_level=Level(table.min_level), source=source)
