"""Readers by name, for a process that has an agent's output but not its settings."""

from __future__ import annotations

from bursar.agents.claude.reader import ClaudeReader
from bursar.agents.port import StreamReader
from bursar.errors import InternalError

_READERS = {"claude": ClaudeReader, "command": ClaudeReader}


def open_reader(name: str) -> StreamReader:
    """A reader for one new process of the agent called `name`.

    Raises:
        InternalError: there is no such agent.
    """
    if name not in _READERS:
        raise InternalError(f"no reader for agent `{name}`")
    return _READERS[name]()
