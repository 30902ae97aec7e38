"""The tables of all adapters, for people who ask what a type of subagent is."""

from __future__ import annotations

from collections.abc import Mapping

from bursar.agents.claude.subagents import TYPES as CLAUDE
from bursar.agents.codex.subagents import TYPES as CODEX
from bursar.agents.gemini.subagents import TYPES as GEMINI
from bursar.agents.opencode.subagents import TYPES as OPENCODE
from bursar.agents.subagents import settings_of

_TABLES = {"claude": CLAUDE, "codex": CODEX, "gemini": GEMINI, "opencode": OPENCODE}


def subagent_settings(subagent: str, *, writes_files: bool = False) -> Mapping[str, str]:
    """In words, by the agent's name, what the type is to it; `command` has no such notion and is left out."""
    return {name: str(settings_of(table, subagent, writes_files=writes_files)) for name, table in _TABLES.items()}
