"""Readers by name, for a process that has an agent's output but not its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bursar.agents.claude.reader import ClaudeReader
from bursar.agents.codex.reader import CodexReader
from bursar.agents.command.adapter import open_command_reader
from bursar.agents.environment import CONTINUES
from bursar.agents.gemini.reader import GeminiReader
from bursar.agents.opencode.reader import OpencodeReader
from bursar.agents.port import StreamReader
from bursar.errors import InternalError

_READERS: Mapping[str, Callable[[Mapping[str, str]], StreamReader]] = {
    "claude": lambda environment: ClaudeReader(environment, continues=CONTINUES in environment),
    "codex": CodexReader,
    "gemini": GeminiReader,
    "opencode": OpencodeReader,
    "command": open_command_reader,
}


def open_reader(name: str, environment: Mapping[str, str] = MappingProxyType({})) -> StreamReader:
    """A reader for one new process of the agent called `name`; `environment` is that process's, it says where logs lie.

    Raises:
        InternalError: there is no such agent.
    """
    if name not in _READERS:
        raise InternalError(f"no reader for agent `{name}`")
    return _READERS[name](environment)
