"""`bursar.toml` at the top of the repository, then the environment; flags come last, from the command line.

Every key is checked: an unknown one is an error, not a silence.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bursar.errors import UserError

FILE_NAME = "bursar.toml"


class RunTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[run]`: how runs are conducted."""

    agent: str = "claude"
    max_parallel: int = 5
    default_hold: str = "50k tokens"
    attempt_minutes: float = 60.0
    verify_minutes: float = 15.0


class AgentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[agents.NAME]`: one agent.

    Attributes:
        program: path or name of the CLI; by default what is on PATH.
        models: which model stands for a tier: small, medium, large.
        nested: leave sub-agents and workflows to the model.
        arguments: more arguments for the CLI.
        argv: for `command` alone: the program and its arguments, with {model}, {prompt}, {session_id}, {worktree}.
    """

    program: str | None = None
    models: dict[str, str] = {}
    nested: bool = False
    arguments: list[str] = []
    argv: list[str] = []


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `bursar.toml`."""

    run: RunTable = RunTable()
    agents: dict[str, AgentSettings] = {}

    def programs(self) -> list[str]:
        """What the settings would have run, for people: each agent's program and arguments."""
        lines = {name: (table.argv or [table.program or name]) + table.arguments for name, table in self.agents.items()}
        return [f"agent {name}: {shlex.join(words)}" for name, words in sorted(lines.items())]

    def digest(self) -> str:
        """Changes whenever the programs that a run would start by these settings change; empty if none are named."""
        if not self.agents:
            return ""
        return hashlib.sha256(msgspec.json.encode(self.agents, order="sorted")).hexdigest()


def load_settings(root: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The project's settings with the environment's on top; defaults where neither says anything.

    Raises:
        UserError: the file is not TOML, or a key or value is wrong.
    """
    return _with_environment(_read(root / FILE_NAME), environment)


def _read(path: Path) -> Settings:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = msgspec.convert(table, Settings)
    except FileNotFoundError:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, OSError) as error:
        raise UserError(f"{path}: {error}") from error
    _check(settings, path)
    return settings


def _check(settings: Settings, path: Path) -> None:
    run = settings.run
    if not 1 <= run.max_parallel <= 64:
        raise UserError(f"{path}: run.max_parallel must be from 1 to 64, not {run.max_parallel}")
    for name, minutes in (("attempt_minutes", run.attempt_minutes), ("verify_minutes", run.verify_minutes)):
        if not 0 < minutes <= 7 * 24 * 60:
            raise UserError(f"{path}: run.{name} must be more than 0 and at most a week, not {minutes}")
    for agent, table in settings.agents.items():
        unknown = sorted(set(table.models) - {"small", "medium", "large"})
        if unknown:
            raise UserError(f"{path}: agents.{agent}.models knows small, medium and large, not {', '.join(unknown)}")


def _with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    run, agents = settings.run, dict(settings.agents)
    if agent := environment.get("BURSAR_AGENT"):
        run = msgspec.structs.replace(run, agent=agent)
    if program := environment.get("BURSAR_CLAUDE"):
        agents["claude"] = msgspec.structs.replace(agents.get("claude", AgentSettings()), program=program)
    return msgspec.structs.replace(settings, run=run, agents=agents)
